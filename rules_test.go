// Package kubepanel holds the house rules of the whole tree as tests. Nothing
// else ever lives in this folder.
package kubepanel

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "kubepanel.io/kubepanel/"

// mayImport is the map of the building, as ARCHITECTURE.md tells it: a room may
// import itself and what stands here. A room that is not listed may import
// nothing of ours. The longest name that fits a folder is its room.
var mayImport = map[string][]string{
	"cmd/kubepanel":      {"internal", "api"},
	"cmd/edge":           {"internal", "api"},
	"cmd/panel":          {"internal", "api"},
	"cmd/toolbox":        {"internal/toolbox", "internal/sshd", "internal/orders"},
	"cmd/keeper":         {"internal/keeper"},
	"internal/cli":       {"internal/hosting", "internal/client", "api"},
	"internal/client":    {"internal/hosting"},
	"internal/operator":  {"internal/desired", "internal/kube", "internal/authority", "internal/vitals", "api"},
	"internal/edge":      {"internal/feed", "internal/desired", "internal/kube", "internal/authority", "internal/vitals", "api"},
	"internal/authority": {},
	"internal/vitals":    {"internal/authority"},
	"internal/kube":      {"internal/hosting", "internal/desired", "api"},
	"internal/hosting":   {"internal/orders", "api"},
	"internal/desired":   {"api"},
	"internal/toolbox":   {"internal/sshd", "internal/orders"},
	"internal/gateway":   {"internal/sshd", "internal/feed", "internal/desired", "api"},
	"internal/sshd":      {},
	"internal/feed":      {},
	"internal/orders":    {},
	"internal/keeper":    {},
	"internal/kubetest":  {"api"},
	"internal/proctest":  {},
	"internal/startup":   {"api"},
	"internal/store":     {"internal/hosting", "api"},
	"internal/panel":     {"internal/hosting", "internal/orders", "api", "docs/panel"},
	// What tests of the panel stand on: the other half of its way into sites.
	"internal/panel/door/doortest": {"internal/panel", "internal/gateway", "internal/toolbox", "api"},
	"lab":                          {"api"},
	"api":                          {},
	"docs/panel":                   {},
	"node":                         {},
	"tools":                        {},
}

// mustNotImport keeps rooms what they are.
var mustNotImport = map[string][]string{
	"api":              {"sigs.k8s.io/controller-runtime", "k8s.io/client-go"},
	"internal/desired": {"context", "time", "os", "math/rand", "crypto/rand", "net/http", "k8s.io/client-go", "sigs.k8s.io/controller-runtime"},
	"internal/hosting": {"math/rand", "net/http", "database/sql", "html/template", "k8s.io/client-go", "sigs.k8s.io/controller-runtime"},
	"internal/cli":     {"net/http", "k8s.io/client-go", "sigs.k8s.io/controller-runtime"},
	// Caddy in the operator would be two thirds of its memory, and the panel's
	// databases and sign-in are nothing for it either.
	"cmd/kubepanel":  {module + "internal/edge", "github.com/caddyserver", module + "internal/store", module + "internal/panel"},
	"internal/store": {"net/http", "k8s.io/client-go", "sigs.k8s.io/controller-runtime"},
	// A template asks for methods by name, so the linker keeps every method that any type has:
	// 6 MB of the panel's memory. Its pages, letters and the page of the API are templ's.
	"internal/panel": {"database/sql", "k8s.io/client-go", "sigs.k8s.io/controller-runtime", "math/rand", "text/template", "html/template"},
	// One toolbox runs in every site, so its size counts thousands of times.
	"internal/toolbox": {"k8s.io", "sigs.k8s.io", "github.com/caddyserver"},
	"internal/sshd":    {"k8s.io", "sigs.k8s.io", "github.com/caddyserver"},
	"cmd/toolbox":      {"k8s.io", "sigs.k8s.io", "github.com/caddyserver"},
	// A keeper runs in every container of a site that has configuration.
	"internal/keeper": {"k8s.io", "sigs.k8s.io", "net", "net/http", "encoding/json"},
	"cmd/keeper":      {"k8s.io", "sigs.k8s.io", "net", "net/http", "encoding/json"},
}

