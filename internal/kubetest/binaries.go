package kubetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// assetsVariable is envtest's own name for a folder that holds all binaries.
const assetsVariable = "KUBEBUILDER_ASSETS"

// binaries are paths of programs.
type binaries struct {
	apiServer, etcd, kubectl, controllerManager string
}

// findBinaries looks where KUBEBUILDER_ASSETS points to, or else in the state
// folder, where `node build kubernetes etcd` puts what it makes.
func findBinaries() (binaries, error) {
	var b binaries
	for name, path := range map[string]*string{
		"kube-apiserver":          &b.apiServer,
		"etcd":                    &b.etcd,
		"kubectl":                 &b.kubectl,
		"kube-controller-manager": &b.controllerManager,
	} {
		found, err := Program(name)
		if err != nil {
			return binaries{}, err
		}
		*path = found
	}
	return b, nil
}

// Program returns the path of one of Kubernetes' own programs, such as kubectl.
func Program(name string) (string, error) {
	if assets := os.Getenv(assetsVariable); assets != "" {
		path := filepath.Join(assets, name)
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s names a folder without %s: put it there, or unset the variable to use the state folder: %w", assetsVariable, name, err)
		}
		return path, nil
	}
	state := os.Getenv("KUBEPANEL_STATE")
	if state == "" {
		state = "/var/lib/kubepanel"
	}
	cache := filepath.Join(state, "cache", "bin")
	newest, err := newestMatch(filepath.Join(cache, "*", name))
	if err != nil {
		return "", err
	}
	if newest == "" {
		return "", fmt.Errorf("no %s under %s: build it with `make unit` (or `bin/node build kubernetes etcd`), or set %s to a folder that has it", name, cache, assetsVariable)
	}
	return newest, nil
}

// bound returns a program that runs the given one and ends with the tests: a
// test that panics or is killed stops nothing itself, and envtest would leave
// its processes behind.
func bound(folder, program string) (string, error) {
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		return "", fmt.Errorf("find setpriv, of Debian's package util-linux: %w", err)
	}
	path := filepath.Join(folder, filepath.Base(program))
	script := fmt.Sprintf("#!/bin/sh\nexec %s --pdeathsig KILL %s \"$@\"\n", quoted(setpriv), quoted(program))
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		return "", fmt.Errorf("bind %s to the tests: %w", program, err)
	}
	return path, nil
}

// quoted returns a text as one word of a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// newestMatch returns the file that was written last, or nothing.
func newestMatch(pattern string) (string, error) {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return "", fmt.Errorf("look for %s: %w", pattern, err)
	}
	var newest string
	var written time.Time
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return "", fmt.Errorf("look at %s: %w", path, err)
		}
		if info.Mode().IsRegular() && info.ModTime().After(written) {
			newest, written = path, info.ModTime()
		}
	}
	return newest, nil
}

// Root returns the folder of the main module: tests run in the folder of their
// own package.
func Root() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, crds)); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", fmt.Errorf("no folder above has %s: run `make generate`", crds)
		}
		folder = parent
	}
}

// crds is where `make generate` puts our kinds, from the module's root.
const crds = "deploy/kubepanel/files/crds"

func crdFolder() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, crds), nil
}
