package main

import (
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
		Panels: panels(), Build: build(),
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
