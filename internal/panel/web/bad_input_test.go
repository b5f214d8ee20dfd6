package web_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/panel/web"
)

// A value that no rule takes comes back with its form and one sentence at its field, and
// nothing was done: for every field of every form that somebody of the town is shown. A new
// form is tried by itself; a field that has no wrong value, or no place for a sentence,
// stands in allowed with its reason.
func TestBadInputIsToldAtItsField(t *testing.T) {
	w := newInspector(t, apiServer(t))
	tried := map[string]bool{}
	for _, seat := range []int{administrator, customer, reseller, anonymous, helper, viewer, neighbour} {
		for _, page := range pages(seat) {
			for _, f := range w.forms(seat, page) {
				tried[f.route] = true
				for _, field := range f.fields {
					at := f.route + " " + field.name
					if !tried[page+" "+at] {
						tried[page+" "+at], tried[at] = true, true
						w.spoil(seat, page, f, field)
					}
				}
			}
		}
	}
	for _, route := range web.Actions() {
		if reason := elsewhere[route]; (reason != "") == tried[route] {
			t.Errorf("%s: a form of it was found: %v; why there should be none: %q", route, tried[route], reason)
		}
	}
	for field := range allowed {
		if !tried[field] {
			t.Errorf("there is no field %s any more", field)
		}
	}
}

// elsewhere are the actions that have no form with a field on the pages of the town, and why.
var elsewhere = map[string]string{
	"HEAD /sites/{site}/files/upload":               "files.js sends files by it",
	"PATCH /sites/{site}/files/upload":              "files.js sends files by it",
	"DELETE /sites/{site}/files/upload":             "files.js sends files by it",
	"POST /account/browsers/forget":                 "a button, of who has signed in with several browsers",
	"POST /account/passkey":                         "panel.js sends JSON",
	"POST /account/passkey/answer":                  "panel.js sends JSON",
	"POST /account/passkey/remove":                  "a button, of who has a passkey",
	"POST /act-as/end":                              "a button, of who uses another's account",
	"POST /enrol/passkey":                           "panel.js sends JSON",
	"POST /enrol/passkey/answer":                    "panel.js sends JSON",
	"POST /packages/{package}/delete":               "a button, of packages that nobody has",
	"POST /platform/logo/remove":                    "a button, where there is a logo",
	"POST /platform/nodes/{node}/open":              "a button, of nodes that are closed",
	"POST /sign-in/mailed/again":                    "where codes are mailed: mailed_test.go",
	"POST /sign-in/passkey":                         "panel.js sends JSON",
	"POST /sign-in/passkey/answer":                  "panel.js sends JSON",
	"POST /sites/{site}/files/jobs/{change}/cancel": "a button, while files are changed",
	"POST /sites/{site}/purge-cache":                "a button, of sites with a page cache",
	"POST /sites/{site}/resume":                     "a button, of sites that are suspended",
	"POST /users/{user}/delete":                     "a button, of accounts without sites",
	"POST /users/{user}/resume":                     "a button, of accounts that are suspended",
}

// allowed are fields, by action and name, and why what is asked of others is not of them.
var allowed = map[string]string{
	"POST /look next":                    "what is no page of ours leads to the first",
	"POST /sign-in next":                 "what is no page of ours leads to the first",
	"POST /platform/first-steps next":    "what is no page of ours leads to the first",
	"POST /enrol/code next":              "what is no page of ours leads to the first",
	"GET /audit q":                       "what is looked for and is not there",
	"GET /audit who":                     "what is looked for and is not there",
	"GET /audit zone":                    "the browser's own zone; what is none is UTC, as the page says",
	"GET /audit did":                     "what is looked for and is not there",
	"GET /sites q":                       "what is looked for and is not there",
	"GET /sites runtime":                 "a site may run what is no longer offered; what is no runtime is tried in site_test.go",
	"GET /users q":                       "what is looked for and is not there",
	"GET /sites/{site}/logs q":           "what is looked for and is not there; what is no expression is tried in site_logs_test.go",
	"POST /sites/{site}/files/edit text": "a file may say anything",
	"POST /sites/{site}/files/edit ends": "how lines end is seen in the file",
	"POST /sites/{site}/files file":      "what is ordered of a site's files is noted before it is tried",
	"POST /sites/{site}/files/edit sum":  "what is ordered of a site's files is noted before it is tried",
	"POST /sites/{site}/files on":        "where the answer leads to",
	"POST /sign-in email":                "the answer tells nobody whether the address or the password is wrong",
	"POST /sign-in password":             "the answer tells nobody whether the address or the password is wrong",
	"POST /password code":                "a link brings it: that it is used up stands above the form, with what to do",
	"POST /start code":                   "there is an administrator",
	"POST /start name":                   "there is an administrator",
	"POST /start email":                  "there is an administrator",
	"POST /start password":               "there is an administrator",
}

// wrong are values that have the right form and are refused all the same, by field.
var wrong = map[string]string{
	"sites": "-1", "storage": "-5Gi", "memory": "1Mi", "cpu": "-1", "port": "70000", "timeout": "0", "mode": "999", "light": "red", "dark": "#12345",
	"email": "jo at shop", "admin-email": "jo at shop", "admin-user": "-jo-", "locale": "Englisch", "issuer": "http://login.works.example", "domains": "192.0.2.1",
	"redirects": "/login", "farewells": "/bye", "logout": "ftp://grafana.example", "alias": "192.0.2.1", "image": "a b", "preferred-nodes": "Node 1", "setting": "no setting",
	"schedule": "61 * * * *", "timezone": "Mars/Base", "env": "no variable", "from": "yesterday", "to": "no/such/place", "archive": "a.rar", "spec.timezone": "Mars Base",
	"spec.webserver.documentRoot": "../..", "spec.webserver.clientMaxBodySize": "64 pages", "spec.sftp.authorizedKeys": "ssh-rsa ?",
}

