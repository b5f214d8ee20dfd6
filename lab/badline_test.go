package lab

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// TestABadLineLeavesTheSiteAnswering: nginx and PHP tell their own words, visitors
// notice nothing, and a site that starts with the line in it serves without it.
func TestABadLineLeavesTheSiteAnswering(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "typo.localhost")
	s.deposit(t, map[string]string{"probe.php": probePage})
	v := c.newVisitor(t, "127.0.0.43")
	steady := c.newVisitor(t, "127.0.0.44").steadily(t, s.url()+"/probe.php", "zone=")
	tests := map[string]struct {
		bad, good func(*v1alpha1.DomainSpec)
		words     []string
		path      string
		want      string
	}{
		"nginx": {
			bad:   func(s *v1alpha1.DomainSpec) { s.Webserver.CustomConfig = "gzip on;\nnonsense on;" },
			good:  func(s *v1alpha1.DomainSpec) { s.Webserver.CustomConfig = "location = /own { return 200 mended; }" },
			words: []string{`unknown directive "nonsense" in custom.conf:2`, "spec.webserver.customConfig"},
			path:  "/own", want: "mended",
		},
		"php": {
			bad:   func(s *v1alpha1.DomainSpec) { s.Workload.CustomConfig = "user_agent = half\n[foo\n" },
			good:  func(s *v1alpha1.DomainSpec) { s.Workload.CustomConfig = "user_agent = mended\n" },
			words: []string{"syntax error", "zzz-custom.ini on line 2", "spec.workload.customConfig"},
			path:  "/probe.php", want: "user_agent=mended\n",
		},
	}
	for _, name := range []string{"nginx", "php"} {
		tt := tests[name]
		before := identities(s.pods(t))
		steady.report()
		s.change(t, func(d *v1alpha1.Domain) { tt.bad(&d.Spec) })
		s.refuses(t, tt.words)
		s.change(t, func(d *v1alpha1.Domain) { tt.good(&d.Spec) })
		s.becomes(t, v1alpha1.ConditionReady, "True", settleLimit)
		if got := v.must(t, s.url()+tt.path).body; !strings.Contains(got, tt.want) {
			t.Errorf("%s: the mended site says %.300q, want %q", name, got, tt.want)
		}
		if met := steady.report(); len(met.failed) > 0 || met.asked == 0 {
			t.Errorf("%s: a visitor noticed: %s", name, met)
		}
		if after := identities(s.pods(t)); fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("%s: pods %v became %v", name, before, after)
		}
	}
	s.change(t, func(d *v1alpha1.Domain) { tests["nginx"].bad(&d.Spec); tests["php"].bad(&d.Spec) })
	c.kubepanel(t, "site", "restart", s.name).must(t)
	eventually(t, "another pod serves", settleLimit, func(ctx context.Context) error {
		d, err := s.domain(ctx)
		if err == nil && d.Status.RestartedAt != d.Annotations[v1alpha1.AnnotationRestartedAt] {
			err = errors.New(summary(d))
		}
		return err
	})
	s.becomes(t, v1alpha1.ConditionDeploymentReady, "True", settleLimit)
	if got := v.must(t, s.url()+"/probe.php").body; !strings.Contains(got, "user_agent=\n") {
		t.Errorf("a pod that starts with a bad line says %.300q, want it to serve without the customer's part", got)
	}
	for _, tt := range tests {
		s.refuses(t, tt.words)
	}
}

// refuses waits until the condition has the words of the program that refuses.
func (s site) refuses(t testing.TB, words []string) {
	t.Helper()
	eventually(t, "the configuration is refused", settleLimit, func(context.Context) error {
		told := s.becomes(t, v1alpha1.ConditionConfigMapReady, "False", settleLimit)
		if told.Reason != "ConfigRefused" {
			return fmt.Errorf("it is %s: %s", told.Reason, told.Message)
		}
		for _, word := range words {
			if !strings.Contains(told.Message, word) {
				return fmt.Errorf("the message lacks %q: %s", word, told.Message)
			}
		}
		return nil
	})
}
