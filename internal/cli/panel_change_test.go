package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// shown is a site as the panel shows it.
func (o *office) shown(name string) map[string]any {
	o.t.Helper()
	site := map[string]any{}
	o.must(json.Unmarshal([]byte(o.want(nil, "site", "show", name, "-o", "json")), &site))
	return site
}

func TestEveryAspectOfASiteThroughAPanel(t *testing.T) {
	o := newOffice(t)
	o.street()
	here := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(here, name)
		o.must(os.WriteFile(name, []byte(text), 0o600))
		return name
	}
	key := "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGrShAQgt+9ZuPDMwJNQ7CzWsz+wzDI6wLT9xkHNAGwk jo@laptop"
	o.want([]string{"is being changed"}, "site", "set", "shop.example", "--title", "The shop", "--alias", "Müller.example", "--alias", "b.example",
		"--time-zone", "Europe/Berlin", "--cpu", "500m", "--memory", "1Gi", "--document-root", "public", "--upload-size", "256m", "--www-redirect", "www-to-root",
		"--runtime-config", file("php.ini", "display_errors = on\n"), "--webserver-config", file("nginx.conf", "gzip on;\r\n"),
		"--authorized-keys", file("keys", "# mine\n"+key+"\n"), "--shell", "--redis", "--cache", "--setting", "memoryLimit=99M")
	want := map[string]any{
		"title": "The shop", "aliases": []any{"xn--mller-kva.example", "b.example"}, "timeZone": "Europe/Berlin", "cpu": "500m", "memory": "1024Mi",
		"documentRoot": "public", "uploadSize": "256m", "wwwRedirect": "www-to-root", "runtimeConfig": "display_errors = on", "webserverConfig": "gzip on;",
		"authorizedKeys": []any{key}, "shell": true, "redis": true, "cache": true, "settings": map[string]any{"memoryLimit": "99M"},
	}
	o.same("shop.example", want)
	// What is not named stays, and what is given as nothing goes.
	if code, text := o.run("", "site", "set", "shop.example", "--title", "", "--alias", "", "--authorized-keys", "-", "--runtime-config", file("none", ""), "--redis=false"); code != 0 {
		t.Errorf("taking things away = %d %s", code, text)
	}
	want["title"], want["aliases"], want["authorizedKeys"], want["redis"] = "", []any{}, []any{}, false
	delete(want, "runtimeConfig")
	o.same("shop.example", want)
	if _, there := o.shown("shop.example")["runtimeConfig"]; there {
		t.Error("the configuration that was taken away is still there")
	}
	for line, says := range map[string]string{
		"--cpu lots":                                     "is not an amount",
		"--alias shop.example":                           "the site's own name",
		"--webserver-config " + here:                     "can't be read",
		"--authorized-keys - --runtime-config -":         "one file only",
		"--runtime-config " + file("latin1", "\xe4\xf6"): "no text in UTF-8",
	} {
		if code, text := o.run("", append([]string{"site", "set", "shop.example"}, strings.Fields(line)...)...); code != 2 || !strings.Contains(text, says) {
			t.Errorf("kubepanel site set shop.example %s = %d %s, want %q", line, code, text, says)
		}
	}
	o.same("shop.example", want)
}

// same compares what is shown of a site with what is wanted of it.
func (o *office) same(name string, want map[string]any) {
	o.t.Helper()
	got := o.shown(name)
	for field, value := range want {
		w, err := json.Marshal(value)
		o.must(err)
		g, err := json.Marshal(got[field])
		o.must(err)
		if string(g) != string(w) {
			o.t.Errorf("%s of %s is %s, want %s", field, name, g, w)
		}
	}
}

func TestAFileIsPlannedThroughAPanel(t *testing.T) {
	o := newOffice(t)
	_, cluster := o.street()
	d, err := cluster.Domain(t.Context(), "shop.example")
	o.must(err)
	d = d.DeepCopy()
	d.Spec.Title = "Another"
	d.APIVersion, d.Kind = v1alpha1.GroupVersion.String(), "Domain"
	file := func() string {
		t.Helper()
		text, err := yaml.Marshal(d)
		o.must(err)
		name := filepath.Join(t.TempDir(), "domain.yaml")
		o.must(os.WriteFile(name, text, 0o600))
		return name
	}
	o.want([]string{"would be changed", "→ Another", "Reloads    nginx"}, "site", "plan", "-f", file())
	if code, _ := o.run("", "site", "plan", "-f", file(), "--detailed-exitcode", "-o", "json"); code != exitChanges {
		t.Errorf("a plan of something ends with %d, want %d", code, exitChanges)
	}
	if title := o.shown("shop.example")["title"]; title != "" {
		t.Errorf("a plan made the title %q", title)
	}
	d.Spec.DomainName = "nowhere.example"
	if code, text := o.run("", "site", "plan", "-f", file()); code != 0 || !strings.Contains(text, "nowhere.example would be created") {
		t.Errorf("a plan of a new site = %d %s", code, text)
	}
	d.Spec.DomainName = ""
	if code, text := o.run("", "site", "plan", "-f", file()); code != 2 || !strings.Contains(text, "no name of a site") {
		t.Errorf("a plan of a site without a name = %d %s", code, text)
	}
}

func TestAPersonIsAskedBeforeASiteGoes(t *testing.T) {
	o := newOffice(t)
	o.street()
	o.want(nil, "user", "create", "jo@shop.example", "--name", "Jo", "--role", "administrator")
	assign := []string{"site", "assign", "shop.example", "jo@shop.example"}
	if code, text := o.run("", assign...); code != 2 || !strings.Contains(text, "--yes") {
		t.Errorf("nobody who can be asked = %d %s", code, text)
	}
	if code, text := o.answer("yes", assign...); code != 1 || !strings.Contains(text, "nothing was changed") || o.shown("shop.example")["ownerName"] != "Boss" {
		t.Errorf("another word than the name = %d %s", code, text)
	}
	if code, text := o.answer("shop.example", assign...); code != 0 || !strings.Contains(text, "belongs to jo@shop.example now") || o.shown("shop.example")["ownerName"] != "Jo" {
		t.Errorf("the name = %d %s", code, text)
	}
	o.want([]string{`"site": "shop.example"`}, "site", "assign", "shop.example", "boss@provider.example", "--yes", "-o", "json")
	for line, says := range map[string]string{
		"shop.example nobody@shop.example":      "no account nobody@shop.example",
		"nowhere.example jo@shop.example --yes": "no such thing",
		"shop.example":                          "the address of the account is missing",
	} {
		if code, text := o.run("", append([]string{"site", "assign"}, strings.Fields(line)...)...); code == 0 || !strings.Contains(text, says) {
			t.Errorf("kubepanel site assign %s = %d %s, want %q", line, code, text, says)
		}
	}
}
