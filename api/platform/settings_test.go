package platform_test

import (
	"os"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/api/platform"
)

func valid(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/platform.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestParseReadsEverySetting(t *testing.T) {
	s, err := platform.Parse(valid(t))
	if err != nil {
		t.Fatal(err)
	}
	if image, ok := s.Image("php", "8.2"); !ok || image != "kubepanel.io/php:8.2-b" {
		t.Errorf("Image(php, 8.2) = %q, %v", image, ok)
	}
	if _, ok := s.Image("php", "9.9"); ok {
		t.Error("Image(php, 9.9) is known, want unknown")
	}
	if got := s.Edge.URL("a.example"); got != "https://a.example" {
		t.Errorf("URL = %q, want the usual port left out", got)
	}
	s.Edge.HTTPSPort, s.Edge.HTTPPort = 8443, 8080
	if got, want := s.Edge.URL("a.example"), "https://a.example:8443"; got != want {
		t.Errorf("URL = %q, want %q", got, want)
	}
	if got, want := s.Edge.PlainURL("a.example"), "http://a.example:8080"; got != want {
		t.Errorf("PlainURL = %q, want %q", got, want)
	}
}

func TestParseNamesTheFault(t *testing.T) {
	tests := map[string]struct{ old, new, want string }{
		"unknown key":           {"storageClass:", "storageKlass:", "storageKlass"},
		"bad range":             {"10.244.0.0/16", "10.244.0.0", "clusterCIDRs"},
		"default not offered":   {`default: "8.4"`, `default: "5.6"`, "runtimes.php.default"},
		"a way PHP has":         {"otherProxyModes: [uwsgi]", "otherProxyModes: [fastcgi]", "runtimes.python.otherProxyModes"},
		"a way twice":           {"otherProxyModes: [uwsgi]", "otherProxyModes: [http]", "runtimes.python.otherProxyModes"},
		"no port":               {"port: 3306", "port: 0", "database.port"},
		"image with a newline":  {"kubepanel.io/nginx:1-a", `"a\nb"`, "images.nginx"},
		"other exposure":        {"exposure: nodePort", "exposure: moon", "sftp.exposure"},
		"trash before now":      {"exposure: nodePort", "exposure: nodePort, trashDays: -1", "sftp.trashDays"},
		"setting of no type":    {"type: boolean, default: true", "type: switch, default: true", "runtimes.python.settings.buffering.type"},
		"bad default":           {"type: integer, default: 0", "type: integer, default: -1", "runtimes.python.settings.workers.default"},
		"bad pattern":           {`"[a-z.]+:[a-z]+"`, `"["`, "runtimes.python.settings.app.pattern"},
		"setting's name":        {"staticRoot:", "static-root:", "runtimes.python.settings.static-root"},
		"a map as default":      {"default: 0", "default: {}", "is no text"},
		"program without port":  {"port: 8000", "port: 0", "runtimes.python.port"},
		"program without image": {`{image: "kubepanel.io/nodejs:20-a"}`, "{}", "runtimes.nodejs.versions.20"},
		"title of two lines":    {"title: Python", `title: "a\nb"`, "runtimes.python.title"},
		"namespace in caps":     {"namespace: kubepanel-system", "namespace: KUBE", "namespace"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			broken := strings.Replace(string(valid(t)), tt.old, tt.new, 1)
			_, err := platform.Parse([]byte(broken))
			if err == nil {
				t.Fatalf("Parse succeeded with %s", tt.new)
			}
			if !strings.Contains(err.Error(), tt.want) { // the text is what a person reads
				t.Errorf("Parse = %q, want it to name %s", err, tt.want)
			}
		})
	}
}

// FuzzParse: whatever is accepted stays accepted when written and read again.
func FuzzParse(f *testing.F) {
	f.Add(valid(f))
	f.Add([]byte("{}"))
	f.Add([]byte("runtimes: {php: {versions: null}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := platform.Parse(data)
		if err != nil {
			return
		}
		out, err := yaml.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := platform.Parse(out); err != nil {
			t.Errorf("Parse(Marshal(Parse(%q))) = %v", data, err)
		}
	})
}
