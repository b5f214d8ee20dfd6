package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/panel/web"
)

// theirs says what comes of each page and action on something of Jo's, a letter for each
// seat of the town in its order: nobody, the administrator, Jo's reseller, Jo, a
// collaborator with all rights on her site, one who may only see it, one of another site
// of hers, another reseller, another customer. y is for let in (done, or told what is wrong
// with the form), n for not there, f for refused, s for sent to sign in, u for asked for
// a proof, such as a password or a code, that was not shown, and a for somebody else who is
// away, such as a company's provider.
var theirs = map[string]string{
	"GET /account": "syyyyyyyy", "POST /account/browsers/forget": "syyyyyyyy", "POST /account/code": "syyyyyyyy", "POST /account/code/confirm": "suuuuuuuu",
	"POST /account/code/remove": "syyyyyyyy", "POST /account/confirm": "syyyyyyyy", "POST /account/passkey": "syyyyyyyy", "POST /account/passkey/answer": "suuuuuuuu",
	"POST /account/passkey/remove": "snnnnnnnn", "POST /account/password": "syyyyyyyy", "POST /account/recovery-codes": "syyyyyyyy",
	"POST /account/sessions/end": "snnynnnnn", "GET /account/tokens": "syyyyyyyy", "POST /account/tokens": "syyyyyyyy", "POST /account/tokens/revoke": "snnynnnnn",
	"POST /act-as/end":  "suuuuuuuu",
	"GET /applications": "syfffffff", "POST /applications": "syfffffff", "GET /applications/new": "syfffffff", "GET /applications/{application}": "syfffffff",
	"POST /applications/{application}": "syfffffff", "POST /applications/{application}/delete": "syfffffff", "POST /applications/{application}/secret": "syfffffff",
	"GET /audit": "syyynnnyy", "GET /audit/export": "syyynnnyy",
	"GET /brand/preview.css": "yyyyyyyyy", "GET /brand/{file}": "nnnnnnnnn",
	"GET /companies": "syfffffff", "POST /companies": "syfffffff", "GET /companies/new": "syfffffff", "GET /companies/{company}": "syfffffff",
	"POST /companies/{company}": "syfffffff", "POST /companies/{company}/delete": "syfffffff",
	"GET /enrol": "syyyyyyyy", "POST /enrol/code": "uyyyyyyyy", "POST /enrol/code/confirm": "uuuuuuuuu", "POST /enrol/passkey": "uyyyyyyyy",
	"POST /enrol/passkey/answer": "uuuuuuuuu",
	"GET /forgot":                "yyyyyyyyy", "POST /forgot": "yyyyyyyyy",
	"POST /look":            "yyyyyyyyy",
	"GET /openid/authorize": "yyyyyyyyy", "GET /openid/leave": "syyyyyyyy",
	"GET /guides": "syyyyyyyy", "GET /guides/{guide}": "syyyyyyyy",
	"GET /packages": "syynnnnyn", "POST /packages": "syyffffyf", "GET /packages/new": "syyffffyf", "GET /packages/{package}": "syynnnnnn",
	"POST /packages/{package}": "syynnnnnn", "POST /packages/{package}/delete": "syynnnnnn",
	"GET /palette":  "syyyyyyyy",
	"GET /password": "yyyyyyyyy", "POST /password": "uuuuuuuuu",
	"GET /platform/catalogue": "syfffffff", "POST /platform/first-steps": "syfffffff", "POST /platform/logo": "syfffffff", "POST /platform/logo/remove": "syfffffff",
	"GET /platform/nodes": "syfffffff", "GET /platform/nodes/{node}": "syfffffff", "POST /platform/nodes/{node}/close": "syfffffff",
	"POST /platform/nodes/{node}/open": "syfffffff", "GET /platform/settings": "syfffffff", "POST /platform/settings": "syfffffff",
	"GET /sign-in": "yyyyyyyyy", "POST /sign-in": "uuuuuuuuu", "GET /sign-in/code": "yyyyyyyyy", "POST /sign-in/code": "uuuuuuuuu",
	"GET /sign-in/company/{company}": "aaaaaaaaa", "GET /sign-in/company/{company}/answer": "uuuuuuuuu", "GET /sign-in/mailed": "sssssssss",
	"POST /sign-in/mailed": "sssssssss", "POST /sign-in/mailed/again": "sssssssss", "POST /sign-in/passkey": "yyyyyyyyy", "POST /sign-in/passkey/answer": "uuuuuuuuu",
	"POST /sign-out": "sssssssss",
	"GET /sites":     "syyyyyyyy", "POST /sites": "syyynnnyy", "GET /sites/new": "syyynnnyy", "GET /sites/{site}": "syyyyynnn", "GET /sites/{site}/access": "syyyyynnn",
	"POST /sites/{site}/change": "syyyyfnnn", "GET /sites/{site}/cron": "syyyyfnnn", "POST /sites/{site}/cron": "syyyyfnnn", "GET /sites/{site}/cron/{job}": "syyyyfnnn",
	"POST /sites/{site}/cron/{job}/delete": "syyyyfnnn", "POST /sites/{site}/cron/{job}/run": "syyyyfnnn", "GET /sites/{site}/cron/{job}/runs/{run}": "syyyyfnnn",
	"GET /sites/{site}/danger": "syyyyynnn", "GET /sites/{site}/database": "syyyyfnnn", "POST /sites/{site}/database": "syyyyfnnn",
	"POST /sites/{site}/database/password": "syyyyfnnn", "POST /sites/{site}/delete": "syyyffnnn", "GET /sites/{site}/domains": "syyyyynnn",
	"GET /sites/{site}/files": "syyyyfnnn", "POST /sites/{site}/files": "syyyyfnnn", "GET /sites/{site}/files/download": "syyyyfnnn",
	"GET /sites/{site}/files/edit": "syyyyfnnn", "POST /sites/{site}/files/edit": "syyyyfnnn", "GET /sites/{site}/files/findings": "syyyyfnnn",
	"POST /sites/{site}/files/findings": "syyyyfnnn", "GET /sites/{site}/files/item": "syyyyfnnn", "GET /sites/{site}/files/trash": "syyyyfnnn",
	"POST /sites/{site}/files/jobs/{change}/cancel": "syyyyfnnn",
	"HEAD /sites/{site}/files/upload":               "syyyyfnnn", "PATCH /sites/{site}/files/upload": "syyyyfnnn", "DELETE /sites/{site}/files/upload": "syyyyfnnn", "GET /sites/{site}/logs": "syyyyfnnn",
	"GET /sites/{site}/logs/download": "syyyyfnnn", "GET /sites/{site}/logs/follow": "syyyyfnnn", "POST /sites/{site}/password": "syyyyfnnn",
	"POST /sites/{site}/purge-cache": "syyyyfnnn", "POST /sites/{site}/restart": "syyyyfnnn", "POST /sites/{site}/resume": "syyyyfnnn", "GET /sites/{site}/settings": "syyyyynnn", "GET /sites/{site}/steps": "syyyyynnn",
	"POST /sites/{site}/suspend": "syyyyfnnn", "GET /sites/{site}/terminal": "syyyyfnnn", "GET /sites/{site}/terminal/socket": "syyyyfnnn",
	"GET /sites/{site}/usage": "syyyyynnn",
	"GET /start":              "yyyyyyyyy", "POST /start": "uuuuuuuuu",
	"GET /users": "syyyyyyyy", "POST /users": "syyffffyf", "GET /users/new": "syyffffyf", "GET /users/{user}": "syyynnnnn", "POST /users/{user}": "syyfnnnnn",
	"POST /users/{user}/act-as": "syyfnnnnn", "GET /users/{user}/collaborators": "syyynnnnn", "POST /users/{user}/collaborators": "syyynnnnn",
	"POST /users/{user}/collaborators/remove": "syyynnnnn", "POST /users/{user}/delete": "syyfnnnnn", "POST /users/{user}/factors": "syyfnnnnn",
	"POST /users/{user}/invite": "syyfnnnnn", "POST /users/{user}/link": "syyfnnnnn", "POST /users/{user}/resume": "syyfnnnnn", "POST /users/{user}/sign-out": "syyfnnnnn",
	"POST /users/{user}/suspend": "syyfnnnnn",
	"GET /visit":                 "yyyyyyyyy",
	"GET /{$}":                   "syyyyyyyy",
}

