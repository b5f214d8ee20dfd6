package hosting_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// request is one that nothing is wrong with.
func request(name string) hosting.NewSite {
	return hosting.NewSite{Name: name, Storage: "5Gi", CPU: "1", Memory: "512Mi"}
}

func TestCreateSiteAsksForWhatWasAskedFor(t *testing.T) {
	f := newFake(t)
	req := hosting.NewSite{
		Env:  []string{"TOKEN=a=b", "DEBUG=1"},
		Name: "Müller.example", Title: "Müller & Söhne", Aliases: []string{"www.mueller.example", "ПРИМЕР.рф"}, PHP: "8.2",
		Storage: "1Ti", CPU: "1.5", Memory: "1.5Gi", Redis: true,
		WordPress: &hosting.NewWordPress{AdminUser: "greta", AdminEmail: "greta@mueller.example", Locale: "de_DE"},
	}
	d, err := f.panel().CreateSite(t.Context(), req, false)
	if err != nil {
		t.Fatal(err)
	}
	want := v1alpha1.DomainSpec{
		DomainName: "xn--mller-kva.example", Title: "Müller & Söhne",
		Aliases:   []v1alpha1.DomainAlias{{Name: "www.mueller.example"}, {Name: "xn--e1afmkfd.xn--p1ai"}},
		Workload:  v1alpha1.WorkloadSpec{Type: "php", Version: "8.2", Port: 9000, ProxyMode: "fastcgi", Env: []v1alpha1.EnvVar{{Name: "DEBUG", Value: "1"}, {Name: "TOKEN", Value: "a=b"}}},
		WordPress: v1alpha1.WordPressSpec{Preinstall: true, AdminUser: "greta", AdminEmail: "greta@mueller.example", Locale: "de_DE"},
		Resources: v1alpha1.ResourcesSpec{
			Storage:  "1024Gi",
			Requests: v1alpha1.RequestsSpec{CPU: "50m", Memory: "128Mi"},
			Limits:   v1alpha1.LimitsSpec{CPU: "1500m", Memory: "1536Mi"},
		},
		Redis: v1alpha1.RedisSpec{Enabled: true},
	}
	if got := mustYAML(t, d.Spec); got != mustYAML(t, want) {
		t.Errorf("CreateSite made\n%s\nwant\n%s", got, mustYAML(t, want))
	}
	if d.Name != "xn--mller-kva.example" {
		t.Errorf("object name = %q, want the domain's name: the API server keeps it unique", d.Name)
	}
}

func TestCreateSiteTakesTheCataloguesDefault(t *testing.T) {
	d, err := newFake(t).panel().CreateSite(t.Context(), request("shop.example"), false)
	if err != nil {
		t.Fatal(err)
	}
	if w := d.Spec.Workload; w.Version != "8.4" || w.Image != "" {
		t.Errorf("workload = %+v, want the default version with its image", w)
	}
}