// mayTest is what tests of a room may import beside: real peers in place of fakes.
var mayTest = map[string][]string{
	"internal/cli":     {"internal/store", "internal/panel", "internal/toolbox"},
	"internal/panel":   {"internal/store", "internal/kube", "internal/gateway", "internal/toolbox"},
	"internal/gateway": {"internal/toolbox"},
	"cmd/panel":        {"lab/axe"},
	"images":           {"internal/authority", "internal/hosting", "internal/panel"},
}

// forTests are packages that only tests may import, and each other.
var forTests = []string{"internal/kubetest", "internal/proctest", "internal/operator/domain/mariadb/mariadbtest", "internal/store/postgrestest", "internal/panel/mail/mailtest",
	"internal/panel/paneltest", "internal/panel/door/doortest", "internal/panel/scan/scantest", "internal/panel/syslog/syslogtest", "internal/toolbox/toolboxtest", "internal/vitals/vitalstest", "lab", "lab/axe"}

// emptyNames say nothing about what a package holds.
var emptyNames = []string{"util", "utils", "helper", "helpers", "common", "manager", "misc", "base", "shared"}

// source is one hand-written Go file.
type source struct {
	path  string
	dir   string
	lines int
	test  bool
	set   *token.FileSet
	ast   *ast.File

	// faults are the rules that it breaks, with the place.
	faults []string
}

// breaks notes a rule that a piece of the file breaks.
func (s *source) breaks(n ast.Node, format string, args ...any) {
	s.faults = append(s.faults, fmt.Sprintf("%s: "+format, append([]any{s.set.Position(n.Pos())}, args...)...))
}

// check holds a file to all rules that need no other file.
func (s *source) check() {
	checkImports(s)
	checkCalls(s)
	if s.test {
		return
	}
	checkShape(s)
	if slices.Contains(emptyNames, s.ast.Name.Name) {
		s.breaks(s.ast, "a package named %s holds anything; name what it holds", s.ast.Name.Name)
	}
}

func TestHouseRules(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		s.check()
		for _, fault := range s.faults {
			t.Error(fault)
		}
		if !s.test {
			documented[s.dir] = documented[s.dir] || s.ast.Doc != nil
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: no package comment; say what lives here and what must never", dir)
		}
	}
}

