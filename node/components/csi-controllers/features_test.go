package main

import (
	"testing"

	"k8s.io/apiserver/pkg/util/feature"
	"k8s.io/component-base/featuregate"
)

// A switch that nobody added is a panic when a controller asks for it.
func TestEverySwitchIsKnownAndSet(t *testing.T) {
	if err := setSwitches(feature.DefaultMutableFeatureGate); err != nil {
		t.Fatal(err)
	}
	for name, want := range switches() {
		if got := feature.DefaultFeatureGate.Enabled(featuregate.Feature(name)); got != want {
			t.Errorf("%s = %t, want %t", name, got, want)
		}
	}
}
