package plan_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/kube/plan"
)

func site(edit func(*v1alpha1.DomainSpec)) *v1alpha1.Domain {
	d := &v1alpha1.Domain{ObjectMeta: metav1.ObjectMeta{Name: "a.example"}}
	d.Spec = v1alpha1.DomainSpec{
		DomainName: "a.example", Timezone: "UTC",
		Workload:  v1alpha1.WorkloadSpec{Type: "php", Version: "8.4"},
		Resources: v1alpha1.ResourcesSpec{Storage: "1Gi", Limits: v1alpha1.LimitsSpec{CPU: "500m", Memory: "256Mi"}},
	}
	edit(&d.Spec)
	return d
}

// compute plans a change of a site of which everything is there.
func compute(t *testing.T, was, wanted *v1alpha1.Domain) *hosting.Plan {
	t.Helper()
	data, err := os.ReadFile("../../../api/platform/testdata/platform.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f := plan.Facts{Was: was, Wanted: wanted, Exists: map[plan.Name]bool{}}
	if f.Settings, err = platform.Parse(data); err != nil {
		t.Fatal(err)
	}
	for _, n := range plan.Names(f) {
		f.Exists[n] = true
	}
	p, err := plan.Compute(f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The platform refuses what the API server takes; the plan says so and lists
// nothing that would not happen.
func TestWhatTheOperatorRefusesIsRefused(t *testing.T) {
	tests := map[string]struct {
		edit func(*v1alpha1.DomainSpec)
		want string
	}{
		"unknown version":   {func(s *v1alpha1.DomainSpec) { s.Workload.Version = "5.3" }, "5.3"},
		"unknown time zone": {func(s *v1alpha1.DomainSpec) { s.Timezone = "Europe/Atlantis" }, "Europe/Atlantis"},
		"too little memory": {func(s *v1alpha1.DomainSpec) { s.Resources.Limits.Memory = "20Mi" }, "memory"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := compute(t, site(func(*v1alpha1.DomainSpec) {}), site(tt.edit))
			if len(p.Refused) != 1 || !strings.Contains(p.Refused[0].Message, tt.want) || len(p.Objects) > 0 {
				t.Errorf("refused = %v with %d objects, want one sentence about %s", p.Refused, len(p.Objects), tt.want)
			}
		})
	}
}

// The way out of a spec that the operator refuses can be planned, as far as it is known.
func TestARefusedSpecIsNoHindrance(t *testing.T) {
	p := compute(t, site(func(s *v1alpha1.DomainSpec) { s.Resources.Limits.Memory = "20Mi" }), site(func(*v1alpha1.DomainSpec) {}))
	if len(p.Refused) > 0 || len(p.Warnings) != 1 || len(p.Spec) != 1 {
		t.Errorf("refused %v, warnings %v, spec %v; want one warning and one change", p.Refused, p.Warnings, p.Spec)
	}
	if len(p.Effects) > 0 || !strings.Contains(p.Downtime.Basis, "can't be told") {
		t.Errorf("effects %v, %q: what serves now is not known", p.Effects, p.Downtime.Basis)
	}
}

// A plan may be printed by a pipeline for everybody to read.
func TestPlanShowsNoSecret(t *testing.T) {
	const secret = "hunter2"
	env := func(value string) func(*v1alpha1.DomainSpec) {
		return func(s *v1alpha1.DomainSpec) { s.Workload.Env = []v1alpha1.EnvVar{{Name: "KEY", Value: value}} }
	}
	none := func(*v1alpha1.DomainSpec) {}
	for name, pair := range map[string][2]*v1alpha1.Domain{
		"added":   {site(none), site(env(secret))},
		"changed": {site(env("old-" + secret)), site(env(secret))},
		"removed": {site(env(secret)), site(none)},
		"created": {nil, site(env(secret))},
		"deleted": {site(env(secret)), nil},
	} {
		text, err := json.Marshal(compute(t, pair[0], pair[1]))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), secret) {
			t.Errorf("%s: the value of a variable stands in the plan: %s", name, text)
		}
		if pair[0] != nil && pair[1] != nil && !strings.Contains(string(text), "hidden") {
			t.Errorf("%s: the plan does not tell that a variable changes: %s", name, text)
		}
	}
}

func TestDiff(t *testing.T) {
	type object = map[string]any
	list := func(names ...string) []any {
		var all []any
		for _, n := range names {
			all = append(all, object{"name": n, "x": n})
		}
		return all
	}
	tests := map[string]struct {
		before, after object
		want          []string
	}{
		"equal":            {object{"a": 1.0}, object{"a": 1.0}, nil},
		"scalar":           {object{"a": 1.0}, object{"a": 2.0}, []string{"a"}},
		"set and unset":    {object{"a": 1.0}, object{"b": 1.0}, []string{"a", "b"}},
		"name of a file":   {object{"data": object{"x.conf": "a"}}, object{"data": object{"x.conf": "b"}}, []string{"data[x.conf]"}},
		"item added":       {object{"l": list("a")}, object{"l": list("a", "b")}, []string{"l[b]"}},
		"item changed":     {object{"l": list("a")}, object{"l": []any{object{"name": "a", "x": "y"}}}, []string{"l[a].x"}},
		"order":            {object{"l": list("a", "b", "c")}, object{"l": list("b", "a", "d")}, []string{"l[c]", "l[d]", "l"}},
		"list of words":    {object{"l": []any{"a", "b"}}, object{"l": []any{"b"}}, []string{"l"}},
		"two of one name":  {object{"l": list("a")}, object{"l": list("a", "a")}, []string{"l"}},
		"another kind":     {object{"a": object{"b": 1.0}}, object{"a": "b"}, []string{"a"}},
		"list of nothing":  {object{"l": []any{}}, object{"l": list("a")}, []string{"l[a]"}},
		"mounts by folder": {object{"m": []any{object{"name": "v", "mountPath": "/a"}}}, object{"m": []any{object{"name": "v", "mountPath": "/b"}}}, []string{"m[/a]", "m[/b]"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range plan.Diff(tt.before, tt.after) {
				got = append(got, f.Path)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Diff(%v, %v) = %v, want %v", tt.before, tt.after, got, tt.want)
			}
		})
	}
}

// Whatever two objects are like, equal ones have no difference, and others have one.
func FuzzDiff(f *testing.F) {
	f.Add([]byte(`{"a":[{"name":"x"},{"name":"y"}]}`), []byte(`{"a":[{"name":"y"}]}`))
	f.Add([]byte(`{"env":[{"name":"x","value":"1"}]}`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, before, after []byte) {
		var b, a map[string]any
		if json.Unmarshal(before, &b) != nil || json.Unmarshal(after, &a) != nil || b == nil || a == nil {
			t.Skip("no objects")
		}
		if bytes.Contains(before, []byte("null")) || bytes.Contains(after, []byte("null")) {
			t.Skip("null is the same as not set")
		}
		same := reflect.DeepEqual(a, b)
		if got := plan.Diff(b, a); same != (len(got) == 0) {
			t.Errorf("Diff(%s, %s) = %v", before, after, got)
		}
	})
}
