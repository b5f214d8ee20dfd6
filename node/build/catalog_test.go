package build

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const smallCatalog = `
debian: "2026-01-02"
suites: [trixie]
images:
  - {name: pause, version: "3.10", exactTag: true, binaries: {pause: [pause]}}
  - {name: php, version: "8.4", base: trixie, args: {VERSION: "8.4"}}
  - {name: kubernetes, version: v1.36.3, names: [kube-apiserver, kube-proxy], exactTag: true}
`

func TestCatalogCompletesWhatIsLeftOut(t *testing.T) {
	c, err := ParseCatalog([]byte(smallCatalog))
	if err != nil {
		t.Fatal(err)
	}
	k := key(strings.Repeat("ab", 32))
	want := [][]string{
		{"pause", scratch, "kubepanel.io/pause:3.10"},
		{"php", "trixie", "kubepanel.io/php:8.4-abababababab"},
		{"kubernetes", scratch, "kubepanel.io/kube-apiserver:v1.36.3", "kubepanel.io/kube-proxy:v1.36.3"},
	}
	for i, s := range c.Images {
		if got := append([]string{s.Folder, s.Base}, s.refs(k)...); !slices.Equal(got, want[i]) {
			t.Errorf("image %d = %v, want %v", i, got, want[i])
		}
	}
}

func TestMistakesInTheCatalogAreRefused(t *testing.T) {
	header := "debian: x\nsuites: [trixie]\n"
	tests := map[string]struct{ text, want string }{
		"unknown key":         {header + "imagse: []", "imagse"},
		"no day":              {"suites: [trixie]", "debian"},
		"not yaml":            {"{", "yaml"},
		"two documents":       {header + "---\n{}", "more than one"},
		"folder that climbs":  {header + `images: [{name: php, version: "1", folder: ../cmd}]`, "no name"},
		"name with a slash":   {header + `images: [{name: a/b, version: "1"}]`, "no name"},
		"option for a tag":    {header + `images: [{name: a, version: "-x"}]`, "tag"},
		"no version":          {header + `images: [{name: a}]`, "tag"},
		"unknown base":        {header + `images: [{name: a, version: "1", base: sid}]`, "suites"},
		"suite with a slash":  {"debian: x\nsuites: [../etc]", "suite"},
		"unknown component":   {header + `images: [{name: a, version: "1", binaries: {perl: [perl]}}]`, "no component"},
		"unknown program":     {header + `images: [{name: a, version: "1", binaries: {etcd: [etcdctl]}}]`, "etcdctl"},
		"argument BASE":       {header + `images: [{name: a, version: "1", args: {BASE: x}}]`, "BASE"},
		"argument as option":  {header + `images: [{name: a, version: "1", args: {"--x": x}}]`, "--x"},
		"the same twice":      {header + `images: [{name: a, version: "1"}, {name: a, version: "1"}]`, "two of"},
		"two of one exactTag": {header + `images: [{name: a, version: "1", names: [c], exactTag: true}, {name: b, version: "1", names: [c], exactTag: true}]`, "two of"},
	}
	for about, test := range tests {
		t.Run(about, func(t *testing.T) {
			_, err := ParseCatalog([]byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("ParseCatalog = %v, want an error about %q", err, test.want)
			}
		})
	}
}

func TestChoosingImages(t *testing.T) {
	c := &Catalog{Images: []Spec{{Name: "php", Version: "7.4"}, {Name: "php", Version: "8.4"}, {Name: "nginx", Version: "1"}, {Name: "clamav", Version: "1", OnDemand: true}}}
	tests := map[string]struct {
		names []string
		want  []string
		fails bool
	}{
		"none is all":  {nil, []string{"php:7.4", "php:8.4", "nginx:1"}, false},
		"all versions": {[]string{"php"}, []string{"php:7.4", "php:8.4"}, false},
		"one version":  {[]string{"nginx", "php:8.4"}, []string{"nginx:1", "php:8.4"}, false},
		"on demand":    {[]string{"clamav"}, []string{"clamav:1"}, false},
		"unknown":      {[]string{"php:5.6"}, nil, true},
	}
	for about, test := range tests {
		t.Run(about, func(t *testing.T) {
			specs, err := c.choose(test.names)
			var got []string
			for _, s := range specs {
				got = append(got, s.ID())
			}
			if (err != nil) != test.fails || !slices.Equal(got, test.want) {
				t.Errorf("choose = %v, %v, want %v", got, err, test.want)
			}
		})
	}
}

