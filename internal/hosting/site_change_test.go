package hosting_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

func mustYAML(t *testing.T, v any) string {
	t.Helper()
	data, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestChangeSite(t *testing.T) {
	tests := map[string]struct {
		change  hosting.SiteChange
		prepare func(*v1alpha1.Domain)
		want    func(*v1alpha1.Domain)
		same    bool
	}{
		"another PHP": {change: hosting.SiteChange{PHP: new("8.2")},
			want: func(d *v1alpha1.Domain) {
				d.Spec.Workload.Version = "8.2"
			}},
		"same PHP, and no longer an image of its own": {change: hosting.SiteChange{PHP: new("8.4")},
			prepare: func(d *v1alpha1.Domain) { d.Spec.Workload.Image = "kubepanel.io/php:8.4-old" },
			want:    func(d *v1alpha1.Domain) { d.Spec.Workload.Image = "" }},
		"same PHP": {change: hosting.SiteChange{PHP: new("8.4")}, same: true},
		"another version of its runtime": {change: hosting.SiteChange{Runtime: new("php:7.4")},
			want: func(d *v1alpha1.Domain) {
				d.Spec.Workload.Version = "7.4"
			}},
		"settings": {change: hosting.SiteChange{Settings: []string{"memoryLimit=99M", "postMaxSize="}},
			prepare: func(d *v1alpha1.Domain) { d.Spec.Workload.Settings = map[string]v1alpha1.Setting{"postMaxSize": "8M"} },
			want:    func(d *v1alpha1.Domain) { d.Spec.Workload.Settings = map[string]v1alpha1.Setting{"memoryLimit": "99M"} }},
		"a command": {change: hosting.SiteChange{SiteAspects: hosting.SiteAspects{Command: &[]string{"node", " a b ", ""}, Args: &[]string{"--x"}}},
			want: func(d *v1alpha1.Domain) {
				d.Spec.Workload.Command, d.Spec.Workload.Args = []string{"node", " a b "}, []string{"--x"}
			}},
		"the image's own command again": {change: hosting.SiteChange{SiteAspects: hosting.SiteAspects{Command: &[]string{""}}},
			prepare: func(d *v1alpha1.Domain) { d.Spec.Workload.Command = []string{"node"} },
			want:    func(d *v1alpha1.Domain) { d.Spec.Workload.Command = []string{} }},
		"a port and a way of its own": {change: hosting.SiteChange{SiteAspects: hosting.SiteAspects{Port: new(" 3000 "), ProxyMode: new("uwsgi")}},
			prepare: isPython,
			want:    func(d *v1alpha1.Domain) { d.Spec.Workload.Port, d.Spec.Workload.ProxyMode = 3000, v1alpha1.ProxyUWSGI }},
		"a way that only its own command speaks": {change: hosting.SiteChange{SiteAspects: hosting.SiteAspects{Command: &[]string{"uwsgi"}, ProxyMode: new("uwsgi")}},
			prepare: isNode,
			want: func(d *v1alpha1.Domain) {
				d.Spec.Workload.Command, d.Spec.Workload.ProxyMode = []string{"uwsgi"}, v1alpha1.ProxyUWSGI
			}},
		"the catalogue's port and way again": {change: hosting.SiteChange{SiteAspects: hosting.SiteAspects{Port: new(""), ProxyMode: new("")}},
			prepare: func(d *v1alpha1.Domain) {
				isPython(d)
				d.Spec.Workload.Port, d.Spec.Workload.ProxyMode = 3000, v1alpha1.ProxyUWSGI
			},
			want: func(d *v1alpha1.Domain) { d.Spec.Workload.Port, d.Spec.Workload.ProxyMode = 8000, v1alpha1.ProxyHTTP }},
		"the catalogue's way that kubectl asked for stays": {change: hosting.SiteChange{SiteAspects: hosting.SiteAspects{ProxyMode: new("")}}, same: true,
			prepare: func(d *v1alpha1.Domain) { isPython(d); d.Spec.Workload.ProxyMode = v1alpha1.ProxyFastCGI }},
		"no port for PHP is none to take away": {change: hosting.SiteChange{SiteAspects: hosting.SiteAspects{Port: new(""), ProxyMode: new("")}}, same: true},
		"another version ends an image and what that listened on": {change: hosting.SiteChange{Runtime: new("python")},
			prepare: func(d *v1alpha1.Domain) {
				isPython(d)
				d.Spec.Workload.Image, d.Spec.Workload.Port, d.Spec.Workload.ProxyMode = "registry.example/app:1", 3000, v1alpha1.ProxyUWSGI
			},
			want: func(d *v1alpha1.Domain) {
				d.Spec.Workload.Image, d.Spec.Workload.Port, d.Spec.Workload.ProxyMode = "", 8000, v1alpha1.ProxyHTTP
			}},
		"nodes": {change: hosting.SiteChange{SiteAspects: hosting.SiteAspects{PreferredNodes: &[]string{"node-2", " node-1 "}}},
			want: func(d *v1alpha1.Domain) { d.Spec.PreferredNodes = []string{"node-2", "node-1"} }},
		"another PHP in an image of its own": {change: hosting.SiteChange{PHP: new("8.2"), SiteAspects: hosting.SiteAspects{Image: new("registry.example/php:8.2")}},
			prepare: func(d *v1alpha1.Domain) { d.Spec.Workload.Image = "kubepanel.io/php:8.4-old" },
			want: func(d *v1alpha1.Domain) {
				d.Spec.Workload.Version, d.Spec.Workload.Image = "8.2", "registry.example/php:8.2"
			}},
		"the catalogue's image again": {change: hosting.SiteChange{SiteAspects: hosting.SiteAspects{Image: new("")}},
			prepare: func(d *v1alpha1.Domain) { d.Spec.Workload.Image = "kubepanel.io/php:8.4-old" },
			want:    func(d *v1alpha1.Domain) { d.Spec.Workload.Image = "" }},
		"more storage":   {change: hosting.SiteChange{Storage: new("6Gi")}, want: func(d *v1alpha1.Domain) { d.Spec.Resources.Storage = "6Gi" }},
		"same storage":   {change: hosting.SiteChange{Storage: new("5120Mi")}, same: true},
		"suspend":        {change: hosting.SiteChange{Suspended: new(true)}, want: func(d *v1alpha1.Domain) { d.Spec.Suspended = true }},
		"resume unasked": {change: hosting.SiteChange{Suspended: new(false)}, same: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, site("shop.example", "shop.example"))
			if tt.prepare != nil {
				tt.prepare(&f.domains[0])
			}
			want := f.domains[0].DeepCopy()
			if tt.want != nil {
				tt.want(want)
			}
			d, changed, err := f.panel().ChangeSite(t.Context(), "shop.example", tt.change, false)
			if err != nil || changed == tt.same {
				t.Fatalf("ChangeSite = %v, changed %v", err, changed)
			}
			if got, want := mustYAML(t, d.Spec), mustYAML(t, want.Spec); got != want {
				t.Errorf("ChangeSite made\n%s\nwant\n%s", got, want)
			}
			if (f.writes == 0) != tt.same {
				t.Errorf("%d writes, unchanged %v", f.writes, tt.same)
			}
		})
	}
}

