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
	if err := n.calicoKinds(ctx); err != nil {
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

// calicoKinds installs Calico's own kinds, which lie beside its programs.
func (n *Node) calicoKinds(ctx context.Context) error {
	folder := filepath.Join(n.binaries["calico"], "crd")
	if n.marked("calico kinds", folder) {
		_, err := n.api.get(ctx, "/apis/crd.projectcalico.org/v1")
		if !errors.Is(err, errNotFound) {
			return err
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no kinds of Calico in %s: %w", folder, errors.Join(err, os.ErrNotExist))
	}
	var all bytes.Buffer
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read Calico's kinds: %w", err)
		}
		fmt.Fprintf(&all, "---\n%s\n", data)
	}
	if err := n.apply(ctx, all.Bytes()); err != nil {
		return err
	}
	// A kind is served a moment after it was accepted.
	err = await(ctx, time.Minute, func(ctx context.Context) error {
		_, err := n.api.get(ctx, "/apis/crd.projectcalico.org/v1/ippools")
		return err
	})
	if err != nil {
		return err
	}
	return n.mark("calico kinds", folder)
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

const storageClass = "kubepanel-local"

func (n *Node) storage(ctx context.Context) (string, error) {
	if err := n.dropOldClass(ctx); err != nil {
		return "", err
	}
	return "class " + storageClass, n.applyManifest(ctx, "storage.yaml")
}

// dropOldClass makes room for a class of another binding mode, which can't be
// changed. Volumes that were made of it stay as they are.
func (n *Node) dropOldClass(ctx context.Context) error {
	class, err := read[struct{ VolumeBindingMode string }](ctx, n.api, "/apis/storage.k8s.io/v1/storageclasses/"+storageClass)
	if errors.Is(err, errNotFound) || (err == nil && class.VolumeBindingMode == "Immediate") {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = n.tool(ctx, nil, "kubectl", "delete", "storageclass", storageClass)
	return err
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
