package web_test

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// aField is one of a form, as a browser reads it.
type aField struct {
	id, name, kind, value string
	options               []string
	chosen                []string
	invalid               bool
	described             string
}

// typed tells a field that takes any text from one that is chosen, and from one that nobody sees.
func (f aField) typed() bool {
	return !slices.Contains([]string{"select", "radio", "checkbox", "hidden", "submit"}, f.kind)
}

// bad are the values that a field must refuse.
func (f aField) bad() []string {
	switch {
	case f.kind == "checkbox" && len(f.options) == 1 && (f.options[0] == "1" || f.options[0] == "on" || f.options[0] == ""):
		return nil // it is ticked or not
	case !f.typed():
		return []string{"no-such-choice"}
	}
	control := "a\x01b"
	if f.kind == "textarea" { // its lines are for programs, which take any character but NUL
		control = "a\x00b"
	}
	all := []string{control, strings.Repeat("x", 20_000)}
	if one := wrong[f.name]; one != "" {
		all = append(all, one)
	}
	return all
}

// aForm is a form of a page; where two differ in no name of a field, one stands for both.
type aForm struct {
	action, route, method, kind string
	fields                      []aField
	buttons                     []aField
}

func (f aForm) same(as aForm) bool {
	return f.route == as.route && slices.EqualFunc(f.fields, as.fields, func(a, b aField) bool { return a.name == b.name })
}

func (f aForm) field(name string) *aField {
	for i := range f.fields {
		if f.fields[i].name == name {
			return &f.fields[i]
		}
	}
	return nil
}

// forms are those of a page that somebody looks at.
func (w *inspector) forms(seat int, page string) []aForm {
	w.t.Helper()
	b := w.browser(seat)
	if page == "/sign-in/code" {
		b.signIn(w.jo.Email)
	}
	if path, posted := strings.CutPrefix(page, "POST "); posted {
		return w.formsIn(b.post(path, nil).body)
	}
	return w.formsIn(b.get(w.path(page)).body)
}

func (w *inspector) formsIn(page string) []aForm {
	w.t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	w.must(err)
	var all []aForm
	for n := range root.Descendants() {
		if n.Data != "form" || !strings.HasPrefix(attr(n, "action"), "/") {
			continue
		}
		f := aForm{action: attr(n, "action"), method: cmp.Or(strings.ToUpper(attr(n, "method")), http.MethodGet), kind: attr(n, "enctype")}
		r, err := http.NewRequestWithContext(w.t.Context(), f.method, panelURL+f.action, http.NoBody)
		w.must(err)
		_, f.route = w.routes.Handler(r)
		for in := range n.Descendants() {
			f.read(in)
		}
		all = append(all, f)
	}
	return all
}

func (f *aForm) read(n *html.Node) {
	name := attr(n, "name")
	if n.Type != html.ElementNode || name == "" && n.Data != "button" {
		return
	}
	got := aField{id: attr(n, "id"), name: name, kind: n.Data, value: attr(n, "value"), invalid: attr(n, "aria-invalid") == "true", described: attr(n, "aria-describedby")}
	switch n.Data {
	case "textarea":
		got.value = text(n)
	case "select":
		for o := range n.Descendants() {
			if o.Data == "option" {
				got.options = append(got.options, attr(o, "value"))
				if has(o, "selected") {
					got.chosen = []string{attr(o, "value")}
				}
			}
		}
		if got.chosen == nil && len(got.options) > 0 {
			got.chosen = got.options[:1]
		}
	case "button":
		if attr(n, "type") == "submit" && !has(n, "formaction") {
			f.buttons = append(f.buttons, got)
		}
		return
	case "input":
		got.kind = attr(n, "type")
		if got.kind == "radio" || got.kind == "checkbox" {
			got.options = []string{got.value}
			if has(n, "checked") {
				got.chosen = got.options
			}
		}
	default:
		return
	}
	if was := f.field(name); was != nil {
		was.options, was.chosen = append(was.options, got.options...), append(was.chosen, got.chosen...)
		was.invalid, was.described = was.invalid || got.invalid, was.described+" "+got.described
		return
	}
	f.fields = append(f.fields, got)
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

// says is the text of an element.
func says(page, id string) string {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return ""
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && attr(n, "id") == id {
			return strings.TrimSpace(text(n))
		}
	}
	return ""
}
