package phase

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kubepanel.io/kubepanel/node/build"
	"kubepanel.io/kubepanel/node/machine"
	"kubepanel.io/kubepanel/node/machine/supervise"
	"kubepanel.io/kubepanel/node/manifests"
)

const (
	containerdSocket = "/run/containerd/containerd.sock"
	// pinned keeps kubelet from removing an image that no pod uses just now:
	// there may be no registry to get it again.
	pinned = "io.cri-containerd.pinned=pinned"
)

// runtime keeps containerd running.
func (n *Node) runtime(ctx context.Context) (string, error) {
	program, err := n.containerd()
	if err != nil {
		return "", err
	}
	programs := []supervise.Program{program}
	if kubelet, err := n.kubelet(); err == nil {
		// A node that was up before: its kubelet goes on.
		programs = append(programs, kubelet)
	}
	if err := n.supervise(ctx, programs...); err != nil {
		return "", err
	}
	err = await(ctx, time.Minute, func(ctx context.Context) error {
		_, err := n.ctr(ctx, "version")
		return err
	})
	if err != nil {
		return "", fmt.Errorf("containerd does not answer (see %s): %w", filepath.Join(n.machine.Logs(), "containerd.log"), err)
	}
	return "containerd answers", nil
}

func (n *Node) containerd() (supervise.Program, error) {
	values, err := n.values()
	if err != nil {
		return supervise.Program{}, err
	}
	config, err := manifests.Render("containerd.toml", values)
	if err != nil {
		return supervise.Program{}, err
	}
	if err := machine.WriteFile(n.path("/etc/containerd/config.toml"), config, 0o644); err != nil {
		return supervise.Program{}, err
	}
	path, err := n.program("containerd", "containerd")
	if err != nil {
		return supervise.Program{}, err
	}
	return supervise.Program{
		Name:    "containerd",
		Command: []string{path, "--config", "/etc/containerd/config.toml", "--log-level", "warn"},
		// The shim is looked for beside, and plugins call nft and iptables.
		Env:      []string{"PATH=" + n.binaries["containerd"] + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		Revision: fingerprint(string(config)),
	}, nil
}

func (n *Node) ctr(ctx context.Context, args ...string) (string, error) {
	return n.run(ctx, "ctr", append([]string{"--address", containerdSocket, "--namespace", "k8s.io"}, args...)...)
}

func (n *Node) importNodeImages(ctx context.Context) (string, error) {
	return n.importImages(ctx, func(name string) bool { return slices.Contains(nodeImages(), name) })
}

func (n *Node) importSiteImages(ctx context.Context) (string, error) {
	return n.importImages(ctx, func(name string) bool { return !slices.Contains(nodeImages(), name) })
}

// importImages gives the runtime those images it does not have. References with
// upstream's tags say nothing about their content, so which archive a reference
// came from is kept beside.
func (n *Node) importImages(ctx context.Context, chosen func(name string) bool) (string, error) {
	imported, err := n.imported()
	if err != nil {
		return "", err
	}
	listed, err := n.ctr(ctx, "images", "list", "--quiet")
	if err != nil {
		return "", err
	}
	have := strings.Fields(listed)
	count, fresh := 0, 0
	for _, image := range n.images {
		if !chosen(image.Name) {
			continue
		}
		count++
		if !slices.ContainsFunc(image.Refs, func(ref string) bool {
			return !slices.Contains(have, ref) || imported[ref] != filepath.Base(image.Archive)
		}) {
			continue
		}
		if err := n.importImage(ctx, image, imported); err != nil {
			return "", err
		}
		fresh++
	}
	return fmt.Sprintf("%d images, %d of them imported now", count, fresh), nil
}

func (n *Node) importImage(ctx context.Context, image build.Image, imported map[string]string) error {
	if _, err := n.ctr(ctx, "images", "import", image.Archive); err != nil {
		return fmt.Errorf("image %s: %w", image.Name, err)
	}
	for _, ref := range image.Refs {
		if _, err := n.ctr(ctx, "images", "label", ref, pinned); err != nil {
			return fmt.Errorf("image %s: %w", image.Name, err)
		}
		imported[ref] = filepath.Base(image.Archive)
	}
	data, err := json.MarshalIndent(imported, "", "  ")
	if err != nil {
		return fmt.Errorf("remember imported images: %w", err)
	}
	return machine.WriteFile(n.importedFile(), data, 0o600)
}

func (n *Node) importedFile() string { return filepath.Join(n.machine.Dir(), "imported.json") }

func (n *Node) imported() (map[string]string, error) {
	imported := map[string]string{}
	data, err := os.ReadFile(n.importedFile())
	if errors.Is(err, fs.ErrNotExist) {
		return imported, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read which images were imported: %w", err)
	}
	if err := json.Unmarshal(data, &imported); err != nil {
		return nil, fmt.Errorf("read which images were imported: %w", err)
	}
	return imported, nil
}

// lasting is an error that waiting does not mend.
type lasting struct{ error }

func (e lasting) Unwrap() error { return e.error }

// await tries until it succeeds or meets a lasting error, and gives the last one when time is over.
func await(ctx context.Context, patience time.Duration, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last error
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if _, ok := errors.AsType[lasting](err); ok {
			return err
		}
		if last == nil || ctx.Err() == nil {
			last = err // an error that only says "too late" tells nothing
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(100 * time.Millisecond):
		}
	}
}