// The tags of images whose programs are compiled here say what go.mod pins.
func TestTagsOfImagesAreThePinnedVersions(t *testing.T) {
	root, err := findRoot("")
	if err != nil {
		t.Fatal(err)
	}
	c, err := readCatalog(filepath.Join(root, "images", "images.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	modules := map[string]string{"kubernetes": moduleKubernetes, "etcd": "go.etcd.io/etcd/server/v3", "coredns": moduleCoreDNS, "metrics-server": moduleMetrics}
	for image, module := range modules {
		specs, err := c.choose([]string{image})
		if err != nil {
			t.Fatal(err)
		}
		versions, err := moduleVersions(filepath.Join(root, "node", "components", image, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := specs[0].Version, versions[module]; got != want {
			t.Errorf("image %s has version %s, go.mod requires %s", image, got, want)
		}
	}
	pause, err := c.choose([]string{"pause"})
	if err != nil || pause[0].Version != pauseVersion {
		t.Errorf("image pause = %v, %v, want version %s", pause, err, pauseVersion)
	}
	for _, s := range c.Images {
		if _, err := os.Stat(filepath.Join(root, "images", s.Folder, "Containerfile")); err != nil {
			t.Errorf("image %s: %v", s.ID(), err)
		}
	}
}

// Every stamp of every component names a module that its go.mod requires.
func TestStampsCanBeFilled(t *testing.T) {
	root, err := findRoot("")
	if err != nil {
		t.Fatal(err)
	}
	all := components()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		versions, err := moduleVersions(filepath.Join(root, all[name].module, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		for variable, stamp := range all[name].stamp {
			if value, err := fill(stamp, versions); err != nil || value == "" || strings.ContainsAny(value, "{} ") {
				t.Errorf("%s: %s = %q, %v", name, variable, value, err)
			}
		}
	}
}

func TestFillTakesVersionsApart(t *testing.T) {
	versions := map[string]string{"a/b": "v1.36.3", "short": "v1"}
	tests := map[string]struct {
		want  string
		fails bool
	}{
		"clean":         {"clean", false},
		"{a/b}":         {"v1.36.3", false},
		"{a/b.major}":   {"1", false},
		"{a/b.minor}":   {"36", false},
		"{short.minor}": {"", true},
		"{unknown}":     {"", true},
	}
	for stamp, test := range tests {
		if got, err := fill(stamp, versions); got != test.want || (err != nil) != test.fails {
			t.Errorf("fill(%s) = %q, %v, want %q", stamp, got, err, test.want)
		}
	}
}

func TestProgramsAreNamedAsGoNamesThem(t *testing.T) {
	for pkg, want := range map[string]string{
		".":                         "etcd",
		"./cmd/kubepanel":           "kubepanel",
		"go.etcd.io/etcd/server/v3": "server",
		"helm.sh/helm/v4/cmd/helm":  "helm",
		"example.com/version":       "version",
		"example.com/tool/v":        "v",
	} {
		if got := programName(pkg, "example.com/components/etcd"); got != want {
			t.Errorf("programName(%s) = %s, want %s", pkg, got, want)
		}
	}
}

func FuzzParseCatalog(f *testing.F) {
	f.Add([]byte(smallCatalog))
	if root, err := findRoot(""); err == nil {
		if text, err := os.ReadFile(filepath.Join(root, "images", "images.yaml")); err == nil {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseCatalog(text)
		if err != nil {
			return
		}
		for _, s := range c.Images {
			for _, ref := range s.refs(key("0123456789ab")) {
				if strings.ContainsAny(ref, " \n\t$;") || strings.Contains(ref, "..") || !strings.HasPrefix(ref, registry) {
					t.Errorf("image %q has reference %q", s.Name, ref)
				}
			}
			if filepath.Base(s.Folder) != s.Folder || s.Folder == ".." {
				t.Errorf("image %q has folder %q", s.Name, s.Folder)
			}
		}
	})
}
