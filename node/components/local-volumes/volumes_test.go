package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const name = "pvc-0a1b2c3d-0000-4000-8000-123456789abc"

func newVolumes(t *testing.T) *volumes {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "volumes")
	if err := os.Mkdir(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return &volumes{folder: root, path: dir, node: "one", hostname: "one.example"}
}

func claim(modes ...corev1.PersistentVolumeAccessMode) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: modes,
		Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
	}}
}

func provision(t *testing.T, v *volumes) *corev1.PersistentVolume {
	t.Helper()
	o := controller.ProvisionOptions{PVName: name, PVC: claim(corev1.ReadWriteOnce), StorageClass: &storagev1.StorageClass{}}
	pv, _, err := v.Provision(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return pv
}

func TestVolumeIsAFolderOnThisNode(t *testing.T) {
	v := newVolumes(t)
	pv := provision(t, v)
	again := provision(t, v) // as after a crash before Kubernetes heard of it
	info, err := os.Stat(pv.Spec.Local.Path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != folderMode {
		t.Errorf("mode = %o, want %o", got, folderMode)
	}
	if pv.Spec.Local.Path != again.Spec.Local.Path {
		t.Errorf("second path = %s, want %s", again.Spec.Local.Path, pv.Spec.Local.Path)
	}
	if !v.ShouldDelete(t.Context(), pv) {
		t.Error("ShouldDelete = false for a volume of this node, want true")
	}
	if got := pv.Spec.Capacity[corev1.ResourceStorage]; got.String() != "1Gi" {
		t.Errorf("capacity = %s, want 1Gi", got.String())
	}
}

func TestOnlyTheChosenNodeServesAClaim(t *testing.T) {
	tests := map[string]struct {
		selected  string
		immediate bool
		want      bool
	}{
		"chosen":                         {selected: "one", want: true},
		"another chosen":                 {selected: "two"},
		"another chosen, told immediate": {selected: "two", immediate: true},
		"none chosen":                    {},
		"none chosen, told immediate":    {immediate: true, want: true},
	}
	for about, test := range tests {
		t.Run(about, func(t *testing.T) {
			v := &volumes{node: "one", immediate: test.immediate}
			c := claim()
			if test.selected != "" {
				c.Annotations = map[string]string{selectedNode: test.selected}
			}
			if got := v.ShouldProvision(t.Context(), c); got != test.want {
				t.Errorf("ShouldProvision = %t, want %t", got, test.want)
			}
		})
	}
}

func TestClaimsThatAFolderCantServeAreRefused(t *testing.T) {
	selecting := claim(corev1.ReadWriteOnce)
	selecting.Spec.Selector = &metav1.LabelSelector{}
	tests := map[string]struct {
		claim   *corev1.PersistentVolumeClaim
		refused bool
	}{
		"one node":    {claim: claim(corev1.ReadWriteOnce)},
		"one pod":     {claim: claim(corev1.ReadWriteOncePod)},
		"many nodes":  {claim: claim(corev1.ReadWriteMany), refused: true},
		"many read":   {claim: claim(corev1.ReadWriteOnce, corev1.ReadOnlyMany), refused: true},
		"by selector": {claim: selecting, refused: true},
	}
	for about, test := range tests {
		t.Run(about, func(t *testing.T) {
			if err := servable(test.claim); (err != nil) != test.refused {
				t.Errorf("servable = %v, want refused %t", err, test.refused)
			}
		})
	}
}

func TestRemovingAVolumeFollowsNoLinkOutOfIt(t *testing.T) {
	v := newVolumes(t)
	pv := provision(t, v)
	outside := filepath.Join(filepath.Dir(v.path), "precious")
	if err := os.MkdirAll(filepath.Join(outside, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"absolute": outside, "relative": "../../precious", "self": "."} {
		if err := os.Symlink(target, filepath.Join(pv.Spec.Local.Path, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Delete(t.Context(), pv); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(outside, "sub")); err != nil {
		t.Errorf("a folder outside of the volume is gone: %v", err)
	}
	if _, err := os.Lstat(pv.Spec.Local.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the volume is still there: %v", err)
	}
	if err := v.Delete(t.Context(), pv); err != nil {
		t.Errorf("removing a removed volume = %v, want nil", err)
	}
}

func TestAVolumeThatPointsElsewhereIsLeftAlone(t *testing.T) {
	tests := map[string]func(*volumes, *corev1.PersistentVolume){
		"another path":   func(_ *volumes, pv *corev1.PersistentVolume) { pv.Spec.Local.Path = "/" },
		"a path with ..": func(v *volumes, pv *corev1.PersistentVolume) { pv.Spec.Local.Path = v.path + "/x/../" + name },
		"a strange name": func(_ *volumes, pv *corev1.PersistentVolume) { pv.Name = ".." },
		"not local":      func(_ *volumes, pv *corev1.PersistentVolume) { pv.Spec.Local = nil },
	}
	for about, change := range tests {
		t.Run(about, func(t *testing.T) {
			v := newVolumes(t)
			pv := provision(t, v)
			path := pv.Spec.Local.Path
			change(v, pv)
			if err := v.Delete(t.Context(), pv); err == nil {
				t.Error("Delete = nil, want an error")
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("the folder is gone: %v", err)
			}
		})
	}
}

func TestALargerClaimIsGranted(t *testing.T) {
	c := claim(corev1.ReadWriteOnce)
	c.Namespace, c.Name = "dom-shop-example", "data"
	c.Annotations = map[string]string{"volume.kubernetes.io/storage-provisioner": provisionerName}
	c.Spec.VolumeName = name
	c.Status = corev1.PersistentVolumeClaimStatus{
		Phase:      corev1.ClaimBound,
		Capacity:   corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("512Mi")},
		Conditions: []corev1.PersistentVolumeClaimCondition{{Type: corev1.PersistentVolumeClaimResizing}},
	}
	client := fake.NewClientset(c, &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: name}})
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	if err := indexer.Add(c); err != nil {
		t.Fatal(err)
	}
	g := &grower{client: client, claims: listers.NewPersistentVolumeClaimLister(indexer)}
	if err := g.grow(t.Context(), cache.MetaObjectToName(c)); err != nil {
		t.Fatal(err)
	}
	got, err := client.CoreV1().PersistentVolumeClaims(c.Namespace).Get(context.Background(), c.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if size := got.Status.Capacity[corev1.ResourceStorage]; size.String() != "1Gi" || len(got.Status.Conditions) != 0 {
		t.Errorf("claim has %s and conditions %v, want 1Gi and none", size.String(), got.Status.Conditions)
	}
	if wantsMore(got) {
		t.Error("wantsMore = true after growing, want false")
	}
}
