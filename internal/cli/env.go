package cli

import (
	"context"
	"io"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Env is everything that commands may touch. Tests pass buffers and a fake
// cluster.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	// Terminal says that Out is one, which can be drawn on; Ask says that a person
	// sits at In.
	Terminal, Ask bool
	// Unseen reads a line from the terminal without showing it; nil where In is none.
	Unseen func(context.Context) (string, error)
	// Width of the terminal in columns; 0 is unknown.
	Width func() int
	// Open makes a connection, or says why there is none. Commands that need no
	// cluster never call it.
	Open func(Target) (Cluster, error)
	// Panels is the file that remembers the panels that somebody signed in to.
	Panels string
	// Build tells what this program is.
	Build Build

	target  Target
	cluster bool // --cluster: sites are those of the cluster, signed in to a panel or not
	format  format
	verbose bool
}

// Target says which cluster is meant.
type Target struct {
	Kubeconfig, Context string
	// Namespace is the platform's.
	Namespace string
}

// Cluster is what commands need of one.
type Cluster interface {
	hosting.DomainReader
	hosting.DomainWriter
	hosting.DomainWatcher
	hosting.Platform
	hosting.Machinery
	hosting.Planner
}

// Build tells what this program is.
type Build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// open connects and makes the panel that acts there.
func (e *Env) open() (Cluster, *hosting.Panel, error) {
	c, err := e.Open(e.target)
	if err != nil {
		return nil, nil, err
	}
	return c, &hosting.Panel{Domains: c, Writer: c, Platform: c, Planner: c}, nil
}

// width of a line that does not wrap.
func (e *Env) width() int {
	const usual = 80
	if e.Width == nil {
		return usual
	}
	if w := e.Width(); w > 0 {
		return w
	}
	return usual
}

// readLine reads what a person types, and gives up when ctx does.
func (e *Env) readLine(ctx context.Context) (string, error) {
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := firstLine(e.In)
		got <- answer{line, err}
	}()
	select {
	case a := <-got:
		return a.line, a.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