func aspects(set func(*hosting.SiteAspects)) hosting.SiteChange {
	c := hosting.SiteChange{}
	set(&c.SiteAspects)
	return c
}

func isStatic(d *v1alpha1.Domain) { d.Spec.Workload.Type = "static" }

func TestChangeSiteRefuses(t *testing.T) {
	many := manyVariables(101)
	tests := map[string]struct {
		change  hosting.SiteChange
		prepare func(*v1alpha1.Domain)
		code    hosting.Code
		want    string
	}{
		"less storage":   {hosting.SiteChange{Storage: new("3Gi")}, nil, hosting.Invalid, "can't shrink: the site has 5Gi and 3Gi was asked for; ask for 5Gi or more"},
		"no size":        {hosting.SiteChange{Storage: new("lots")}, nil, hosting.Invalid, "write it like 5Gi"},
		"unknown PHP":    {hosting.SiteChange{PHP: new("9.9")}, nil, hosting.Invalid, "it has 7.4, 8.2, 8.4"},
		"not a PHP site": {hosting.SiteChange{PHP: new("8.2")}, func(d *v1alpha1.Domain) { d.Spec.Workload.Type = "python" }, hosting.Invalid, "runs Python, not PHP"},
		"another type":   {hosting.SiteChange{Runtime: new("static")}, nil, hosting.Invalid, "runs PHP, not Static files; make a new site"},
		"no runtime":     {hosting.SiteChange{Runtime: new("8.2")}, nil, hosting.Invalid, "write it like python or python:3.13"},
		"no setting":     {hosting.SiteChange{Settings: []string{"timeout"}}, nil, hosting.Invalid, "write a setting as KEY=VALUE"},
		"a setting that the catalogue refuses": {hosting.SiteChange{Settings: []string{"timeout=0"}}, func(d *v1alpha1.Domain) { d.Spec.Workload.Type = "python" },
			hosting.Invalid, "it takes a whole number from 1 to 3600"},
		"no image":              {aspects(func(a *hosting.SiteAspects) { a.Image = new("php 8.4") }), nil, hosting.Invalid, "write it like registry.example/php:8.4"},
		"a long image":          {aspects(func(a *hosting.SiteAspects) { a.Image = new(strings.Repeat("a", 513)) }), nil, hosting.Invalid, "is no image"},
		"an image for no one":   {aspects(func(a *hosting.SiteAspects) { a.Image = new("php:8.4") }), isStatic, hosting.Invalid, "has no program that an image could be for"},
		"a command for no one":  {aspects(func(a *hosting.SiteAspects) { a.Command = &[]string{"node"} }), isStatic, hosting.Invalid, "has no program to start"},
		"variables for no one":  {aspects(func(a *hosting.SiteAspects) { a.Env = []string{"A=1"} }), isStatic, hosting.Invalid, "without a shell has no program that variables could be for"},
		"a NUL in a command":    {aspects(func(a *hosting.SiteAspects) { a.Args = &[]string{"a", "hunter\x00"} }), nil, hosting.Invalid, "Word 2 has a NUL"},
		"no UTF-8 in a command": {aspects(func(a *hosting.SiteAspects) { a.Command = &[]string{"hunter\xff"} }), nil, hosting.Invalid, "Word 1 has a NUL or is no UTF-8"},
		"a long word":           {aspects(func(a *hosting.SiteAspects) { a.Args = &[]string{strings.Repeat("x", 4097)} }), nil, hosting.Invalid, "Word 1 is too long; it may have 4096"},
		"many words":            {aspects(func(a *hosting.SiteAspects) { a.Args = &many }), nil, hosting.Invalid, "101 words are too many; a command has at most 64"},
		"many nodes":            {aspects(func(a *hosting.SiteAspects) { a.PreferredNodes = &many }), nil, hosting.Invalid, "101 nodes are too many"},
		"no node":               {aspects(func(a *hosting.SiteAspects) { a.PreferredNodes = &[]string{"Node_1"} }), nil, hosting.Invalid, "is no name of a node"},
		"a node of 254":         {aspects(func(a *hosting.SiteAspects) { a.PreferredNodes = &[]string{strings.Repeat("n", 254)} }), nil, hosting.Invalid, "is no name of a node"},
		"a node twice":          {aspects(func(a *hosting.SiteAspects) { a.PreferredNodes = &[]string{"n", "n"} }), nil, hosting.Invalid, "named twice"},
		"a port for no one":     {aspects(func(a *hosting.SiteAspects) { a.Port = new("3000") }), nil, hosting.Invalid, "A site of PHP has no program that nginx reaches by a port"},
		"a way to no one":       {aspects(func(a *hosting.SiteAspects) { a.ProxyMode = new("http") }), isStatic, hosting.Invalid, "has no program that nginx reaches"},
		"no port":               {aspects(func(a *hosting.SiteAspects) { a.Port = new("70000") }), isPython, hosting.Invalid, "write a number from 1 to 65535"},
		"nginx' port":           {aspects(func(a *hosting.SiteAspects) { a.Port = new("8080") }), isPython, hosting.Invalid, "is taken in every site's pod"},
		"a way it can't speak":  {aspects(func(a *hosting.SiteAspects) { a.ProxyMode = new("uwsgi") }), isNode, hosting.Invalid, "The program of Node.js does not speak uwsgi"},
		"no way":                {aspects(func(a *hosting.SiteAspects) { a.ProxyMode = new("fastcgi") }), isPython, hosting.Invalid, "write http or uwsgi"},
		"being deleted":         {hosting.SiteChange{PHP: new("8.2")}, func(d *v1alpha1.Domain) { d.DeletionTimestamp = new(metav1.Now()) }, hosting.Conflict, "being deleted"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, site("shop.example", "shop.example"))
			if tt.prepare != nil {
				tt.prepare(&f.domains[0])
			}
			_, _, err := f.panel().ChangeSite(t.Context(), "shop.example", tt.change, false)
			if hosting.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.want) || f.writes != 0 { // the text is what a person reads
				t.Errorf("ChangeSite = %v with %d writes, want %s with %q and none", err, f.writes, tt.code, tt.want)
			}
		})
	}
}

