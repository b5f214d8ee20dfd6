package main

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

func TestUseIsToldInSteps(t *testing.T) {
	const mebibyte = 1 << 20
	tests := map[string]struct {
		told string
		used int64
		want bool
	}{
		"never told":          {"", 0, true},
		"somebody's nonsense": {"much", 0, true},
		"the same":            {"104857600", 100 * mebibyte, false},
		"a crumb more":        {"104857600", 105 * mebibyte, false},
		"a crumb less":        {"104857600", 95 * mebibyte, false},
		"enough more":         {"104857600", 106 * mebibyte, true},
		"enough less":         {"104857600", 94 * mebibyte, true},
		// told as 98.99 % full
		"full": {"1062894043", 1024*mebibyte - 4096, true},
	}
	for about, test := range tests {
		t.Run(about, func(t *testing.T) {
			claim := &corev1.PersistentVolumeClaim{}
			claim.Annotations = map[string]string{usedBytes: test.told}
			claim.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
			if got := news(claim, test.used); got != test.want {
				t.Errorf("news(told %q, used %d) = %t, want %t", test.told, test.used, got, test.want)
			}
		})
	}
}

// A claim may name any volume; that it is bound to it, the volume says.
func TestOnlyVolumesOfThisNodeAreToldAndToTheirOwnClaims(t *testing.T) {
	tests := map[string]struct {
		change func(*corev1.PersistentVolume)
		want   string
	}{
		"its own":                  {func(*corev1.PersistentVolume) {}, "handle"},
		"bound to nothing":         {func(v *corev1.PersistentVolume) { v.Spec.ClaimRef = nil }, ""},
		"bound to another":         {func(v *corev1.PersistentVolume) { v.Spec.ClaimRef.UID = "another" }, ""},
		"of another driver":        {func(v *corev1.PersistentVolume) { v.Spec.CSI.Driver = "other.example" }, ""},
		"of none":                  {func(v *corev1.PersistentVolume) { v.Spec.CSI = nil }, ""},
		"on another node":          {func(v *corev1.PersistentVolume) { v.Spec.NodeAffinity = on("two") }, ""},
		"on no node that is known": {func(v *corev1.PersistentVolume) { v.Spec.NodeAffinity = nil }, ""},
		"not there":                {func(v *corev1.PersistentVolume) { v.Name = "other" }, ""},
	}
	for about, test := range tests {
		t.Run(about, func(t *testing.T) {
			volume := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "volume"}}
			volume.Spec.ClaimRef = &corev1.ObjectReference{UID: "claim"}
			volume.Spec.CSI = &corev1.CSIPersistentVolumeSource{Driver: "ours", VolumeHandle: "handle"}
			volume.Spec.NodeAffinity = on("one")
			test.change(volume)
			volumes := cache.NewIndexer(cache.MetaNamespaceKeyFunc, nil)
			if err := volumes.Add(volume); err != nil {
				t.Fatal(err)
			}
			u := &usage{site: &site{driver: "ours", node: "one"}, volumes: corelisters.NewPersistentVolumeLister(volumes)}
			claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{UID: "claim"}}
			claim.Spec.VolumeName = "volume"
			if got := u.handle(claim); got != test.want {
				t.Errorf("handle = %q, want %q", got, test.want)
			}
		})
	}
}

// on is what external-provisioner writes of a volume of a node.
func on(node string) *corev1.VolumeNodeAffinity {
	return &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
		MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "ours/node", Operator: corev1.NodeSelectorOpIn, Values: []string{node}}},
	}}}}
}
