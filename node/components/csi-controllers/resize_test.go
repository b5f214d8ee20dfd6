package main

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestAVolumeLiesWhereItsAffinitySays(t *testing.T) {
	const key = "btrfs.kubepanel.io/node"
	at := func(key string, nodes ...string) *corev1.PersistentVolume {
		e := corev1.NodeSelectorRequirement{Key: key, Operator: corev1.NodeSelectorOpIn, Values: nodes}
		return &corev1.PersistentVolume{Spec: corev1.PersistentVolumeSpec{NodeAffinity: &corev1.VolumeNodeAffinity{
			Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{e}}}},
		}}}
	}
	tests := map[string]struct {
		volume *corev1.PersistentVolume
		want   bool
	}{
		"here":            {at(key, "one"), true},
		"elsewhere":       {at(key, "two"), false},
		"by another key":  {at("kubernetes.io/hostname", "one"), false},
		"on several":      {at(key, "one", "two"), false},
		"nothing is said": {&corev1.PersistentVolume{}, false},
	}
	for about, test := range tests {
		t.Run(about, func(t *testing.T) {
			if got := liesOn(test.volume, key, "one"); got != test.want {
				t.Errorf("liesOn = %t, want %t", got, test.want)
			}
		})
	}
}
