package main

import (
	"fmt"

	"k8s.io/component-base/featuregate"
)

// switches of the controllers, as their own commands have them, but for attributes of volumes, which the driver
// has none of.
func switches() map[string]bool {
	return map[string]bool{
		"Topology":                       true,
		"RecoverVolumeExpansionFailure":  true,
		"AnnotateFsResize":               false,
		"CrossNamespaceVolumeDataSource": false,
		"VolumeAttributesClass":          false,
		"CSIVolumeGroupSnapshot":         false,
		"ReleaseLeaderElectionOnExit":    false,
	}
}

// setSwitches sets them in the one list of a process. Each controller adds its own when the process starts, and all
// of one's are dropped, without a word, if another has one of the same name with another default.
func setSwitches(gate featuregate.MutableFeatureGate) error {
	known, missing := gate.GetAll(), map[featuregate.Feature]featuregate.FeatureSpec{}
	for name, on := range switches() {
		if _, ok := known[featuregate.Feature(name)]; !ok {
			missing[featuregate.Feature(name)] = featuregate.FeatureSpec{Default: on, PreRelease: featuregate.Beta}
		}
	}
	if err := gate.Add(missing); err != nil {
		return fmt.Errorf("add switches: %w", err)
	}
	if err := gate.SetFromMap(switches()); err != nil {
		return fmt.Errorf("set switches: %w", err)
	}
	return nil
}
