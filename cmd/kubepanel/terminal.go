package main

import (
	"os"
	"runtime"
	"runtime/debug"

	"golang.org/x/term"

	"kubepanel.io/kubepanel/internal/cli"
	"kubepanel.io/kubepanel/internal/kube"
)

// terminal is what the commands for people work with.
func terminal() *cli.Env {
	return &cli.Env{
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
		Build: build(),
	}
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
