package phase

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"kubepanel.io/kubepanel/node/machine"
	"kubepanel.io/kubepanel/node/machine/supervise"
)

// path is where a file of the node lies on the computer.
func (n *Node) path(inside string) string { return n.place.Path(inside) }

// run executes a program inside and gives what it printed. What it said on the
// side becomes the error when it fails.
func (n *Node) run(ctx context.Context, name string, args ...string) (string, error) {
	var output, said bytes.Buffer
	command := n.place.Command(ctx, name, args...)
	command.Stdout, command.Stderr = &output, &said
	command.ExtraFiles = []*os.File{n.lock}
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, lastLines(said.String()+output.String()))
	}
	return output.String(), nil
}

// lastLines keeps of a program's complaint what a person reads.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	const enough = 8
	if len(lines) > enough {
		lines = lines[len(lines)-enough:]
	}
	return strings.Join(lines, "\n")
}

// startMachine starts what the node lives in, or finds it running.
func (n *Node) startMachine(ctx context.Context) (string, error) {
	if err := n.dropUnfinished(ctx); err != nil {
		return "", err
	}
	if err := n.installPrograms(); err != nil {
		return "", err
	}
	settings, note, err := n.place.Start(ctx)
	n.settings = settings
	return note, err
}

// dropUnfinished starts over when an earlier run died before the cluster stood
// for the first time: kubeadm's files may be half written, and nobody has
// anything on that cluster yet.
func (n *Node) dropUnfinished(ctx context.Context) error {
	if n.everMarked("cluster") || !n.place.Ours() {
		return nil
	}
	if entries, err := os.ReadDir(n.path("/etc/kubernetes")); err != nil || len(entries) == 0 {
		return nil
	}
	fmt.Fprintln(n.out, "    an earlier run ended before the cluster stood; starting it over")
	if err := n.place.Stop(ctx); err != nil {
		return err
	}
	err := os.Remove(n.machine.Supervised())
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	for _, folder := range []string{"/etc/kubernetes", "/var/lib/etcd", "/var/lib/kubelet"} {
		err = errors.Join(err, os.RemoveAll(n.path(folder)))
	}
	return errors.Join(err, os.RemoveAll(filepath.Dir(n.markFile("cluster"))))
}

// installPrograms links what runs the node into its folder of programs, and
// what a person uses into another.
func (n *Node) installPrograms() error {
	for _, component := range []string{"kubernetes", "containerd", "runc"} {
		entries, err := os.ReadDir(n.binaries[component])
		if err != nil {
			return fmt.Errorf("list programs of %s: %w", component, err)
		}
		for _, entry := range entries {
			if err := link(n.machine.Programs(), entry.Name(), filepath.Join(n.binaries[component], entry.Name())); err != nil {
				return err
			}
		}
	}
	tools := map[string]string{"kubectl": "kubernetes", "helm": "helm", "kubepanel": "kubepanel"}
	for name, component := range tools {
		if folder, ok := n.binaries[component]; ok {
			if err := link(n.machine.Tools(), name, filepath.Join(folder, name)); err != nil {
				return err
			}
		}
	}
	return n.installPlugins()
}

// installPlugins copies the network plugins, which the runtime wants in one folder.
func (n *Node) installPlugins() error {
	inputs := []string{n.binaries["cni"], n.binaries["calico"]}
	if n.marked("plugins", inputs...) {
		return nil
	}
	plugins := map[string][]string{"cni": {"host-local", "loopback", "portmap"}, "calico": {"calico"}}
	for component, names := range plugins {
		for _, name := range names {
			data, err := os.ReadFile(filepath.Join(n.binaries[component], name))
			if err != nil {
				return fmt.Errorf("install network plugin: %w", err)
			}
			if err := machine.WriteFile(filepath.Join(n.path("/opt/cni/bin"), name), data, 0o755); err != nil {
				return err
			}
		}
	}
	return n.mark("plugins", inputs...)
}

// supervise hands the supervisor its list of programs.
func (n *Node) supervise(ctx context.Context, programs ...supervise.Program) error {
	config := supervise.Config{
		Logs:     n.machine.Logs(),
		Programs: programs,
		Containers: &supervise.Containers{
			CTR: filepath.Join(n.machine.Programs(), "ctr"), Address: containerdSocket, Abrupt: []string{"kube-apiserver"},
		},
	}
	data, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return fmt.Errorf("write the list of programs: %w", err)
	}
	if have, err := os.ReadFile(n.machine.Supervised()); err == nil && bytes.Equal(have, data) {
		return nil
	}
	if err := machine.WriteFile(n.machine.Supervised(), data, 0o600); err != nil {
		return err
	}
	return n.place.Reload(ctx)
}