// letter tells those answers apart: a refusal is never y.
func letter(got answer) string {
	to := got.header.Get("Location")
	switch {
	case got.code == http.StatusSeeOther && (strings.HasPrefix(to, "/sign-in") || strings.HasPrefix(to, "/enrol")):
		return "s"
	case got.code == http.StatusNoContent && got.header.Get("HX-Redirect") != "": // the page's script goes away
		return "n"
	case got.code < http.StatusMultipleChoices, got.code == http.StatusSeeOther, got.code == http.StatusConflict, got.code == http.StatusUnprocessableEntity,
		got.code == http.StatusUpgradeRequired:
		return "y"
	case got.code == http.StatusNotFound:
		return "n"
	case got.code == http.StatusForbidden:
		return "f"
	case got.code == http.StatusUnauthorized:
		return "u"
	case got.code == http.StatusServiceUnavailable:
		return "a"
	}
	return fmt.Sprintf("<%d>", got.code)
}

// ends are those of actions after which nobody could do the same to the same thing, or who
// did it is signed out: each who may has a town of their own.
var ends = []string{"/delete", "/remove", "/revoke", "/findings", "/users/{user}/sign-out", "/password", "/act-as", "/suspend", "/sessions/end", "POST /users/{user}"}

// What anybody may do with anything stands in theirs, and a route that does not stand there
// fails.
func TestEveryRouteRoleAndObject(t *testing.T) {
	shared := newTown(t, true)
	routes := web.Actions()
	for _, page := range slices.Concat(web.Pages(), web.Open()) {
		routes = append(routes, "GET "+page)
	}
	slices.Sort(routes)
	for _, route := range routes {
		want := theirs[route]
		if len(want) != seats {
			t.Errorf("who may do %s is not written here", route)
			continue
		}
		t.Run(route, func(t *testing.T) {
			method, pattern, _ := strings.Cut(route, " ")
			common := shared
			if strings.HasPrefix(route, "POST /sign-") { // tries are counted, and who signs out is out
				common = newTown(t, false)
			}
			for seat := range seats {
				w := common
				if want[seat] == 'y' && method == http.MethodPost && slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(route, end) }) {
					w = newTown(t, strings.Contains(pattern, "/files"))
				}
				if got := w.visit(seat, method, pattern); letter(got) != want[seat:seat+1] {
					t.Errorf("%s by seat %d = %d %s, which is %s, want %c: %.500s", route, seat, got.code, got.header.Get("Location"), letter(got), want[seat], got.body)
				}
			}
		})
	}
	for route := range theirs {
		if !slices.Contains(routes, route) {
			t.Errorf("there is no %s any more", route)
		}
	}
}

// Who may not do something is told so whatever they send: what is wrong with a form is
// said to nobody else.
func TestWhoMayNotIsToldSoWhateverTheySend(t *testing.T) {
	w := newTown(t, true)
	bodies := map[string]string{"application/x-www-form-urlencoded": "sites=many&confirm=%zz", "text/plain": "no form", "multipart/form-data": "no boundary"}
	for _, route := range web.Actions() {
		if strings.HasPrefix(route, "POST /sign-") { // tries are counted, and who signs out is out
			continue
		}
		method, pattern, _ := strings.Cut(route, " ")
		for seat := range seats {
			want := theirs[route][seat]
			if !strings.ContainsRune("nf", rune(want)) || pattern == "/account/passkey/remove" || pattern == "/account/sessions/end" || pattern == "/account/tokens/revoke" {
				continue // of one's own there is nothing that may not be asked for
			}
			for kind, body := range bodies {
				if got := w.browser(seat).send(method, w.path(pattern), kind, body); letter(got) != string(want) {
					t.Errorf("%s by seat %d with %s = %d, want %c: %.300s", route, seat, kind, got.code, want, got.body)
				}
			}
		}
	}
}
