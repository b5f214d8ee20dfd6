package desired_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// The catalogue, and nothing in the code, says what a program may be told.
func TestSettingsFollowTheCatalogue(t *testing.T) {
	site := cases(t)["testdata/site/python.yaml"]
	if faults := site.SettingsFaults(); len(faults) > 0 {
		t.Fatalf("faults = %q, want none", faults)
	}
	site.Domain.Spec.Workload.Settings = map[string]v1alpha1.Setting{"app": "no callable", "colour": "red", "workers": "3", "timeout": "true"}
	want := []string{"spec.workload.settings.app: ", "spec.workload.settings.timeout: ", "spec.workload.settings.colour: "}
	faults := site.SettingsFaults()
	if !slices.EqualFunc(faults, want, strings.HasPrefix) {
		t.Errorf("faults = %q, want one for each of %q", faults, want)
	}
	config, err := site.Config()
	if err != nil {
		t.Fatal(err)
	}
	var told struct{ Settings map[string]any }
	if err := json.Unmarshal([]byte(config[1].Data["runtime.json"]), &told); err != nil {
		t.Fatal(err)
	}
	if s := told.Settings; s["app"] != "" || s["workers"] != 3.0 || s["timeout"] != 60.0 || s["colour"] != nil {
		t.Errorf("the program is told %v, want what can be and defaults for the rest", s)
	}
}

// The API fills in port and proxyMode with PHP's; a runtime of another kind must
// not take them for a wish that it can't fulfil.
func TestDefaultsOfTheAPIAreNoWish(t *testing.T) {
	for path, want := range map[string]string{
		"testdata/site/nodejs.yaml": "proxy_pass http://127.0.0.1:9000;",
		"testdata/site/static.yaml": "try_files $uri $uri/ =404;",
	} {
		site := cases(t)[path]
		site.Domain.Spec.Workload.Port, site.Domain.Spec.Workload.ProxyMode = 9000, v1alpha1.ProxyFastCGI
		config, err := site.Config()
		if err != nil {
			t.Fatal(err)
		}
		if text := config[0].Data["nginx.conf"]; !strings.Contains(text, want) || strings.Contains(text, "fastcgi_pass") {
			t.Errorf("%s: nginx.conf has not %q, or passes to FastCGI", path, want)
		}
	}
}

// A way that the platform's program doesn't speak would break the site; what the
// customer's own speaks is not ours to know.
func TestAWayThatTheProgramDoesNotSpeakIsNotTaken(t *testing.T) {
	tests := map[string]struct {
		path  string
		edit  func(*v1alpha1.WorkloadSpec)
		fault bool
		want  string
	}{
		"Node.js":      {"testdata/site/nodejs.yaml", func(*v1alpha1.WorkloadSpec) {}, true, "proxy_pass"},
		"Python":       {"testdata/site/python.yaml", func(*v1alpha1.WorkloadSpec) {}, false, "uwsgi_pass"},
		"its command":  {"testdata/site/nodejs.yaml", func(w *v1alpha1.WorkloadSpec) { w.Command = []string{"uwsgi"} }, false, "uwsgi_pass"},
		"its image":    {"testdata/site/nodejs.yaml", func(w *v1alpha1.WorkloadSpec) { w.Image = "registry.example/app:1" }, false, "uwsgi_pass"},
		"static files": {"testdata/site/static.yaml", func(*v1alpha1.WorkloadSpec) {}, false, "try_files"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			site := cases(t)[tt.path]
			w := &site.Domain.Spec.Workload
			w.Command, w.Args, w.Image, w.Settings, w.ProxyMode = nil, nil, "", nil, v1alpha1.ProxyUWSGI
			tt.edit(w)
			if faults := site.SettingsFaults(); tt.fault != (len(faults) == 1 && strings.Contains(faults[0], "does not speak uwsgi; it speaks http")) {
				t.Errorf("faults = %q", faults)
			}
			config, err := site.Config()
			if err != nil {
				t.Fatal(err)
			}
			if text := config[0].Data["nginx.conf"]; !strings.Contains(text, tt.want) {
				t.Errorf("nginx.conf has no %s", tt.want)
			}
		})
	}
}

// Fault of the original: command, args and port that are not applied.
func TestOwnCommandReplacesTheCatalogues(t *testing.T) {
	site := cases(t)["testdata/site/nodejs.yaml"]
	runtime := site.Platform.Runtimes["nodejs"]
	runtime.Command = []string{"/start"}
	site.Platform.Runtimes["nodejs"] = runtime
	command := func() string {
		w, err := site.Workload()
		if err != nil {
			t.Fatal(err)
		}
		c := w.Spec.Template.Spec.Containers[0]
		return strings.Join(append(append([]string{c.Image}, c.Command...), c.Args...), " ")
	}
	if got, want := command(), "kubepanel.io/nodejs:20-a /start"; got != want {
		t.Errorf("the program is %q, want %q", got, want)
	}
	site.Domain.Spec.Workload.Image, site.Domain.Spec.Workload.Args = "registry.example/own:1", []string{"serve"}
	if got, want := command(), "registry.example/own:1 serve"; got != want {
		t.Errorf("the program is %q, want %q", got, want)
	}
}
