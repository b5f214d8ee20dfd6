package program_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/kubetest"
)

// An alarm on a metric that is not there never rings.
func TestDocumentedMetricsAreThere(t *testing.T) {
	root, err := kubetest.Root()
	must(t, err)
	guide, err := os.ReadFile(filepath.Join(root, "docs/operator.md"))
	must(t, err)
	_, section, found := strings.Cut(string(guide), "\n## Metrics\n")
	section, _, ends := strings.Cut(section, "\n## ")
	if !found || !ends {
		t.Fatal("docs/operator.md has no section of metrics")
	}
	names := regexp.MustCompile(`\b(kubepanel|controller_runtime|workqueue|rest_client|leader_election|process)_[a-z_]+`).FindAllString(section, -1)
	slices.Sort(names)
	if names = slices.Compact(names); len(names) < 10 {
		t.Fatalf("docs/operator.md tells of %q only", names)
	}

	w := newWorld(t)
	w.startNodes(t)
	ready := w.follow(t)
	operator := w.startOperator(t, users[0])
	w.create(t, 0, 1)
	ready.await(t, 1, time.Minute)
	there := operator.metrics()
	for _, name := range names {
		// Nothing before policies were tried, for which an edge has to run.
		if name == "kubepanel_networkpolicy_enforced" {
			continue
		}
		whole := strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count")
		if there[name] == nil && there[whole] == nil {
			t.Errorf("docs/operator.md tells of %s, which the operator does not show", name)
		}
	}
	for _, series := range there["workqueue_depth"].GetMetric() {
		t.Errorf("a queue is counted, which wakes the operator twice a second: %v", series.GetLabel())
	}
}