func TestChangeSiteIsMadeAnewOnANewerSite(t *testing.T) {
	f := newFake(t, site("shop.example", "shop.example"))
	f.conflicts = 3
	if _, changed, err := f.panel().ChangeSite(t.Context(), "shop.example", hosting.SiteChange{PHP: new("8.2")}, false); err != nil || !changed {
		t.Errorf("ChangeSite after conflicts = %v, changed %v", err, changed)
	}
	f.conflicts = 99
	if _, _, err := f.panel().ChangeSite(t.Context(), "shop.example", hosting.SiteChange{PHP: new("7.4")}, false); hosting.CodeOf(err) != hosting.Conflict {
		t.Errorf("ChangeSite with endless conflicts = %v, want Conflict", err)
	}
}

func TestRestart(t *testing.T) {
	asleep := site("asleep.localhost", "asleep.localhost")
	asleep.Spec.Suspended = true
	f := newFake(t, site("blog.localhost", "blog.localhost"), asleep)
	f.conflicts = 2
	first, err := f.panel().RestartSite(t.Context(), "blog.localhost", time.Unix(1, 1))
	if err != nil {
		t.Fatal(err)
	}
	second, err := f.panel().RestartSite(t.Context(), "blog.localhost", time.Unix(1, 2))
	if err != nil {
		t.Fatal(err)
	}
	a, b := first.Annotations[v1alpha1.AnnotationRestartedAt], second.Annotations[v1alpha1.AnnotationRestartedAt]
	if a == "" || a == b || f.writes != 2 {
		t.Errorf("two restarts within a second = %q and %q with %d writes, want two of each", a, b, f.writes)
	}
	if _, err := f.panel().RestartSite(t.Context(), "asleep.localhost", time.Now()); err == nil || hosting.CodeOf(err) != hosting.Conflict {
		t.Errorf("restart of a suspended site = %v, want a conflict", err)
	}
}

