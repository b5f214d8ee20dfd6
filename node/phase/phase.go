// Package phase brings a node up as an ordered list of phases. Each can be run
// again at any time, also after a run that was killed in its middle: it looks at
// what is, does what is missing, and says what it did and how long it took.
// What must never live here: namespaces and cgroups (package machine), building
// (package build), configuration text (package manifests).
package phase

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"kubepanel.io/kubepanel/node/build"
	"kubepanel.io/kubepanel/node/machine"
)

// Phase is one step on the way up.
type Phase struct {
	Name string
	// Do says in a few words what is so now.
	Do func(context.Context) (string, error)
}

// Options are a person's choices for one run.
type Options struct {
	// NodeOnly ends with a Ready node, without the platform.
	NodeOnly bool
	// Demo makes a first site when none was ever made here.
	Demo bool
	// Host puts the node on this computer itself, under systemd, instead of into a machine.
	Host bool
	// PoolDevice holds volumes in place of a file; "" is what was chosen before.
	PoolDevice string
	// PoolGiB is the most that the file may grow to; 0 is what was chosen before.
	PoolGiB int
	// Scanner says whether the platform has a scanner of its own; nil is what was chosen before.
	Scanner *bool
	// Root is the checkout; "" looks for it (see build.Options).
	Root string
}

// Node is the node being brought up: what phases learn, later ones use.
type Node struct {
	machine machine.Machine
	// lock is handed on to the programs that phases run, see machine.Lock.
	lock     *os.File
	place    Place
	settings machine.Settings
	options  Options
	out      io.Writer
	builder  *build.Builder
	binaries map[string]string
	images   []build.Image
	api      *client
}

// New prepares a run on a machine that the caller has locked; it changes nothing yet.
func New(m machine.Machine, lock *os.File, options Options, out io.Writer) (*Node, error) {
	settings, found, err := m.Settings()
	// Who may not read them is told so by Preflight, with all else that is wrong.
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return nil, err
	}
	if found && options.Host && !settings.Host {
		return nil, fmt.Errorf("machine %s is one of namespaces: take it away with 'node purge --machine %s' before using --host", m.Name, m.Name)
	}
	settings.Host = settings.Host || options.Host
	return &Node{machine: m, lock: lock, options: options, out: out, place: PlaceOf(m, settings)}, nil
}

// Phases is the table of contents of this package: read it first.
func (n *Node) Phases() []Phase {
	phases := []Phase{
		{"preflight", n.Preflight},
		{"packages", n.packages},
		{"binaries", n.buildBinaries},
		{"images", n.buildImages},
		{"machine", n.startMachine},
		{"runtime", n.runtime},
		{"node images", n.importNodeImages},
		{"control plane", n.controlPlane},
		{"api", n.awaitAPI},
		{"cluster", n.cluster},
		{"network", n.network},
		{"dns", n.dns},
		{"storage", n.storage},
		{"metrics", n.metrics},
		{"ready", n.ready},
	}
	if n.options.NodeOnly {
		return phases
	}
	phases = append(phases, Phase{"site images", n.importSiteImages}, Phase{"platform", n.platform}, Phase{"sites", n.sites})
	if n.options.Demo {
		phases = append(phases, Phase{"demo", n.demo})
	}
	return phases
}

// Up runs all phases and tells about each.
func (n *Node) Up(ctx context.Context) error {
	began := time.Now()
	for _, phase := range n.Phases() {
		start := time.Now()
		note, err := phase.Do(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", phase.Name, err)
		}
		fmt.Fprintf(n.out, "  %-14s %7s  %s\n", phase.Name, seconds(time.Since(start)), note)
	}
	fmt.Fprintf(n.out, "  %-14s %7s\n", "all", seconds(time.Since(began)))
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
