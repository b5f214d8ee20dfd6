package hosting

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kubepanel.io/kubepanel/api/platform"
)

// PHP is the type of workload that the catalogue offers first.
const PHP = "php"

// runtime is what a site runs, as the catalogue says it.
type runtime struct {
	kind, version, image, proxyMode string
	port                            int32
}

// choose finds a version of a runtime in the catalogue; "" asks for the default.
// Its error is a sentence for a person.
func choose(s *platform.Settings, kind, version string) (runtime, error) {
	offer, ok := s.Runtimes[kind]
	if !ok {
		return runtime{}, fmt.Errorf("this platform offers no %s; it offers %s", kind, strings.Join(s.Types(), ", "))
	}
	if version == "" {
		version = offer.Default
	}
	image, ok := s.Image(kind, version)
	switch {
	case !ok:
		return runtime{}, fmt.Errorf("this platform has no %s %q; it has %s", display(kind), version, strings.Join(usable(offer), ", "))
	case image == "":
		return runtime{}, fmt.Errorf("%s %s has no image on this platform; take %s, or ask the administrator to add the image",
			display(kind), version, strings.Join(usable(offer), ", "))
	}
	return runtime{kind: kind, version: version, image: image, proxyMode: offer.ProxyMode, port: offer.Port}, nil
}

// Versions returns the versions of a runtime that can be run, in order.
func Versions(s *platform.Settings, kind string) []string { return usable(s.Runtimes[kind]) }

func usable(r platform.Runtime) []string {
	versions := slices.Sorted(maps.Keys(r.Versions))
	return slices.DeleteFunc(versions, func(v string) bool { return r.Versions[v].Image == "" })
}

func display(kind string) string {
	if kind == PHP {
		return "PHP"
	}
	return kind
}