func TestAnotherPasswordIsAskedForWhereThereIsADatabase(t *testing.T) {
	blog, never := site("blog.localhost", "blog.localhost"), site("never.localhost", "never.localhost")
	blog.Status.Database = &v1alpha1.DatabaseStatus{Name: "dom-blog-localhost"}
	off := *blog.DeepCopy()
	off.Name, off.Spec.DomainName, off.Spec.Database.Enabled = "off.localhost", "off.localhost", new(bool)
	f := newFake(t, blog, never, off)
	f.conflicts = 2
	d, err := f.panel().RenewDatabasePassword(t.Context(), "blog.localhost", time.Unix(1, 1))
	if err != nil || d.Annotations[v1alpha1.AnnotationPasswordAskedAt] == "" || f.writes != 1 {
		t.Errorf("RenewDatabasePassword() = %v, %v with %d writes, want a word to the operator", d, err, f.writes)
	}
	for _, name := range []string{"never.localhost", "off.localhost"} {
		if _, err := f.panel().RenewDatabasePassword(t.Context(), name, time.Unix(1, 1)); err == nil || hosting.CodeOf(err) != hosting.Conflict {
			t.Errorf("%s: %v, want a conflict", name, err)
		}
	}
}

// A site that serves with its old pod is not what was asked for yet.
func TestRestartIsNotDoneBeforeTheOperatorSaysSo(t *testing.T) {
	d := site("blog.localhost", "blog.localhost")
	d.Status.ObservedGeneration = d.Generation
	d.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, ObservedGeneration: d.Generation}}
	if !hosting.Live(&d) {
		t.Error("a site that is ready is not live")
	}
	d.Annotations = map[string]string{v1alpha1.AnnotationRestartedAt: "now"}
	if hosting.Live(&d) {
		t.Error("a site whose restart nobody has taken up is live")
	}
	if d.Status.RestartedAt = "now"; !hosting.Live(&d) {
		t.Error("a restarted site is not live")
	}
}

