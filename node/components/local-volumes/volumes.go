package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const (
	provisionerName = "kubepanel.io/local-volumes"
	hostnameLabel   = corev1.LabelHostname
	// selectedNode is the scheduler's word on where a claim's pod will run.
	selectedNode = "volume.kubernetes.io/selected-node"
	// folderMode lets in root and, once kubelet has set it, the pod's fsGroup.
	folderMode = 0o770
)

// volumes makes and removes the folders. All of its work goes through an
// os.Root, so no name and no link leads out of the volumes' folder.
type volumes struct {
	folder    *os.Root
	path      string // the folder's path, as kubelet sees it
	node      string
	hostname  string
	immediate bool
}

// ShouldProvision tells whether a claim is this node's to serve.
func (v *volumes) ShouldProvision(_ context.Context, claim *corev1.PersistentVolumeClaim) bool {
	node := claim.Annotations[selectedNode]
	return node == v.node || (node == "" && v.immediate)
}

// ShouldDelete tells whether a volume lies on this node.
func (v *volumes) ShouldDelete(_ context.Context, volume *corev1.PersistentVolume) bool {
	return hostnameOf(volume) == v.hostname
}

// Provision makes a claim's folder. It may be called again for a folder that
// is already there: after a crash between making it and telling Kubernetes.
func (v *volumes) Provision(_ context.Context, o controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	if err := servable(o.PVC); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	name, err := folderName(o.PVName)
	if err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	if err := v.folder.Mkdir(name, folderMode); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, controller.ProvisioningFinished, fmt.Errorf("make folder: %w", err)
	}
	// Mkdir heeds the umask.
	if err := v.folder.Chmod(name, folderMode); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("make folder: %w", err)
	}
	return v.describe(o), controller.ProvisioningFinished, nil
}

// servable refuses what a folder on one node can't be.
func servable(claim *corev1.PersistentVolumeClaim) error {
	if claim.Spec.Selector != nil {
		return errors.New("a claim with a selector asks for a volume that exists; this class only makes new ones")
	}
	for _, mode := range claim.Spec.AccessModes {
		if mode != corev1.ReadWriteOnce && mode != corev1.ReadWriteOncePod {
			return fmt.Errorf("access mode %s can't be had: a volume of this class lies on one node (use ReadWriteOnce)", mode)
		}
	}
	return nil
}

func (v *volumes) describe(o controller.ProvisionOptions) *corev1.PersistentVolume {
	reclaim := corev1.PersistentVolumeReclaimDelete
	if o.StorageClass.ReclaimPolicy != nil {
		reclaim = *o.StorageClass.ReclaimPolicy
	}
	mode := corev1.PersistentVolumeFilesystem
	here := corev1.NodeSelectorRequirement{Key: hostnameLabel, Operator: corev1.NodeSelectorOpIn, Values: []string{v.hostname}}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: o.PVName},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: reclaim,
			AccessModes:                   o.PVC.Spec.AccessModes,
			VolumeMode:                    &mode,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: o.PVC.Spec.Resources.Requests[corev1.ResourceStorage]},
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: filepath.Join(v.path, o.PVName)}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{here}}},
			}},
		},
	}
}

// Delete removes a volume's folder and all in it. A volume whose path isn't the
// one Provision gave it was changed or written by hand: it is left alone.
func (v *volumes) Delete(_ context.Context, volume *corev1.PersistentVolume) error {
	name, err := folderName(volume.Name)
	if err != nil {
		return err
	}
	if volume.Spec.Local == nil || volume.Spec.Local.Path != filepath.Join(v.path, name) {
		return &controller.IgnoredError{Reason: "its folder is not one that local-volumes made"}
	}
	if err := v.folder.RemoveAll(name); err != nil {
		return fmt.Errorf("remove folder: %w", err)
	}
	return nil
}

// volumeName is how the library names volumes: after the claim's UID.
var volumeName = regexp.MustCompile(`^pvc-[0-9a-f-]{36}$`)

func folderName(volume string) (string, error) {
	if !volumeName.MatchString(volume) {
		return "", fmt.Errorf("volume %q has a name that local-volumes doesn't give", volume)
	}
	return volume, nil
}

func hostnameOf(volume *corev1.PersistentVolume) string {
	if volume.Spec.NodeAffinity == nil || volume.Spec.NodeAffinity.Required == nil {
		return ""
	}
	for _, term := range volume.Spec.NodeAffinity.Required.NodeSelectorTerms {
		for _, e := range term.MatchExpressions {
			if e.Key == hostnameLabel && len(e.Values) == 1 {
				return e.Values[0]
			}
		}
	}
	return ""
}
