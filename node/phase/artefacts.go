package phase

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kubepanel.io/kubepanel/node/build"
)

// nodeComponents run the node; platformComponents install the platform on it.
func nodeComponents() []string {
	return []string{"kubernetes", "etcd", "containerd", "runc", "cni", "calico", "csi-controllers"}
}

func platformComponents() []string { return []string{"helm", "kubepanel"} }

// nodeImages are needed for a Ready node.
func nodeImages() []string {
	return []string{"pause", "kubernetes", "etcd", "coredns", "calico", "csi", "metrics-server"}
}

func (n *Node) packages(ctx context.Context) (string, error) {
	if err := n.awaitApt(ctx); err != nil {
		return "", err
	}
	var said bytes.Buffer
	if err := build.Prerequisites(ctx, io.MultiWriter(&said, n.progress())); err != nil {
		return "", err
	}
	if said.Len() == 0 {
		return "all installed", n.kernel(ctx)
	}
	return "installed what was missing", n.kernel(ctx)
}

func (n *Node) open() error {
	if n.builder != nil {
		return nil
	}
	builder, err := build.Open(build.Options{Root: n.options.Root, State: n.machine.State, Log: n.progress()})
	if err != nil {
		return err
	}
	n.builder = builder
	return nil
}

func (n *Node) buildBinaries(ctx context.Context) (string, error) {
	if err := n.open(); err != nil {
		return "", err
	}
	names := nodeComponents()
	if !n.options.NodeOnly {
		names = append(names, platformComponents()...)
	}
	var err error
	if n.binaries, err = n.builder.Binaries(ctx, names...); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d components", len(n.binaries)), nil
}

func (n *Node) buildImages(ctx context.Context) (string, error) {
	var names []string
	if n.options.NodeOnly {
		names = nodeImages()
	}
	var err error
	if n.images, err = n.builder.Images(ctx, names...); err != nil {
		return "", err
	}
	if err := n.buildScanner(ctx); err != nil {
		return "", err
	}
	n.trim()
	return fmt.Sprintf("%d images", len(n.images)), nil
}

// trim drops artefacts that nothing used for long. That it can't is no reason
// not to bring the node up.
func (n *Node) trim() {
	removed, err := n.builder.Trim(time.Now())
	if err != nil {
		fmt.Fprintf(n.out, "    the cache could not be trimmed: %v\n", err)
	}
	if len(removed) > 0 {
		fmt.Fprintf(n.out, "    removed %d artefacts from the cache that newer ones replaced\n", len(removed))
	}
}

// image finds the reference of an image by name.
func (n *Node) image(name string) (build.Image, error) {
	at := slices.IndexFunc(n.images, func(i build.Image) bool { return i.Name == name })
	if at < 0 {
		return build.Image{}, fmt.Errorf("image %s is not in images/images.yaml", name)
	}
	return n.images[at], nil
}

// program is the path of a program in the cache.
func (n *Node) program(component, name string) (string, error) {
	folder, ok := n.binaries[component]
	if !ok {
		return "", fmt.Errorf("component %s was not built", component)
	}
	return filepath.Join(folder, name), nil
}

// link points NAME in folder at target, in one step.
func link(folder, name, target string) error {
	path := filepath.Join(folder, name)
	if have, err := os.Readlink(path); err == nil && have == target {
		return nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("link %s: %w", name, err)
	}
	fresh := filepath.Join(folder, ".new-"+name)
	err := os.Remove(fresh)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("link %s: %w", name, err)
	}
	if err := os.Symlink(target, fresh); err != nil {
		return fmt.Errorf("link %s: %w", name, err)
	}
	if err := os.Rename(fresh, path); err != nil {
		return fmt.Errorf("link %s: %w", name, err)
	}
	return nil
}

// progress shows what the builder says, without what it did not have to do.
func (n *Node) progress() io.Writer { return &progress{to: n.out} }

type progress struct {
	to   io.Writer
	rest string
}

func (p *progress) Write(text []byte) (int, error) {
	p.rest += string(text)
	for {
		line, rest, whole := strings.Cut(p.rest, "\n")
		if !whole {
			return len(text), nil
		}
		p.rest = rest
		if !strings.HasSuffix(line, ": cached") {
			if _, err := fmt.Fprintf(p.to, "    %s\n", line); err != nil {
				return 0, err
			}
		}
	}
}
