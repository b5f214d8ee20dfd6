package phase

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kubepanel.io/kubepanel/node/machine"
	"kubepanel.io/kubepanel/node/manifests"
)

// network gives pods addresses and enforces policies, by Calico.
func (n *Node) network(ctx context.Context) (string, error) {
	crds := filepath.Join(n.binaries["calico"], "crd", "*.yaml")
	if err := n.kinds(ctx, "calico kinds", crds, "/apis/crd.projectcalico.org/v1/ippools"); err != nil {
		return "", err
	}
	if err := n.applyManifest(ctx, "network.yaml"); err != nil {
		return "", err
	}
	if err := n.pluginAccount(ctx); err != nil {
		return "", err
	}
	values, err := n.values()
	if err != nil {
		return "", err
	}
	version, err := nftVersion(ctx)
	if err != nil {
		return "", err
	}
	values.PortmapBackend = portmapBackend(version)
	config, err := manifests.Render("cni.conflist", values)
	if err != nil {
		return "", err
	}
	if err := machine.WriteFile(n.path("/var/lib/calico/nodename"), []byte(n.place.Hostname()), 0o644); err != nil {
		return "", err
	}
	// Last: from here on the kubelet starts pods.
	note := "Calico, pods in " + values.PodCIDR
	if values.PodCIDR6 != "" {
		note += " and " + values.PodCIDR6
	}
	return note, machine.WriteFile(n.path("/etc/cni/net.d/10-calico.conflist"), config, 0o644)
}

// kinds installs kinds that lie beside a component's programs, and waits until one of them is served at a path.
func (n *Node) kinds(ctx context.Context, name, pattern, path string) error {
	if n.marked(name, pattern) {
		_, err := n.api.get(ctx, path)
		if !errors.Is(err, errNotFound) {
			return err
		}
	}
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no %s in %s: %w", name, pattern, errors.Join(err, os.ErrNotExist))
	}
	var all bytes.Buffer
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		fmt.Fprintf(&all, "---\n%s\n", data)
	}
	if err := n.apply(ctx, all.Bytes()); err != nil {
		return err
	}
	// A kind is served a moment after it was accepted.
	err = await(ctx, time.Minute, func(ctx context.Context) error {
		_, err := n.api.get(ctx, path)
		return err
	})
	if err != nil {
		return err
	}
	return n.mark(name, pattern)
}

// pluginAccount is the network plugin's way to the API server: a certificate,
// since it runs outside any pod.
func (n *Node) pluginAccount(ctx context.Context) error {
	file := n.path("/etc/cni/net.d/calico-kubeconfig")
	if have, err := os.ReadFile(file); err == nil {
		if _, err := newClient(have); err == nil {
			return nil
		}
	}
	config, err := n.run(ctx, "kubeadm", "kubeconfig", "user", "--client-name", "calico-cni", "--config", kubeadmConfig)
	if err != nil {
		return err
	}
	return machine.WriteFile(file, []byte(config), 0o600)
}

func (n *Node) dns(ctx context.Context) (string, error) {
	values, err := n.values()
	if err != nil {
		return "", err
	}
	note := fmt.Sprintf("CoreDNS at %s, forwarding to %v", dnsAddress, values.Resolvers)
	if len(values.Resolvers) == 0 {
		note = "CoreDNS at " + dnsAddress + ", for cluster names alone: the computer's resolvers all listen on loopback, where pods can't reach them"
	}
	return note, n.applyManifest(ctx, "dns.yaml")
}

func (n *Node) applyManifest(ctx context.Context, name string) error {
	values, err := n.values()
	if err != nil {
		return err
	}
	objects, err := manifests.Render(name, values)
	if err != nil {
		return err
	}
	return n.apply(ctx, objects)
}
