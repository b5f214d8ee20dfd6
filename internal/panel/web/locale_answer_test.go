package web_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/panel/web/locale"
)

// forProviders are files whose answers go to who runs the platform, in a shell.
var forProviders = []string{"platform.go", "isolation.go", "trail.go"}

// answers are the sentences that rules may answer with, as their code has them: those
// of an Error, those of a form's fields, and every error that names a mend after a
// semicolon. A value in them is %s.
func answers(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, dir := range []string{"../../hosting", "../auth", "../door", "../openid", "."} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name := filepath.Base(file)
			if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_templ.go") || slices.Contains(forProviders, name) {
				continue
			}
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(tree, func(n ast.Node) bool {
				all = append(all, answersOf(n)...)
				return true
			})
		}
	}
	all = slices.DeleteFunc(all, func(s string) bool { return strings.Trim(s, "%sqd.: ") == "" })
	slices.Sort(all)
	return slices.Compact(all)
}

func answersOf(n ast.Node) []string {
	switch x := n.(type) {
	case *ast.KeyValueExpr:
		if key, ok := x.Key.(*ast.Ident); ok && (key.Name == "Message" || key.Name == "Mend") {
			return []string{said(x.Value)}
		}
	case *ast.CallExpr:
		switch of := called(x); {
		case of == "say" && len(x.Args) == 3: // the toolbox's, in hosting's words
			return []string{said(x.Args[1]), said(x.Args[2])}
		case of == "add" && len(x.Args) == 2:
			return []string{sentenceOf(said(x.Args[1]))}
		case (of == "New" || of == "Errorf") && strings.Contains(said(x), "; "):
			return []string{sentenceOf(said(x))}
		}
	}
	return nil
}

// said is the sentence that an expression makes.
func said(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(x.Value); err == nil {
			return strings.ReplaceAll(text, "%w", "%s")
		}
	case *ast.BinaryExpr:
		return said(x.X) + said(x.Y)
	case *ast.CallExpr:
		if of := called(x); len(x.Args) > 0 && (of == "Sprintf" || of == "Errorf" || of == "New") {
			return said(x.Args[0])
		}
	}
	return "%s"
}

func called(x *ast.CallExpr) string {
	switch f := x.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// sentenceOf is how a fault becomes a sentence.
func sentenceOf(text string) string {
	if text == "" || strings.HasPrefix(text, "%") {
		return strings.TrimSuffix(text, ".") + "."
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

// Whatever rules may answer has been said in every language.
func TestAnswersAreInEveryLanguage(t *testing.T) {
	set, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	all := answers(t)
	if len(all) < 200 {
		t.Fatalf("found %d sentences, want all of the rules", len(all))
	}
	for _, l := range set[1:] {
		for _, s := range all {
			if l.Answers[s] == "" {
				t.Errorf("%s lacks the answer %q", l.Tag, s)
			}
		}
		for s, own := range l.Answers {
			if got, want := placesIn(own), placesIn(s); !slices.Equal(got, want) {
				t.Errorf("%s answers %q with values %q, want %q", l.Tag, own, got, want)
			}
		}
	}
}

func TestRulesAnswerInTheLanguageOfWhoAsks(t *testing.T) {
	h := newHouse(t)
	h.as = h.jo
	for tag, says := range map[string]string{
		"de": "&#34;shop_.example&#34; enthält einen Unterstrich, den ein Hostname nicht haben kann",
		"ar": "&#34;shop_.example&#34; شرطة سفلية",
		"en": "&#34;shop_.example&#34; holds an underscore",
	} {
		r := httptest.NewRequest(http.MethodPost, "/sites", strings.NewReader(newSiteForm("shop_.example").Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Cookie", "language="+tag)
		h.ask(r).want(t, http.StatusUnprocessableEntity, says)
	}
	r := httptest.NewRequest(http.MethodGet, "/sites/"+url.PathEscape("nobody.example"), nil)
	r.Header.Set("Cookie", "language=de")
	h.ask(r).want(t, http.StatusNotFound, "Das gibt es nicht, oder es gehört Ihnen nicht.")
}