// press is the button that a field is for, where that is not the form's first.
var press = map[string]string{"to": "move", "archive": "pack"}

// with are other values that a field's wrong one is sent with.
var with = map[string]url.Values{
	"POST /account/tokens scope":        {"reach": {"chosen"}},
	"POST /platform/settings light":     {"own": nil},
	"POST /platform/settings dark":      {"own": nil},
	"POST /sites/{site}/files to":       {"file": {"index.php"}},
	"POST /sites/{site}/files archive":  {"file": {"index.php"}},
	"POST /companies package":           {"role": {"customer"}},
	"POST /companies/{company} package": {"role": {"customer"}},
}

// pages are all that may have a form.
func pages(seat int) []string {
	switch seat {
	case anonymous:
		return web.Open()
	case helper:
		return []string{"/enrol", "POST /enrol/code"}
	case viewer:
		return []string{"/sign-in/mailed"}
	case neighbour:
		return []string{"POST /account/code"}
	}
	return append(web.Pages(), "/sites/other.example/settings", "POST /account/code")
}

// spoil sends a form with each wrong value of a field, the others as shown.
func (w *inspector) spoil(seat int, page string, like aForm, field aField) {
	w.t.Helper()
	if allowed[like.route+" "+field.name] != "" {
		return
	}
	for _, bad := range field.bad() {
		at := fmt.Sprintf("%s %s = %.20q on %s by seat %d", like.route, field.name, bad, page, seat)
		all := w.forms(seat, page)
		i := slices.IndexFunc(all, like.same)
		if i < 0 {
			w.t.Errorf("%s: the form is gone", at)
			return
		}
		before := w.state()
		w.log.Reset()
		got := w.send(seat, all[i], w.filled(seat, all[i], field.name, bad))
		if now := w.state(); !slices.Equal(now, before) {
			w.t.Errorf("%s: answered %d, and something was changed: %.200q", at, got.code, slices.DeleteFunc(now, func(line string) bool { return slices.Contains(before, line) }))
			*w = *newInspector(w.t, w.api) // what was done is done
			continue
		}
		w.told(at, got, like, field, bad)
	}
}

// filled is a form as it is sent, with what the town has for fields that are shown empty.
func (w *inspector) filled(seat int, f aForm, about, bad string) url.Values {
	_, pattern, _ := strings.Cut(f.route, " ")
	form, known := url.Values{}, w.form(seat, pattern)
	for _, field := range f.fields {
		form.Set(field.name, field.value)
		if field.options != nil {
			form[field.name] = field.chosen
		}
		if form.Get(field.name) == "" && known.Get(field.name) != "" {
			form[field.name] = known[field.name]
		}
	}
	if pattern == "/password" && about == "password" {
		form.Set("code", w.link)
	}
	maps.Copy(form, with[f.route+" "+about])
	for _, b := range f.buttons {
		if by := press[about]; b.name != "" && (by == "" || by == b.value) {
			form.Set(b.name, b.value)
		}
		if form.Has(b.name) || b.name == "" {
			break
		}
	}
	form.Set(about, bad)
	return form
}

func (w *inspector) send(seat int, f aForm, form url.Values) answer {
	w.t.Helper()
	b := w.browser(seat)
	switch {
	case f.method == http.MethodGet:
		return b.get(f.action + "?" + form.Encode())
	case f.kind == "multipart/form-data":
		var body strings.Builder
		for name := range form {
			fmt.Fprintf(&body, "--x\r\nContent-Disposition: form-data; name=%q; filename=\"a\"\r\n\r\n%s\r\n", name, form.Get(name))
		}
		return b.send(f.method, f.action, "multipart/form-data; boundary=x", body.String()+"--x--\r\n")
	}
	return b.post(f.action, form)
}

// told checks the answer to a wrong value.
func (w *inspector) told(at string, got answer, f aForm, field aField, bad string) {
	w.t.Helper()
	switch {
	case trace.MatchString(got.body) || trace.MatchString(w.log.String()):
		w.t.Errorf("%s tells of its insides: %.1500s", at, got.body)
	case field.kind == "hidden" && got.code >= http.StatusBadRequest && got.code < http.StatusInternalServerError:
		return // nobody typed it
	case got.code != http.StatusUnprocessableEntity && (got.code != http.StatusUnauthorized || field.kind != "password" && field.name != "code"):
		w.t.Errorf("%s: answered %d %s %s", at, got.code, got.header.Get("Location"), says(got.body, "main"))
		return
	}
	again := w.formsIn(got.body)
	i := slices.IndexFunc(again, f.same)
	if i < 0 {
		w.t.Errorf("%s: the form is not there again", at)
		return
	}
	shown := again[i].field(field.name)
	secret := field.kind == "password" || field.kind == "file" || field.name == "code"
	if kept := strings.TrimPrefix(shown.value, "\n") == strings.ReplaceAll(bad, "\x00", "\uFFFD"); field.typed() && kept == secret {
		w.t.Errorf("%s: what was typed is kept: %v", at, kept)
	}
	described := strings.Fields(shown.described)
	fault := slices.IndexFunc(described, func(id string) bool { return strings.HasSuffix(id, "-fault") })
	if fault < 0 || !shown.invalid || says(got.body, described[fault]) == "" {
		w.t.Errorf("%s: the field is invalid: %v, described by %q; the page says %.200q", at, shown.invalid, described, faultsIn(got.body))
	}
}

var faultTexts = regexp.MustCompile(`(?s)class="(?:fault|note bad)".{0,400}`)

func faultsIn(page string) string { return faultTexts.FindString(page) }
