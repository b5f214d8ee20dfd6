package hosting_test

import (
	"errors"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

func TestAspectsOfASite(t *testing.T) {
	mail := &v1alpha1.AliasEmailSpec{Enabled: true}
	tests := map[string]struct {
		change hosting.SiteAspects
		want   func(*v1alpha1.DomainSpec)
	}{
		"title": {hosting.SiteAspects{Title: new(" The shop ")}, func(s *v1alpha1.DomainSpec) { s.Title = "The shop" }},
		"aliases": {hosting.SiteAspects{Aliases: &[]string{"", "Müller.example", "kept.example"}}, func(s *v1alpha1.DomainSpec) {
			s.Aliases = []v1alpha1.DomainAlias{{Name: "xn--mller-kva.example"}, {Name: "kept.example", Email: mail}}
		}},
		"an alias from before the rule of one script": {hosting.SiteAspects{Aliases: &[]string{"xn--pypal-4ve.example", "new.example"}}, func(s *v1alpha1.DomainSpec) {
			s.Aliases = []v1alpha1.DomainAlias{{Name: "xn--pypal-4ve.example"}, {Name: "new.example"}}
		}},
		"no alias":      {hosting.SiteAspects{Aliases: &[]string{""}}, func(s *v1alpha1.DomainSpec) { s.Aliases = nil }},
		"configuration": {hosting.SiteAspects{WebserverConfig: new("a on;\r\nb off;\r\n")}, func(s *v1alpha1.DomainSpec) { s.Webserver.CustomConfig = "a on;\nb off;" }},
		"resources": {hosting.SiteAspects{CPU: new("2"), Memory: new("1Gi")}, func(s *v1alpha1.DomainSpec) {
			s.Resources.Limits = v1alpha1.LimitsSpec{CPU: "2000m", Memory: "1024Mi"}
			s.Resources.Requests = v1alpha1.RequestsSpec{CPU: "50m", Memory: "128Mi"}
		}},
		"variables": {hosting.SiteAspects{Env: []string{"B=2=3", "", " A = x ", "GONE="}}, func(s *v1alpha1.DomainSpec) {
			s.Workload.Env = []v1alpha1.EnvVar{{Name: "A", Value: " x "}, {Name: "B", Value: "2=3"}}
		}},
		"keys and shell": {hosting.SiteAspects{AuthorizedKeys: &[]string{"ssh-ed25519 AAAA me", " "}, Shell: new(true)}, func(s *v1alpha1.DomainSpec) {
			s.SFTP.AuthorizedKeys, s.SFTP.Type = []string{"ssh-ed25519 AAAA me"}, v1alpha1.SFTPGit
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, site("shop.example", "shop.example"))
			f.domains[0].Spec.Aliases = []v1alpha1.DomainAlias{{Name: "kept.example", Email: mail}, {Name: "xn--pypal-4ve.example"}}
			f.domains[0].Spec.Workload.Env = []v1alpha1.EnvVar{{Name: "B", Value: "1"}, {Name: "GONE", Value: "x"}}
			want := f.domains[0].DeepCopy()
			tt.want(&want.Spec)
			d, _, err := f.panel().ChangeSite(t.Context(), "shop.example", hosting.SiteChange{SiteAspects: tt.change}, false)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := mustYAML(t, d.Spec), mustYAML(t, want.Spec); got != want {
				t.Errorf("ChangeSite made\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestAspectsThatCantBe(t *testing.T) {
	tests := map[string]struct {
		change      hosting.SiteAspects
		field, says string
	}{
		"own name as alias":    {hosting.SiteAspects{Aliases: &[]string{"shop.example"}}, "alias", "the site's own name"},
		"alias of two scripts": {hosting.SiteAspects{Aliases: &[]string{"pаypal.example"}}, "alias", "Latin and Cyrillic"},
		"alias twice":          {hosting.SiteAspects{Aliases: &[]string{"a.example", "A.example"}}, "alias", "named twice"},
		"title of lines":       {hosting.SiteAspects{Title: new("a\nb")}, "title", "one line"},
		"no variable":          {hosting.SiteAspects{Env: []string{"A=b", "hunter2"}}, "env", "ine 2 is no variable"},
		"no processor":         {hosting.SiteAspects{CPU: new("fast")}, "cpu", "is not an amount"},
		"too little memory":    {hosting.SiteAspects{Memory: new("1Mi")}, "memory", "too little"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, site("shop.example", "shop.example"))
			_, _, err := f.panel().ChangeSite(t.Context(), "shop.example", hosting.SiteChange{SiteAspects: tt.change}, false)
			e, ok := errors.AsType[*hosting.Error](err)
			if !ok || len(e.Fields) != 1 || e.Fields[0].Name != tt.field || !strings.Contains(e.Fields[0].Message, tt.says) || f.writes != 0 {
				t.Errorf("ChangeSite = %v with %d writes, want a fault of %s that says %q", err, f.writes, tt.field, tt.says)
			}
		})
	}
}
