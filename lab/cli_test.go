package lab

import (
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// TestCommandsAnswerPeopleAndScripts goes through the verbs that only read.
func TestCommandsAnswerPeopleAndScripts(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "spoken.localhost", "--php", "8.2")

	t.Run("list names the site", func(t *testing.T) {
		table := c.kubepanel(t, "site", "list").must(t)
		if !strings.Contains(table, s.name) {
			t.Errorf("site list:\n%s", table)
		}
	})
	t.Run("list as JSON", func(t *testing.T) {
		var list v1alpha1.DomainList
		c.kubepanel(t, "site", "list", "--output", "json").decode(t, &list)
		if !slices.ContainsFunc(list.Items, func(d v1alpha1.Domain) bool { return d.Spec.DomainName == s.name }) {
			t.Errorf("%d sites, and %s is not among them", len(list.Items), s.name)
		}
	})
	t.Run("show tells address and state", func(t *testing.T) {
		text := c.kubepanel(t, "site", "show", s.name).must(t)
		for _, want := range []string{s.url(), "8.2"} {
			if !strings.Contains(text, want) {
				t.Errorf("site show does not name %s:\n%s", want, text)
			}
		}
	})
	t.Run("show as YAML can be applied", func(t *testing.T) {
		var d v1alpha1.Domain
		if err := yaml.Unmarshal([]byte(c.kubepanel(t, "site", "show", s.name, "-o", "yaml").must(t)), &d); err != nil {
			t.Fatal(err)
		}
		if d.Kind != "Domain" || d.Spec.DomainName != s.name || d.Spec.Workload.Version != "8.2" {
			t.Errorf("site show -o yaml = kind %q, domainName %q, version %q", d.Kind, d.Spec.DomainName, d.Spec.Workload.Version)
		}
	})
	t.Run("no secret is shown unasked", func(t *testing.T) {
		password := s.secret(t, "sftp-credentials")["password"]
		for _, format := range []string{"table", "json", "yaml"} {
			args := []string{"site", "show", s.name}
			if format != "table" {
				args = append(args, "-o", format)
			}
			if a := c.kubepanel(t, args...); strings.Contains(a.must(t)+a.stderr, password) {
				t.Errorf("site show as %s prints the SFTP password", format)
			}
		}
	})
	t.Run("completion", func(t *testing.T) {
		for _, shell := range []string{"bash", "zsh", "fish"} {
			if script := c.kubepanel(t, "completion", shell).must(t); !strings.Contains(script, "kubepanel") {
				t.Errorf("completion %s prints %.100q", shell, script)
			}
		}
		if names := c.kubepanel(t, "__complete", "site", "show", "spo").must(t); !strings.Contains(names, s.name) {
			t.Errorf("'site show spo<Tab>' offers %q", names)
		}
	})
}

// TestDryRunMakesNothing prints what would be made, in a form that can be applied.
func TestDryRunMakesNothing(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.expectSite(t, "unmade.localhost")
	out := c.kubepanel(t, "site", "create", s.name, "--wordpress", "--dry-run", "-o", "yaml").must(t)
	for _, want := range []string{"kind: Domain", s.name} {
		if !strings.Contains(out, want) {
			t.Errorf("the dry run does not print %q:\n%.1000s", want, out)
		}
	}
	if list := c.kubepanel(t, "site", "list").must(t); strings.Contains(list, s.name) {
		t.Errorf("the dry run made a site:\n%s", list)
	}
}

// TestDeleteAsksFirst: a script that forgot --yes deletes nothing.
func TestDeleteAsksFirst(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "precious.localhost")
	c.kubepanel(t, "site", "delete", s.name).refused(t, "--yes")
	if d := s.state(t); d.DeletionTimestamp != nil {
		t.Errorf("the site is being deleted: %s", summary(d))
	}
}