func TestCreateSiteRefusesAndCreatesNothing(t *testing.T) {
	leaving := site("old.example", "old.example")
	leaving.DeletionTimestamp = new(metav1.Now())
	sites := []v1alpha1.Domain{
		site("taken.example", "taken.example", "alias.example", "xn--mller-kva.example"),
		site("renamed", "object.example"),
		site("foreign.example", "other.example"),
		site("www.solo.example", "www.solo.example"), leaving,
	}
	tests := map[string]struct {
		change func(*hosting.NewSite)
		code   hosting.Code
		want   []string
	}{
		"bad name":             {func(r *hosting.NewSite) { r.Name = "shop" }, hosting.Invalid, []string{"bare top-level"}},
		"name of two scripts":  {func(r *hosting.NewSite) { r.Name = "pаypal.example" }, hosting.Invalid, []string{"mixes Latin and Cyrillic letters"}},
		"alias of two scripts": {func(r *hosting.NewSite) { r.Aliases = []string{"xn--pypal-4ve.example"} }, hosting.Invalid, []string{"mixes Latin and Cyrillic letters"}},
		"every fault":          {func(r *hosting.NewSite) { r.Name, r.Storage, r.CPU, r.Memory = "x_y.z", "5G", "much", "1" }, hosting.Invalid, []string{"underscore", "5Gi", "500m", "512Mi"}},
		"unknown PHP":          {func(r *hosting.NewSite) { r.PHP = "5.6" }, hosting.Invalid, []string{`no PHP "5.6"; it has 7.4, 8.2, 8.4`}},
		"PHP without image":    {func(r *hosting.NewSite) { r.PHP = "8.3" }, hosting.Invalid, []string{"PHP 8.3 has no image", "8.2, 8.4"}},
		"taken":                {func(r *hosting.NewSite) { r.Name = "TAKEN.example" }, hosting.Conflict, []string{"taken.example is taken", "site show taken.example"}},
		"taken as alias":       {func(r *hosting.NewSite) { r.Name = "müller.example" }, hosting.Conflict, []string{"müller.example (xn--mller-kva.example) is taken", "belongs to the site taken.example"}},
		"alias is a site":      {func(r *hosting.NewSite) { r.Aliases = []string{"object.example"} }, hosting.Conflict, []string{"object.example is taken"}},
		"alias is an alias":    {func(r *hosting.NewSite) { r.Aliases = []string{"alias.example"} }, hosting.Conflict, []string{"belongs to the site taken.example"}},
		"www form of a site": {func(r *hosting.NewSite) { r.Name = "www.taken.example" }, hosting.Conflict,
			[]string{"www.taken.example is taken", "belongs to the site taken.example"}},
		"own www form is a site":   {func(r *hosting.NewSite) { r.Name = "solo.example" }, hosting.Conflict, []string{"www.solo.example is taken"}},
		"object of another":        {func(r *hosting.NewSite) { r.Name = "foreign.example" }, hosting.Conflict, []string{"belongs to the site other.example"}},
		"being deleted":            {func(r *hosting.NewSite) { r.Name = "old.example" }, hosting.Conflict, []string{"until the site old.example is deleted", "--for deleted"}},
		"alias twice":              {func(r *hosting.NewSite) { r.Aliases = []string{"a.example", "A.example"} }, hosting.Invalid, []string{"named twice"}},
		"alias of itself":          {func(r *hosting.NewSite) { r.Aliases = []string{"new.example."} }, hosting.Invalid, []string{"own name"}},
		"too many aliases":         {func(r *hosting.NewSite) { r.Aliases = make([]string, 101) }, hosting.Invalid, []string{"101 aliases"}},
		"bad alias":                {func(r *hosting.NewSite) { r.Aliases = []string{"10.0.0.1"} }, hosting.Invalid, []string{"IP address"}},
		"WordPress, no database":   {func(r *hosting.NewSite) { r.NoDatabase, r.WordPress = true, &hosting.NewWordPress{} }, hosting.Invalid, []string{"needs a database"}},
		"WordPress, bad admin":     {func(r *hosting.NewSite) { r.WordPress = &hosting.NewWordPress{AdminUser: "a'; DROP"} }, hosting.Invalid, []string{"administrator's name"}},
		"WordPress, bad mail":      {func(r *hosting.NewSite) { r.WordPress = &hosting.NewWordPress{AdminEmail: "Greta <g@x.de>"} }, hosting.Invalid, []string{"mail address"}},
		"WordPress, bad locale":    {func(r *hosting.NewSite) { r.WordPress = &hosting.NewWordPress{Locale: "../de"} }, hosting.Invalid, []string{"locale"}},
		"variables for no one":     {func(r *hosting.NewSite) { r.Runtime, r.Env = "static", []string{"A=1"} }, hosting.Invalid, []string{"without a shell has no program that variables could be for"}},
		"title with a line break":  {func(r *hosting.NewSite) { r.Title = "a\nb" }, hosting.Invalid, []string{"one line"}},
		"title too long":           {func(r *hosting.NewSite) { r.Title = strings.Repeat("ü", 256) }, hosting.Invalid, []string{"at most 255"}},
		"title that is not UTF-8":  {func(r *hosting.NewSite) { r.Title = "\xff" }, hosting.Invalid, []string{"one line"}},
		"a variable with a NUL":    {func(r *hosting.NewSite) { r.Env = []string{"A=1", "B=hunter\x00"} }, hosting.Invalid, []string{"Line 2 is no variable"}},
		"a variable of no UTF-8":   {func(r *hosting.NewSite) { r.Env = []string{"B=hunter\xff"} }, hosting.Invalid, []string{"Line 1 is no variable"}},
		"a variable without name":  {func(r *hosting.NewSite) { r.Env = []string{"hunter"} }, hosting.Invalid, []string{"Line 1 is no variable"}},
		"a name of 256 letters":    {func(r *hosting.NewSite) { r.Env = []string{strings.Repeat("A", 256) + "=1"} }, hosting.Invalid, []string{"Line 1 is no variable"}},
		"a value that is too long": {func(r *hosting.NewSite) { r.Env = []string{"A=" + strings.Repeat("x", 32769)} }, hosting.Invalid, []string{"The value of A is too long"}},
		"too many variables":       {func(r *hosting.NewSite) { r.Env = manyVariables(101) }, hosting.Invalid, []string{"101 variables are too many"}},
		"memory too small to work": {func(r *hosting.NewSite) { r.Memory = "16Mi" }, hosting.Invalid, []string{"at least 128Mi"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, sites...)
			f.settings.Runtimes["php"].Versions["8.3"] = platform.Version{}
			req := request("new.example")
			tt.change(&req)
			_, err := f.panel().CreateSite(t.Context(), req, false)
			if hosting.CodeOf(err) != tt.code {
				t.Fatalf("CreateSite = %v, want code %s", err, tt.code)
			}
			if strings.Contains(err.Error(), "hunter") {
				t.Errorf("CreateSite = %q, which shows what may be a secret", err)
			}
			for _, want := range tt.want {
				if text := err.Error(); !strings.Contains(text, want) {
					t.Errorf("CreateSite = %q, want it to say %q", text, want)
				}
			}
			if f.writes != 0 {
				t.Errorf("%d objects were written, want none", f.writes)
			}
		})
	}
}

