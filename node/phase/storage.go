package phase

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"kubepanel.io/kubepanel/node/machine"
	"kubepanel.io/kubepanel/node/manifests"
)

const (
	storageClass = "kubepanel-btrfs"
	// folderClass gave volumes that are folders, before there was a pool.
	folderClass  = "kubepanel-local"
	volumeFolder = "/var/lib/kubepanel-volumes"
)

// storage gives volumes, by a CSI driver and the controllers beside it.
func (n *Node) storage(ctx context.Context) (string, error) {
	if err := n.choosePool(); err != nil {
		return "", err
	}
	folder := filepath.Join(n.binaries["csi-controllers"], "crd")
	if err := n.kinds(ctx, "snapshot kinds", filepath.Join(folder, "snapshot.storage.k8s.io_*.yaml"), "/apis/snapshot.storage.k8s.io/v1/volumesnapshots"); err != nil {
		return "", err
	}
	left, err := n.leaveFolders(ctx)
	if err != nil {
		return "", err
	}
	note := "class " + storageClass
	if left > 0 {
		note += fmt.Sprintf("; %d volumes of the former class %s go on as folders without a size until their sites are deleted", left, folderClass)
	}
	return note, n.applyManifest(ctx, "storage.yaml")
}

func (n *Node) poolFile() string { return filepath.Join(n.machine.Dir(), "pool.json") }

// pool is what was chosen for the pool.
func (n *Node) pool() (manifests.Pool, error) {
	var chosen manifests.Pool
	data, err := os.ReadFile(n.poolFile())
	if errors.Is(err, fs.ErrNotExist) {
		return chosen, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &chosen)
	}
	if err != nil {
		return chosen, fmt.Errorf("read which pool was chosen: %w", err)
	}
	return chosen, nil
}

// poolWanted is what was chosen before, and what this run was told about the pool. Volumes can't move from one place to
// another.
func (n *Node) poolWanted() (manifests.Pool, error) {
	chosen, err := n.pool()
	if err != nil {
		return chosen, err
	}
	device, size := n.options.PoolDevice, n.options.PoolGiB
	if device != "" && device != chosen.Device {
		if n.everMarked("pool") {
			return chosen, fmt.Errorf("the volumes of machine %s are on %s: to have them on %s, take the machine away with 'node purge' first",
				n.machine.Name, poolPlace(chosen), device)
		}
		chosen.Device = device
	}
	if size > 0 {
		chosen.GiB = size
	}
	return chosen, nil
}

// choosePool keeps that.
func (n *Node) choosePool() error {
	chosen, err := n.poolWanted()
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(chosen, "", "  ")
	if err != nil {
		return fmt.Errorf("keep which pool was chosen: %w", err)
	}
	if err := machine.WriteFile(n.poolFile(), append(data, '\n'), 0o600); err != nil {
		return err
	}
	return n.mark("pool", chosen.Device)
}

func poolPlace(p manifests.Pool) string {
	if p.Device != "" {
		return p.Device
	}
	return "the file pool.btrfs"
}

// formerVolume is how volumes that are folders are named, and so their folders.
var formerVolume = regexp.MustCompile(`^pvc-[0-9a-f-]{36}$`)

// leaveFolders takes away what gave volumes that are folders, and the folders of sites that are gone. Those in use
// stay: kubelet needs nobody to mount them.
func (n *Node) leaveFolders(ctx context.Context) (left int, err error) {
	_, err = n.api.get(ctx, "/apis/storage.k8s.io/v1/storageclasses/"+folderClass)
	if errors.Is(err, errNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	former := []string{"daemonset", "serviceaccount", "clusterrole", "clusterrolebinding"}
	for _, kind := range former {
		if _, err := n.tool(ctx, nil, "kubectl", "delete", "--namespace=kube-system", "--ignore-not-found", kind, "local-volumes"); err != nil {
			return 0, err
		}
	}
	if left, err = n.dropFolders(ctx); err != nil {
		return 0, err
	}
	if left == 0 {
		_, err = n.tool(ctx, nil, "kubectl", "delete", "storageclass", folderClass)
		return 0, err
	}
	const noDefault = `{"metadata":{"annotations":{"storageclass.kubernetes.io/is-default-class":null}},"allowVolumeExpansion":false}`
	_, err = n.tool(ctx, nil, "kubectl", "patch", "storageclass", folderClass, "--type=merge", "--patch", noDefault)
	return left, err
}

// dropFolders removes folders whose claims are gone, and counts the others.
func (n *Node) dropFolders(ctx context.Context) (left int, err error) {
	type volume struct {
		Metadata struct{ Name string }
		Spec     struct{ StorageClassName string }
		Status   struct{ Phase string }
	}
	all, err := read[struct{ Items []volume }](ctx, n.api, "/api/v1/persistentvolumes")
	if err != nil {
		return 0, err
	}
	for _, v := range all.Items {
		if v.Spec.StorageClassName != folderClass {
			continue
		}
		// Failed: Kubernetes looked for somebody who removes it.
		unclaimed := v.Status.Phase == "Released" || v.Status.Phase == "Failed"
		if !unclaimed || !formerVolume.MatchString(v.Metadata.Name) {
			left++
			continue
		}
		if err := os.RemoveAll(filepath.Join(n.path(volumeFolder), v.Metadata.Name)); err != nil {
			return 0, fmt.Errorf("remove a volume whose site is gone: %w", err)
		}
		if _, err := n.tool(ctx, nil, "kubectl", "delete", "persistentvolume", v.Metadata.Name); err != nil {
			return 0, err
		}
	}
	return left, nil
}
