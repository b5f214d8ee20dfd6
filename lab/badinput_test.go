package lab

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// TestBadInputIsRefusedAtOnce: one clear sentence, and nothing was created.
func TestBadInputIsRefusedAtOnce(t *testing.T) {
	c := openCluster(t)
	taken := c.newSite(t, "taken.localhost", "--storage", "2Gi")
	tests := map[string]struct {
		args  []string
		names string // what the sentence must name
	}{
		"capital letters and spaces": {[]string{"site", "create", "Not A Name.localhost"}, "Not A Name"},
		"one label":                  {[]string{"site", "create", "blog"}, "blog"},
		"hyphen last":                {[]string{"site", "create", "blog-.localhost"}, "blog-.localhost"},
		"an address":                 {[]string{"site", "create", "192.0.2.1"}, "192.0.2.1"},
		"shell in a name":            {[]string{"site", "create", "$(reboot).localhost"}, "$(reboot)"},
		"label of 64 characters":     {[]string{"site", "create", strings.Repeat("a", 64) + ".localhost"}, "63"},
		"name of 254 characters":     {[]string{"site", "create", strings.Repeat("abc.", 63) + "ab"}, "at most 253"},
		"from both sides at once":    {[]string{"site", "create", "متجر1a.localhost"}, "متجر1a.localhost"},
		"negative storage":           {[]string{"site", "create", "bad.localhost", "--storage", "-5Gi"}, "-5Gi"},
		"memory that nobody has":     {[]string{"site", "set", taken.name, "--memory", "99999999999999999999Gi"}, "write it like 512Mi"},
		"no name":                    {[]string{"site", "create", ""}, "needs a name"},
		"unknown PHP":                {[]string{"site", "create", "bad.localhost", "--php", "5.2"}, "5.2"},
		"taken name":                 {[]string{"site", "create", taken.name}, taken.name},
		"taken alias":                {[]string{"site", "create", "bad.localhost", "--alias", taken.name}, taken.name},
		"no size":                    {[]string{"site", "create", "bad.localhost", "--storage", "much"}, "much"},
		"shrinking storage":          {[]string{"site", "set", taken.name, "--storage", "1Gi"}, "1Gi"},
		"unknown PHP of a site":      {[]string{"site", "set", taken.name, "--php", "5.2"}, "5.2"},
		"no such site":               {[]string{"site", "show", "nobody.localhost"}, "nobody.localhost"},
		"unknown output":             {[]string{"site", "list", "--output", "xml"}, "xml"},
	}
	c.calm(t) // what earlier tests left goes on its own
	before := c.everything(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c.kubepanel(t, tt.args...).refused(t, tt.names)
		})
	}
	if after := c.everything(t); !slices.Equal(before, after) {
		t.Errorf("something was made or changed:\nbefore %v\nafter  %v", before, after)
	}
}

// everything lists Domains with their generation, and namespaces: what bad input
// could have made or changed.
func (c *cluster) everything(t testing.TB) []string {
	t.Helper()
	var domains v1alpha1.DomainList
	if err := c.List(t.Context(), &domains); err != nil {
		t.Fatal(err)
	}
	var namespaces corev1.NamespaceList
	if err := c.List(t.Context(), &namespaces); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, d := range domains.Items {
		list = append(list, fmt.Sprintf("%s@%d", d.Name, d.Generation))
	}
	for _, n := range namespaces.Items {
		list = append(list, n.Name)
	}
	slices.Sort(list)
	return list
}

// TestSecondDomainOfANameGetsNothing goes past the CLI, straight to the API.
func TestSecondDomainOfANameGetsNothing(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	first := c.newSite(t, "first.localhost")
	second := c.expectSite(t, "second-of-first")
	d := first.state(t).DeepCopy()
	copied := &v1alpha1.Domain{Spec: d.Spec}
	copied.Name = second.name
	if err := c.Create(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	stalled := second.becomes(t, v1alpha1.ConditionStalled, "True", settleLimit)
	if stalled.Reason != v1alpha1.ReasonNameTaken || !strings.Contains(stalled.Message, first.name) {
		t.Errorf("Stalled = %s: %s, want %s naming %s", stalled.Reason, stalled.Message, v1alpha1.ReasonNameTaken, first.name)
	}
	// Deleting the loser must not take the winner's things.
	if err := second.remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if first.state(t).Status.Phase != v1alpha1.DomainReady {
		t.Errorf("the first is %s", summary(first.state(t)))
	}
	first.pod(t)
}

// TestMissingImageIsNamed: nobody can know beforehand whether an image can be
// pulled, so a condition says it, and mending the spec mends the site.
func TestMissingImageIsNamed(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "imageless.localhost")
	const missing = "missing.invalid/php:0"
	s.change(t, func(d *v1alpha1.Domain) { d.Spec.Workload.Image = missing })
	eventually(t, "a condition names the image", settleLimit, s.complains(v1alpha1.ConditionDeploymentReady, missing))
	s.becomes(t, v1alpha1.ConditionReady, "False", settleLimit)
	s.change(t, func(d *v1alpha1.Domain) { d.Spec.Workload.Image = "" })
	s.becomes(t, v1alpha1.ConditionReady, "True", settleLimit)
}
