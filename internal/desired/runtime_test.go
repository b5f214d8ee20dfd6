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
