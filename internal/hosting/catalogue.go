package hosting

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
)

// PHP is the type of workload of a site that names none.
const PHP = "php"

// runtimeName is TYPE or TYPE:VERSION.
var runtimeName = regexp.MustCompile(`^([a-z][a-z0-9-]{0,62})(?::([0-9A-Za-z][0-9A-Za-z._-]{0,62}))?$`)

// runtime is what a site runs, as the catalogue says it.
type runtime struct {
	kind, version, proxyMode string
	port                     int32
}

// parseRuntime reads what a person asked for, such as python:3.13. Its error is a
// sentence.
func parseRuntime(input string) (kind, version string, err error) {
	m := runtimeName.FindStringSubmatch(input)
	if m == nil {
		return "", "", fmt.Errorf("%q is not a runtime; write it like python or python:3.13, see: kubepanel platform runtimes", input)
	}
	return m[1], m[2], nil
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
		return runtime{}, fmt.Errorf("this platform has no %s %q; it has %s", RuntimeName(s, kind), version, strings.Join(usable(offer), ", "))
	case image == "" && offer.ProxyMode != platform.ProxyNone:
		return runtime{}, fmt.Errorf("%s %s has no image on this platform; take %s, or ask the administrator to add the image",
			RuntimeName(s, kind), version, strings.Join(usable(offer), ", "))
	}
	return runtime{kind: kind, version: version, proxyMode: offer.ProxyMode, port: offer.Port}, nil
}

// into writes the runtime into a spec. It names no image: so the site has the
// catalogue's, and what an upgrade of the platform mends in it. Where nginx alone
// is the site, there is neither a port nor a way to a program.
func (r runtime) into(w *v1alpha1.WorkloadSpec) {
	w.Type, w.Version = r.kind, r.version
	if r.proxyMode != platform.ProxyNone {
		w.Port, w.ProxyMode = r.port, v1alpha1.ProxyMode(r.proxyMode)
	}
}

// Versions returns the versions of a runtime that can be run, in order.
func Versions(s *platform.Settings, kind string) []string { return usable(s.Runtimes[kind]) }

// Runtimes returns every TYPE:VERSION that can be run, in order.
func Runtimes(s *platform.Settings) []string {
	var all []string
	for _, kind := range s.Types() {
		for _, version := range Versions(s, kind) {
			all = append(all, kind+":"+version)
		}
	}
	return all
}

func usable(r platform.Runtime) []string {
	versions := slices.Sorted(maps.Keys(r.Versions))
	return slices.DeleteFunc(versions, func(v string) bool { return r.Versions[v].Image == "" && r.ProxyMode != platform.ProxyNone })
}

// RuntimeName is what people call a runtime.
func RuntimeName(s *platform.Settings, kind string) string {
	if name := s.Name(kind); name != PHP {
		return name
	}
	return "PHP"
}

// Names returns what people call the platform's runtimes, each with its versions.
func Names(s *platform.Settings) string {
	var names []string
	for _, kind := range s.Types() {
		name := RuntimeName(s, kind)
		if s.Runtimes[kind].ProxyMode != platform.ProxyNone {
			name += " " + strings.Join(Versions(s, kind), ", ")
		}
		names = append(names, name)
	}
	return strings.Join(names, "; ")
}

// errSetting is a setting that isn't written as one.
var errSetting = errors.New("write a setting as KEY=VALUE; KEY= takes it away")

// set changes settings as a person wrote them: KEY=VALUE, and KEY= to have the
// default again. PHP's are not in the catalogue; the operator judges them.
func set(s *platform.Settings, w *v1alpha1.WorkloadSpec, settings []string) error {
	values := map[string]string{}
	for _, setting := range settings {
		key, value, ok := strings.Cut(setting, "=")
		if !ok || key == "" {
			return fmt.Errorf("%q: %w", setting, errSetting)
		}
		if value == "" {
			delete(w.Settings, key)
			delete(values, key)
			continue
		}
		if w.Settings == nil {
			w.Settings = map[string]v1alpha1.Setting{}
		}
		w.Settings[key], values[key] = v1alpha1.Setting(value), value
	}
	if w.Type == PHP {
		return nil
	}
	if _, faults := s.Runtimes[w.Type].ReadSettings(values); len(faults) > 0 {
		return errors.New(strings.Join(faults, "; "))
	}
	return nil
}
