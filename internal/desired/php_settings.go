package desired

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// phpSettings are workload.settings of a PHP site, read and checked.
type phpSettings struct {
	MemoryLimit, UploadMaxFilesize, PostMaxSize string
	// MaxExecutionTime and ProcessIdleTimeout are in seconds.
	MaxExecutionTime, ProcessIdleTimeout int
	MaxChildren                          int
}

// size is PHP's shorthand for bytes; -1 means no limit.
var size = regexp.MustCompile(`^(-1|[0-9]{1,9}[KMGkmg]?)$`)

// phpKeys says which keys there are and how each is read; the order is that of
// messages to people.
var phpKeys = []struct {
	name string
	read func(*phpSettings, string) bool
}{
	{"memoryLimit", func(s *phpSettings, v string) bool { s.MemoryLimit = v; return size.MatchString(v) }},
	{"maxExecutionTime", func(s *phpSettings, v string) bool { return number(&s.MaxExecutionTime, v, 0, 86400) }},
	{"uploadMaxFilesize", func(s *phpSettings, v string) bool { s.UploadMaxFilesize = v; return size.MatchString(v) }},
	{"postMaxSize", func(s *phpSettings, v string) bool { s.PostMaxSize = v; return size.MatchString(v) }},
	{"fpmMaxChildren", func(s *phpSettings, v string) bool { return number(&s.MaxChildren, v, 1, 100) }},
	{"fpmProcessIdleTimeout", func(s *phpSettings, v string) bool {
		return number(&s.ProcessIdleTimeout, strings.TrimSuffix(v, "s"), 1, 86400)
	}},
}

// readPHPSettings returns what the keys say, and a sentence for each key that is
// unknown or has a value that can't be: its default stands then.
func readPHPSettings(settings map[string]v1alpha1.Setting) (phpSettings, []string) {
	s := phpSettings{
		MemoryLimit: "256M", MaxExecutionTime: 30, UploadMaxFilesize: "64M", PostMaxSize: "64M",
		MaxChildren: 25, ProcessIdleTimeout: 30,
	}
	var faults []string
	known := map[string]bool{}
	for _, k := range phpKeys {
		known[k.name] = true
		v, set := settings[k.name]
		if next := s; set && k.read(&next, string(v)) {
			s = next
		} else if set {
			faults = append(faults, fmt.Sprintf("spec.workload.settings.%s: %q is not a value it can have", k.name, v))
		}
	}
	var unknown []string
	for name := range settings {
		if !known[name] {
			unknown = append(unknown, fmt.Sprintf("spec.workload.settings: %q is not known", name))
		}
	}
	slices.Sort(unknown)
	return s, append(faults, unknown...)
}

func number(to *int, v string, low, high int) bool {
	n, err := strconv.Atoi(v)
	*to = n
	return err == nil && n >= low && n <= high
}
