package v1alpha1_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"kubepanel.io/kubepanel/internal/kubetest"
)

var indices = regexp.MustCompile(`\[\d+\]`)

// A rule that no case breaks might as well not be there: every sentence is met
// by a case of some kind, and every field with rules, a closed list of values or
// required fields by a case of its own kind that is refused there.
func TestEveryRuleHasACaseThatIsRefused(t *testing.T) {
	all := tables(t)
	said := sentences(all)
	for _, crd := range readCRDs(t) {
		kind := strings.ToLower(crd.Spec.Names.Kind)
		refused := refusedFields(all[kind])
		walk("", *crd.Spec.Versions[0].Schema.OpenAPIV3Schema, func(path string, s apiextensionsv1.JSONSchemaProps) {
			for _, rule := range s.XValidations {
				if !slices.ContainsFunc(said, func(part string) bool { return strings.Contains(rule.Message, part) }) {
					t.Errorf("%s: no case is refused with: %s", kind, rule.Message)
				}
			}
			if !strings.HasPrefix(path, "spec") || secretReference.MatchString(path) {
				return
			}
			ruled := len(s.Enum) > 0 || (len(s.XValidations) > 0 && s.Type == "string")
			if ruled && !refused[path] {
				t.Errorf("%s: no case gives %s a value that it must not have", kind, path)
			}
			for _, name := range s.Required {
				if field := path + "." + name; !refused[field] {
					t.Errorf("%s: no case leaves out %s", kind, field)
				}
			}
		})
	}
}

// secretReference: references to Secrets are one Go type, so the cases of one
// place test for all.
var secretReference = regexp.MustCompile(`(?i)secretref(\..*)?$`)

func sentences(all map[string]table) []string {
	var said []string
	for _, t := range all {
		for _, c := range t.Cases {
			for _, r := range c.Refused {
				said = append(said, r.Message)
			}
		}
	}
	return said
}

func refusedFields(t table) map[string]bool {
	refused := map[string]bool{}
	for _, c := range t.Cases {
		for _, r := range c.Refused {
			refused[indices.ReplaceAllString(r.Field, "[]")] = true
		}
	}
	return refused
}

func readCRDs(t *testing.T) []apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	root, err := kubetest.Root()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "deploy/kubepanel/files/crds/*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no CRDs: %v", err)
	}
	crds := make([]apiextensionsv1.CustomResourceDefinition, len(files))
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, &crds[i]); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return crds
}

// walk visits a schema and all below it, by the path that the API server uses.
func walk(path string, s apiextensionsv1.JSONSchemaProps, visit func(string, apiextensionsv1.JSONSchemaProps)) {
	visit(path, s)
	for name, below := range s.Properties {
		walk(strings.TrimPrefix(path+"."+name, "."), below, visit)
	}
	if s.Items != nil && s.Items.Schema != nil {
		walk(path+"[]", *s.Items.Schema, visit)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		walk(path+"[*]", *s.AdditionalProperties.Schema, visit)
	}
}

// Every text and list of a spec is bounded, or a customer could fill etcd, and
// the API server could not tell what a rule costs.
func TestEverythingInASpecIsBoundedAndDescribed(t *testing.T) {
	for _, crd := range readCRDs(t) {
		walk("", *crd.Spec.Versions[0].Schema.OpenAPIV3Schema, func(path string, s apiextensionsv1.JSONSchemaProps) {
			if path == "" || path == "metadata" || strings.HasSuffix(path, "]") {
				return
			}
			if s.Description == "" {
				t.Errorf("%s: %s has no description", crd.Name, path)
			}
			if strings.HasPrefix(path, "spec") && unbounded(s) {
				t.Errorf("%s: %s has no limit", crd.Name, path)
			}
		})
	}
}

func unbounded(s apiextensionsv1.JSONSchemaProps) bool {
	switch s.Type {
	case "string":
		return s.MaxLength == nil && len(s.Enum) == 0 && s.Format != "date-time"
	case "array":
		return s.MaxItems == nil
	case "object":
		return s.AdditionalProperties != nil && s.MaxProperties == nil
	}
	return false
}

// The limits are the contract's; the API server takes what just fits and
// refuses one more.
func TestSizesEndWhereTheContractSays(t *testing.T) {
	tests := map[string]struct {
		kind  string
		limit int
		patch func(n int) map[string]any
	}{
		"title":      {"domain", 255, func(n int) map[string]any { return spec("title", text(n)) }},
		"domainName": {"domain", 253, func(n int) map[string]any { return spec("domainName", name(n)) }},
		"aliases":    {"domain", 100, func(n int) map[string]any { return spec("aliases", aliases(n)) }},
		"php.ini":    {"domain", 10000, func(n int) map[string]any { return spec("workload", map[string]any{"customConfig": text(n)}) }},
		"nginx.conf": {"domain", 10000, func(n int) map[string]any { return spec("webserver", map[string]any{"customConfig": text(n)}) }},
		"SSH keys":   {"domain", 20, func(n int) map[string]any { return spec("sftp", map[string]any{"authorizedKeys": keys(n)}) }},
		"rule's comment": {"globalwaf", 255, func(n int) map[string]any {
			return spec("rules", []any{map[string]any{"path": "/", "action": "block", "comment": text(n)}})
		}},
		"path's comment": {"domainwaf", 255, func(n int) map[string]any {
			return spec("protectedPaths", []any{map[string]any{"path": "/", "comment": text(n)}})
		}},
		"content of TXT": {"dnszone", 4096, func(n int) map[string]any {
			return spec("records", []any{map[string]any{"type": "TXT", "name": "a", "content": text(n)}})
		}},
		"records of a zone": {"dnszone", 500, func(n int) map[string]any { return spec("records", records(n)) }},
	}
	all := tables(t)
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			base := all[tt.kind].Base
			if _, err := answer(t, base, ruleCase{Patch: tt.patch(tt.limit)}); err != nil {
				t.Errorf("%d of %s: %v, want it accepted", tt.limit, what, err)
			}
			if _, err := answer(t, base, ruleCase{Patch: tt.patch(tt.limit + 1)}); err == nil {
				t.Errorf("%d of %s: accepted, want it refused", tt.limit+1, what)
			}
		})
	}
}

func spec(field string, value any) map[string]any {
	return map[string]any{"spec": map[string]any{field: value}}
}

func text(n int) string { return strings.Repeat("x", n) }

// name returns a domain name of n characters, in labels of two.
func name(n int) string {
	long := strings.Repeat("ab.", n/3) + "example"
	return long[len(long)-n:]
}

func aliases(n int) (list []any) {
	for i := range n {
		list = append(list, map[string]any{"name": fmt.Sprintf("a%d.example", i)})
	}
	return list
}

func keys(n int) (list []any) {
	for i := range n {
		list = append(list, fmt.Sprintf("ssh-ed25519 AAAA%d", i))
	}
	return list
}

func records(n int) (list []any) {
	for i := range n {
		list = append(list, map[string]any{"type": "A", "name": fmt.Sprintf("a%d", i), "content": "203.0.113.7"})
	}
	return list
}
