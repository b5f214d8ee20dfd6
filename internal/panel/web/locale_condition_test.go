package web_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/panel/web/locale"
)

// conditions are the sentences that the operator may write into a status, as its code
// has them: its texts of several words but errors and what goes to the log, the errors
// of building a site's objects, and the faults of settings.
func conditions(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir("../../operator", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		// MariaDB is told statements and answers in words of its own; the platform's Secrets
		// have no status.
		if d.IsDir() && (d.Name() == "mariadb" || d.Name() == "platform") {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			all = append(all, textsIn(t, path, textOf)...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, textsIn(t, "../../../api/platform/setting.go", textOf)...)
	built, err := filepath.Glob("../../desired/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(built, "../../kube/plan/plan.go") {
		if !strings.HasSuffix(path, "_test.go") {
			all = append(all, textsIn(t, path, faultOf)...)
		}
	}
	all = append(all, textsIn(t, "../../kube/plan/plan.go", textOf)...) // a plan says what the operator would
	all = append(all, textsIn(t, "../../hosting/progress.go", titleOf)...)
	all = slices.DeleteFunc(all, func(s string) bool { return strings.Trim(s, "%sqd.: ") == "" })
	slices.Sort(all)
	return slices.Compact(all)
}

// textsIn are those that a file has by one of the functions below: it looks at each
// part of the code and tells whether to look at the parts of that.
func textsIn(t *testing.T, path string, of func(ast.Node) (text string, deeper bool)) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		text, deeper := of(n)
		if text != "" {
			all = append(all, regexp.MustCompile(`%[vT]`).ReplaceAllString(strings.TrimSpace(text), "%s"))
		}
		return deeper
	})
	return all
}

// textOf is a text of several words that is no error, no line of a log and no help.
func textOf(n ast.Node) (text string, deeper bool) {
	switch x := n.(type) {
	case *ast.CallExpr:
		switch called(x) {
		case "Errorf", "New", "Info", "Error", "NewDesc", "Contains":
			return "", false
		}
	case *ast.KeyValueExpr:
		if key, ok := x.Key.(*ast.Ident); ok && key.Name == "Help" {
			return "", false
		}
	case *ast.BasicLit, *ast.BinaryExpr:
		if s := said(x.(ast.Expr)); regexp.MustCompile(`[a-z:'] [%a-zA-Z]`).MatchString(s) { //nolint:forcetypeassert // both are
			return s, false
		}
	}
	return "", true
}

// faultOf is an error, or what a setting is told.
func faultOf(n ast.Node) (text string, deeper bool) {
	switch x := n.(type) {
	case *ast.CallExpr:
		if of := called(x); of == "Errorf" || of == "New" {
			return said(x), false
		}
	case *ast.BasicLit:
		if s := said(x); strings.HasPrefix(s, "spec.") && strings.Contains(s, " ") {
			return s, false
		}
	}
	return "", true
}

// titleOf is the name of a step.
func titleOf(n ast.Node) (text string, deeper bool) {
	if pair, ok := n.(*ast.CompositeLit); ok && pair.Type == nil && len(pair.Elts) == 2 {
		return "its " + said(pair.Elts[1]), false
	}
	return "", true
}

// Whatever the operator may write into a status has been said in every language.
func TestConditionsAreInEveryLanguage(t *testing.T) {
	set, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	all := conditions(t)
	if len(all) < 100 {
		t.Fatalf("found %d sentences, want all of the operator", len(all))
	}
	for _, l := range set[1:] {
		for _, s := range all {
			if l.Answers[s] == "" {
				t.Errorf("%s lacks the condition %q", l.Tag, s)
			}
		}
	}
}