// A site of static files may have variables from before, which may go; with a shell they are for that.
func TestVariablesOfStaticFilesAreForTheShell(t *testing.T) {
	f := newFake(t, site("shop.example", "shop.example"))
	isStatic(&f.domains[0])
	f.domains[0].Spec.Workload.Env = []v1alpha1.EnvVar{{Name: "OLD", Value: "1"}, {Name: "OLDER", Value: "1"}}
	change := func(shell *bool, env ...string) []string {
		t.Helper()
		d, _, err := f.panel().ChangeSite(t.Context(), "shop.example", aspects(func(a *hosting.SiteAspects) { a.Env, a.Shell = env, shell }), false)
		if err != nil {
			t.Fatalf("ChangeSite(%q): %v", env, err)
		}
		return hosting.Variables(&d.Spec.Workload)
	}
	if got := change(nil, "OLD="); !slices.Equal(got, []string{"OLDER"}) {
		t.Errorf("without OLD there are %q, want OLDER alone", got)
	}
	if got := change(new(true), "NEW=1"); !slices.Equal(got, []string{"NEW", "OLDER"}) {
		t.Errorf("with a shell there are %q, want NEW too", got)
	}
	if got := change(nil, "NEWER=1"); len(got) != 3 {
		t.Errorf("with the shell of before there are %q, want three", got)
	}
}

// isPython makes a site one of Python, as the panel makes it.
func isPython(d *v1alpha1.Domain) {
	d.Spec.Workload = v1alpha1.WorkloadSpec{Type: "python", Version: "3.13", Port: 8000, ProxyMode: v1alpha1.ProxyHTTP}
}

func isNode(d *v1alpha1.Domain) {
	d.Spec.Workload = v1alpha1.WorkloadSpec{Type: "nodejs", Version: "20", Port: 3000, ProxyMode: v1alpha1.ProxyHTTP}
}

// FuzzParsePort: a port is one of TCP's and reads the same again.
func FuzzParsePort(f *testing.F) {
	for _, seed := range []string{"3000", " 1 ", "65536", "-1", "0", "8080", "+80", "1e3", "०"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		port, err := hosting.ParsePort(text)
		if err != nil {
			return
		}
		if port < 1 || port > 65535 || port == 8080 || port == 2222 {
			t.Errorf("ParsePort(%q) = %d", text, port)
		}
		if again, err := hosting.ParsePort(strconv.Itoa(int(port))); err != nil || again != port {
			t.Errorf("ParsePort(%d) = %d, %v", port, again, err)
		}
	})
}