// A rule that nothing can break would be no rule.
func TestHouseRulesSeeWhatTheyForbid(t *testing.T) {
	tests := map[string]struct{ path, text, want string }{
		"import upwards":         {"internal/hosting/a.go", `import _ "kubepanel.io/kubepanel/internal/kube"`, "may not import internal/kube"},
		"operator's subjects":    {"internal/operator/backup/a.go", `import _ "kubepanel.io/kubepanel/internal/operator/dns"`, "subjects talk"},
		"clock in a builder":     {"internal/desired/a.go", `import _ "time"`, "may not import time"},
		"Kubernetes in the site": {"internal/toolbox/a.go", `import _ "k8s.io/api/core/v1"`, "may not import k8s.io"},
		"Caddy for people":       {"cmd/kubepanel/a.go", `import _ "kubepanel.io/kubepanel/internal/edge"`, "may not import"},
		"lab inside":             {"lab/a_test.go", `import _ "kubepanel.io/kubepanel/internal/desired"`, "may not import internal/desired"},
		"API server for tests":   {"internal/kube/a.go", `import _ "kubepanel.io/kubepanel/internal/kubetest"`, "only tests may import"},
		"text of an error":       {"internal/kube/a.go", `func f() bool { return strings.Contains(err.Error(), "x") }`, "decides by the text"},
		"equal text":             {"internal/kube/a.go", `func f() bool { return err.Error() == "x" }`, "decides by the text"},
		"sleep":                  {"internal/operator/domain/a.go", `func f() { time.Sleep(1) }`, "never sleeps"},
		"other context":          {"internal/operator/a.go", `func f(ctx context.Context) { g(context.Background()) }`, "uses the context"},
		"shell":                  {"node/phase/a.go", `func f() { exec.Command("sh", "-c", x) }`, "starts a shell"},
		"failed to":              {"internal/kube/a.go", `func f() error { return fmt.Errorf("failed to read: %w", err) }`, "says what was being done"},
		"init":                   {"internal/kube/a.go", `func init() {}`, "init runs"},
		"parameters":             {"internal/kube/a.go", `func f(a, b, c, d, e, g int) {}`, "6 parameters"},
		"complexity":             {"internal/kube/a.go", `func f() { ` + strings.Repeat("if a && b {}; ", 8) + `}`, "complexity 17"},
		"long function":          {"internal/kube/a.go", "func f() {" + strings.Repeat("\n", 60) + "}", "61 lines"},
		"long file":              {"internal/kube/a.go", strings.Repeat("\n", 401), "lines, limit 400"},
		"skipped forever":        {"internal/kube/a_test.go", `func TestA(t *testing.T) { t.Skip("later") }`, "always skipped"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := parse(tt.path, []byte("package a\n"+tt.text))
			if err != nil {
				t.Fatal(err)
			}
			s.check()
			if len(s.faults) != 1 || !strings.Contains(s.faults[0], tt.want) {
				t.Errorf("faults of %q = %q, want one that says %q", tt.text, s.faults, tt.want)
			}
		})
	}
}

// sources reads the whole tree, our other modules included.
func sources(t *testing.T) []*source {
	t.Helper()
	var all []*source
	err := filepath.WalkDir(".", func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (e.Name() == "testdata" || (strings.HasPrefix(e.Name(), ".") && file != ".")) {
			return filepath.SkipDir
		}
		if e.IsDir() || !strings.HasSuffix(file, ".go") {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		s, err := parse(filepath.ToSlash(file), text)
		if err != nil || ast.IsGenerated(s.ast) {
			return err
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func parse(file string, text []byte) (*source, error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, text, parser.ParseComments)
	return &source{
		path: file, dir: path.Dir(file), lines: bytes.Count(text, []byte("\n")),
		test: strings.HasSuffix(file, "_test.go"), set: set, ast: tree,
	}, err
}

func checkImports(s *source) {
	room := roomOf(s.dir)
	for _, spec := range s.ast.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		own, ours := strings.CutPrefix(imported, module)
		switch {
		case ours && slices.Contains(forTests, own):
			if !s.test && !anyUnder(s.dir, forTests) {
				s.breaks(spec, "only tests may import %s", own)
			}
		case ours && s.test && anyUnder(own, mayTest[room]):
		case ours && !under(own, room) && !anyUnder(own, mayImport[room]):
			s.breaks(spec, "%s may not import %s", room, own)
		case ours && !s.test && subject(s.dir) != "" && subject(own) != "" && subject(s.dir) != subject(own):
			s.breaks(spec, "subjects talk through the API server; %s may not import %s", subject(s.dir), subject(own))
		case !s.test && anyUnder(imported, mustNotImport[room]):
			s.breaks(spec, "%s may not import %s", room, imported)
		}
	}
}

// roomOf returns the longest listed room that the folder is in.
func roomOf(dir string) string {
	room := dir
	longest := -1
	for name := range mayImport {
		if under(dir, name) && len(name) > longest {
			room, longest = name, len(name)
		}
	}
	return room
}

// subject returns "backup" for internal/operator/backup and below.
func subject(dir string) string {
	rest, ok := strings.CutPrefix(dir, "internal/operator/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func under(folder, room string) bool { return folder == room || strings.HasPrefix(folder, room+"/") }

func anyUnder(folder string, rooms []string) bool {
	return slices.ContainsFunc(rooms, func(room string) bool { return under(folder, room) })
}