// What is put together of several sentences is taken apart, and what a program said
// stays as it is.
func TestConditionsAreSaidWithTheProgramsWords(t *testing.T) {
	set, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	de := set.Find("de")
	for message, want := range map[string]string{
		"": "",
		"The pod was ended: The node was low on resource: memory. Threshold was 100Mi. A new one takes its place.": "Der Pod wurde beendet: " +
			"[The node was low on resource: memory. Threshold was 100Mi.] Ein neuer tritt an seine Stelle.",
		"No node takes the pod: 0/2 nodes are available: 1 node(s) were unschedulable. preemption: none. Node a-1 is closed for new pods (kubectl uncordon a-1). " +
			"The disk of node b is full: free space on it. There is more. Free or add capacity, or lower spec.resources.requests.": "Kein Knoten nimmt den Pod: " +
			"[0/2 nodes are available: 1 node(s) were unschedulable. preemption: none.] Der Knoten a-1 ist für neue Pods geschlossen (kubectl uncordon a-1). " +
			"Die Platte des Knotens b ist voll: Schaffen Sie dort Platz. Es gibt mehr. Schaffen Sie Platz oder fügen Sie welchen hinzu, oder senken Sie spec.resources.requests.",
		`spec.workload.settings.a: there is no such setting; there are: b, c; spec.workload.settings.b: "x" is not a value it can have; it takes a whole number from 1 on. The site runs without; correct or remove it.`: `spec.workload.settings.a: Diese Einstellung gibt es nicht; es gibt: [b, c]; spec.workload.settings.b: "x" kann nicht ihr Wert sein; erlaubt: eine ganze Zahl ab 1. Die Website läuft ohne; berichtigen oder entfernen Sie es.`,
		`nginx: "a\"$" can't be written into a configuration file.`: `nginx: "a\"$" kann nicht in eine Konfigurationsdatei geschrieben werden.`,
		`The site café.example is stuck at its SFTP service: Container sftp ended with code 1: panic: no. It is started again.`: "Die Website café.example steckt fest (SFTP-Dienst): " +
			"Der Container sftp endete mit Code 1: [panic: no.] Er wird wieder gestartet.",
		"The network plug-in let through what a NetworkPolicy forbids: IPv4 into a pod on node a; IPv6 out of a pod to node b. Sites could reach each other, so no new one is made. " +
			"Install a network plug-in that enforces NetworkPolicies, such as Calico or Cilium, or let sites live without that wall: isolation.requireNetworkPolicy=false in the chart's values.": "Das Netzwerk-Plugin ließ durch, " +
			"was eine NetworkPolicy verbietet: IPv4 in einen Pod auf Knoten a; IPv6 aus einem Pod zu Knoten b. Websites könnten einander erreichen, darum wird keine neue angelegt. " +
			"Installieren Sie ein Netzwerk-Plugin, das NetworkPolicies durchsetzt, etwa Calico oder Cilium, oder lassen Sie Websites ohne diese Wand leben: isolation.requireNetworkPolicy=false in den Werten des Charts.",
		"Nobody ever said this.": "[Nobody ever said this.]",
	} {
		var got strings.Builder
		for _, p := range de.Parts(message) {
			if p.Foreign {
				got.WriteString("[" + p.Text + "]")
			} else {
				got.WriteString(p.Text)
			}
		}
		if got.String() != want {
			t.Errorf("Parts(%q) =\n%s\nwant\n%s", message, &got, want)
		}
	}
}

func TestStuckSiteSaysWhyInTheLanguageOfThePage(t *testing.T) {
	h := newHouse(t)
	h.site("shop.example", stuck)
	quoted := `<q dir="ltr" lang="en">unknown directive &#34;foo&#34; in custom.conf:1.</q>`
	for tag, says := range map[string][]string{
		"de": {"nginx weist seine Konfiguration mit spec.webserver.customConfig zurück: " + quoted + " Die Website läuft ohne diese Änderung weiter; berichtigen Sie sie.", "steckt fest (Pod): nginx weist"},
		"ar": {"يرفض nginx إعداداته مع spec.webserver.customConfig: " + quoted + " يعمل الموقع دون هذا التغيير؛ صحّحه.", "الموقع shop.example عالق (الحاوية): يرفض nginx"},
		"en": {"nginx refuses its configuration with spec.webserver.customConfig: unknown directive &#34;foo&#34; in custom.conf:1. The site serves without this change; correct it."},
	} {
		r := httptest.NewRequest(http.MethodGet, "/sites/shop.example", nil)
		r.Header.Set("Cookie", "language="+tag)
		h.ask(r).want(t, http.StatusOK, says...)
	}
}