func manyVariables(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("V%d=1", i)
	}
	return lines
}

func TestDryRunCreatesNothing(t *testing.T) {
	f := newFake(t)
	if _, err := f.panel().CreateSite(t.Context(), request("new.example"), true); err != nil || f.writes != 0 {
		t.Errorf("CreateSite(dry run) = %v with %d writes, want none of both", err, f.writes)
	}
}

func TestSiteIsFoundByItsNameUnderAnyObject(t *testing.T) {
	f := newFake(t, site("by-hand", "müller.example"), site("shop.example", "shop.example", "alias.example"))
	f.domains[0].Spec.DomainName = "xn--mller-kva.example"
	for input, want := range map[string]string{"MÜLLER.example": "by-hand", "shop.example": "shop.example"} {
		if d, err := f.panel().Site(t.Context(), input); err != nil || d.Name != want {
			t.Errorf("Site(%q) = %v, %v, want object %s", input, d, err, want)
		}
	}
	_, err := f.panel().Site(t.Context(), "alias.example")
	if e, ok := errors.AsType[*hosting.Error](err); !ok || e.Code != hosting.NotFound || !strings.Contains(e.Mend, "alias of the site shop.example") {
		t.Errorf("Site(alias.example) = %v, want it to name the site of the alias", err)
	}
	if _, err := f.panel().Site(t.Context(), "-"); hosting.CodeOf(err) != hosting.Invalid {
		t.Errorf("Site(-) = %v, want Invalid", err)
	}
}
