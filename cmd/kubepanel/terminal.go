package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"golang.org/x/term"

	"kubepanel.io/kubepanel/internal/cli"
	"kubepanel.io/kubepanel/internal/kube"
)

// terminal is what the commands for people work with.
func terminal() *cli.Env {
	env := &cli.Env{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		// TERM=dumb is how editors and logs say that they can't be drawn on.
		Terminal: term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("TERM") != "dumb",
		Ask:      term.IsTerminal(int(os.Stdin.Fd())),
		Width: func() int {
			width, _, err := term.GetSize(int(os.Stdout.Fd()))
			if err != nil {
				return 0
			}
			return width
		},
		Open: func(t cli.Target) (cli.Cluster, error) {
			return kube.OpenStore(kube.Address{Kubeconfig: t.Kubeconfig, Context: t.Context, Namespace: t.Namespace})
		},
		Panels: panels(), Build: build(),
	}
	if env.Ask {
		env.Unseen = unseen
	}
	return env
}

// unseen reads a line that the terminal does not show. When ctx ends first, the terminal
// shows again what is typed.
func unseen(ctx context.Context) (string, error) {
	in := int(os.Stdin.Fd())
	was, err := term.GetState(in)
	if err != nil {
		return "", err
	}
	type answer struct {
		line []byte
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := term.ReadPassword(in)
		got <- answer{line, err}
	}()
	select {
	case a := <-got:
		fmt.Fprintln(os.Stderr) // the line's end was not shown either
		return string(a.line), a.err
	case <-ctx.Done():
		return "", errors.Join(context.Cause(ctx), term.Restore(in, was))
	}
}

// panels is where a person's panels are remembered; KUBEPANEL_PANELS names another file.
func panels() string {
	if file := os.Getenv("KUBEPANEL_PANELS"); file != "" {
		return file
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		folder = "." // nobody's home: where one is
	}
	return filepath.Join(folder, "kubepanel", "panels.yaml")
}

// build reads what the go command wrote into the binary.
func build() cli.Build {
	b := cli.Build{Version: "(unknown)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Revision = s.Value
		}
	}
	return b
}
