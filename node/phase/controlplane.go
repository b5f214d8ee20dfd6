package phase

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kubepanel.io/kubepanel/node/machine"
	"kubepanel.io/kubepanel/node/machine/supervise"
	"kubepanel.io/kubepanel/node/manifests"
)

const (
	kubeadmConfig = "/etc/kubernetes/kubeadm.yaml"
	patchesFolder = "/etc/kubernetes/patches"
	kubeletConfig = "/var/lib/kubelet/config.yaml"
	kubeletFlags  = "/var/lib/kubelet/kubeadm-flags.env"
	// kubeletServing is the pair that the kubelet shows, without ".crt" and ".key" (kubeadm.yaml names them).
	kubeletServing = "/var/lib/kubelet/pki/serving"
)

// controlPlane writes what the control plane needs, by kubeadm's own phases,
// and starts the kubelet, which starts the control plane.
func (n *Node) controlPlane(ctx context.Context) (string, error) {
	inputs, err := n.writeKubeadmConfig()
	if err != nil {
		return "", err
	}
	note := "as it was"
	if !n.marked("control plane", inputs...) {
		for _, phase := range [][]string{
			{"certs", "all"}, {"kubeconfig", "all"}, {"etcd", "local"}, {"control-plane", "all"}, {"kubelet-start"},
		} {
			if err := n.kubeadm(ctx, phase...); err != nil {
				return "", err
			}
		}
		if err := n.mark("control plane", inputs...); err != nil {
			return "", err
		}
		note = "configured by kubeadm"
	}
	if err := n.kubeletCertificate(); err != nil {
		return "", err
	}
	kubelet, err := n.kubelet()
	if err != nil {
		return "", err
	}
	containerd, err := n.containerd()
	if err != nil {
		return "", err
	}
	return note, n.supervise(ctx, containerd, kubelet)
}

// writeKubeadmConfig gives all that kubeadm's work depends on.
func (n *Node) writeKubeadmConfig() (inputs []string, err error) {
	values, err := n.values()
	if err != nil {
		return nil, err
	}
	config, err := manifests.Render("kubeadm.yaml", values)
	if err != nil {
		return nil, err
	}
	if err := machine.WriteFile(n.path(kubeadmConfig), config, 0o600); err != nil {
		return nil, err
	}
	inputs = []string{n.binaries["kubernetes"], string(config)}
	patches, err := manifests.Patches(values)
	if err != nil {
		return nil, err
	}
	for _, name := range sortedKeys(patches) {
		if err := machine.WriteFile(filepath.Join(n.path(patchesFolder), name), patches[name], 0o600); err != nil {
			return nil, err
		}
		inputs = append(inputs, name, string(patches[name]))
	}
	return inputs, nil
}

func (n *Node) kubeadm(ctx context.Context, phase ...string) error {
	args := append([]string{"init", "phase"}, phase...)
	_, err := n.run(ctx, "kubeadm", append(args, "--config", kubeadmConfig)...)
	return err
}

// kubelet is the program as kubeadm configured it; an error before it did.
func (n *Node) kubelet() (supervise.Program, error) {
	config, err := os.ReadFile(n.path(kubeletConfig))
	if err != nil {
		return supervise.Program{}, fmt.Errorf("read the kubelet's configuration: %w", err)
	}
	flags, err := os.ReadFile(n.path(kubeletFlags))
	if err != nil {
		return supervise.Program{}, fmt.Errorf("read the kubelet's flags: %w", err)
	}
	// There is none yet on a node from before the cluster's authority signed it.
	serving, err := os.ReadFile(n.path(kubeletServing + ".crt"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return supervise.Program{}, fmt.Errorf("read the kubelet's certificate: %w", err)
	}
	path, err := n.program("kubernetes", "kubelet")
	if err != nil {
		return supervise.Program{}, err
	}
	command := []string{path, "--kubeconfig=/etc/kubernetes/kubelet.conf", "--config=" + kubeletConfig}
	return supervise.Program{
		Name:     "kubelet",
		Command:  append(command, parseFlags(string(flags))...),
		Revision: fingerprint(string(config), string(serving)),
		WaitFor:  containerdSocket,
	}, nil
}

// parseFlags reads KUBELET_KUBEADM_ARGS="--a=b --c=d", the one line that kubeadm writes.
func parseFlags(env string) []string {
	for line := range strings.Lines(env) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "KUBELET_KUBEADM_ARGS="); ok {
			return strings.Fields(strings.Trim(value, `"`))
		}
	}
	return nil
}

// awaitAPI waits for the API server and leaves the way to it for people and tools.
func (n *Node) awaitAPI(ctx context.Context) (string, error) {
	admin, err := os.ReadFile(n.path("/etc/kubernetes/admin.conf"))
	if err != nil {
		return "", fmt.Errorf("read the administrator's kubeconfig: %w", err)
	}
	if err := machine.WriteFile(n.machine.Kubeconfig(), admin, 0o600); err != nil {
		return "", err
	}
	if n.api, err = newClient(admin); err != nil {
		return "", err
	}
	err = await(ctx, apiPatience, func(ctx context.Context) error {
		_, err := n.api.get(ctx, "/readyz")
		return err
	})
	if err != nil {
		return "", errors.Join(fmt.Errorf("the API server does not get ready (see 'node logs kubelet'): %w", err))
	}
	return n.api.server, nil
}

// cluster runs those phases of kubeadm that need the API server.
func (n *Node) cluster(ctx context.Context) (string, error) {
	inputs, err := n.writeKubeadmConfig()
	if err != nil {
		return "", err
	}
	if n.marked("cluster", inputs...) {
		return "as it was", nil
	}
	for _, phase := range [][]string{
		{"upload-config", "all"}, {"mark-control-plane"}, {"bootstrap-token"}, {"kubelet-finalize", "all"}, {"addon", "kube-proxy"},
	} {
		if err := n.kubeadm(ctx, phase...); err != nil {
			return "", err
		}
	}
	return "configured by kubeadm", n.mark("cluster", inputs...)
}
