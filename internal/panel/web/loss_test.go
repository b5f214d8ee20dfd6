package web_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/web"
)

// asks are the actions that lose what nobody can have again, or shut other people out until
// something is changed outside of the panel: the form is one that does it, all but for its
// confirmation, and at is the page that asks.
var asks = map[string]struct {
	form          url.Values
	confirm, at   string
	tells, barred string
}{
	"POST /sites/{site}/delete":               {nil, "shop.example", "/sites/{site}/danger", "Its files, its database", ""},
	"POST /sites/{site}/cron/{job}/delete":    {nil, "mail", "/sites/{site}/cron/{job}", "Its command, its schedule", ""},
	"POST /sites/{site}/files":                {url.Values{"do": {"empty"}, "on": {"trash"}}, "1", "/sites/{site}/files/trash", "Nothing brings it back after this", ""},
	"POST /sites/{site}/files/findings":       {url.Values{"do": {"delete"}, "finding": {"finding"}}, "1", "/sites/{site}/files/findings", "nothing brings it back", ""},
	"POST /users/{user}/delete":               {nil, "leaving@people.example", "/users/{user}", "Its tokens, its webhooks", "Sites that it still has: 2."},
	"POST /users/{user}/factors":              {url.Values{"password": {password}}, "leaving@people.example", "/users/{user}", "sessions end", ""},
	"POST /packages/{package}/delete":         {nil, "Spare", "/packages/{package}", "Its limits are gone", "Accounts that have it: 1."},
	"POST /companies/{company}/delete":        {nil, "Works", "/companies/{company}", "Nobody signs in by it any more", ""},
	"POST /applications/{application}/secret": {nil, "Grafana", "/applications/{application}", "The former secret counts no more", ""},
	"POST /applications/{application}/delete": {nil, "Grafana", "/applications/{application}", "Nobody signs in to it", ""},
}

// Why an action is one click.
const (
	writes   = "makes something, or changes what is shown in its form"
	goesOn   = "nothing ends by it"
	takeBack = "a button beside it takes it back"
	again    = "whoever did it makes it again there in a moment"
	signsIn  = "is about signing in: nothing is lost"
)

var oneClick = map[string]string{
	"POST /account/browsers/forget": again, "POST /account/code": signsIn, "POST /account/code/confirm": signsIn, "POST /account/code/remove": again, "POST /account/confirm": signsIn,
	"POST /account/passkey": signsIn, "POST /account/passkey/answer": signsIn, "POST /account/passkey/remove": again, "POST /account/password": writes,
	"POST /account/recovery-codes": again, "POST /account/sessions/end": again, "POST /account/tokens": writes, "POST /account/tokens/revoke": again,
	"POST /act-as/end": again, "POST /applications": writes, "POST /applications/{application}": writes, "POST /companies": writes, "POST /companies/{company}": writes,
	"POST /enrol/code": signsIn, "POST /enrol/code/confirm": signsIn, "POST /enrol/passkey": signsIn, "POST /enrol/passkey/answer": signsIn, "POST /forgot": signsIn,
	"POST /look": writes, "POST /packages": writes, "POST /packages/{package}": writes, "POST /password": signsIn,
	"POST /platform/first-steps": takeBack, "POST /platform/logo": writes, "POST /platform/logo/remove": again, "POST /platform/settings": writes,
	"POST /platform/nodes/{node}/close": takeBack, "POST /platform/nodes/{node}/open": takeBack,
	"POST /sign-in": signsIn, "POST /sign-in/code": signsIn, "POST /sign-in/mailed": signsIn, "POST /sign-in/mailed/again": signsIn, "POST /sign-in/passkey": signsIn,
	"POST /sign-in/passkey/answer": signsIn, "POST /sign-out": again, "POST /start": signsIn,
	"POST /sites": writes, "POST /sites/{site}/change": writes, "POST /sites/{site}/cron": writes, "POST /sites/{site}/cron/{job}/run": goesOn,
	"POST /sites/{site}/database": goesOn, "POST /sites/{site}/database/password": goesOn, "POST /sites/{site}/files/edit": writes, "HEAD /sites/{site}/files/upload": goesOn,
	"PATCH /sites/{site}/files/upload": writes, "DELETE /sites/{site}/files/upload": again, "POST /sites/{site}/files/jobs/{change}/cancel": again, "POST /sites/{site}/password": goesOn, "POST /sites/{site}/purge-cache": goesOn, "POST /sites/{site}/restart": goesOn,
	"POST /sites/{site}/resume": takeBack, "POST /sites/{site}/suspend": takeBack,
	"POST /users": writes, "POST /users/{user}": writes, "POST /users/{user}/act-as": goesOn, "POST /users/{user}/collaborators": writes,
	"POST /users/{user}/collaborators/remove": again, "POST /users/{user}/invite": writes, "POST /users/{user}/link": writes, "POST /users/{user}/resume": takeBack,
	"POST /users/{user}/sign-out": goesOn, "POST /users/{user}/suspend": takeBack,
}

// Every action either asks first or is one click, and says why.
func TestEveryActionAsksFirstOrSaysWhyNot(t *testing.T) {
	all := web.Actions()
	for _, action := range all {
		_, lost := asks[action]
		if lost == (oneClick[action] != "") {
			t.Errorf("%s: does it lose what nobody can have again? Write it into asks or into oneClick", action)
		}
	}
	for _, action := range slices.Concat(slices.Collect(maps.Keys(asks)), slices.Collect(maps.Keys(oneClick))) {
		if !slices.Contains(all, action) {
			t.Errorf("there is no %s any more", action)
		}
	}
}

// What loses something says what, and does nothing until that is confirmed: not for a form
// without the confirmation, and not for one with another.
func TestWhatIsLostIsAskedForFirst(t *testing.T) {
	for action, want := range asks {
		t.Run(action, func(t *testing.T) {
			w := newTown(t, true)
			pattern := strings.TrimPrefix(action, "POST ")
			if want.barred != "" {
				w.send(pattern, want.form, want.confirm).want(t, http.StatusConflict, want.barred)
				w.get(w.path(want.at)).want(t, http.StatusOK, want.barred)
			}
			w.spare()
			to, _, _ := strings.Cut(w.path(pattern), "?")
			w.get(w.path(want.at)).want(t, http.StatusOK, want.tells, `action="`+to, `name="confirm"`)
			before := w.last()
			wrong := []string{"", "else"}
			if want.confirm == "1" {
				wrong = wrong[:1]
			}
			for _, typed := range wrong {
				w.send(pattern, want.form, typed).want(t, http.StatusUnprocessableEntity, `name="confirm"`, "to say that you mean")
			}
			if now := w.last(); now != before {
				t.Fatalf("nobody confirmed it, and %s was done", now.Did)
			}
			got := w.send(pattern, want.form, " "+strings.ToUpper(want.confirm)+" ")
			if strings.Contains(got.body, "to say that you mean") || got.code >= http.StatusBadRequest && want.form.Get("finding") == "" { // its file was never there
				t.Errorf("confirmed it is answered %d: %.400s", got.code, got.body)
			}
			if w.last() == before {
				t.Error("it was confirmed, and nothing was done")
			}
		})
	}
}

// spare makes the account and the package of the town that nothing hangs on the ones that
// its actions are about.
func (w *town) spare() {
	w.t.Helper()
	ctx := w.t.Context()
	pack, err := w.rules.CreatePackage(ctx, w.boss, hosting.NewPackage{Name: "Spare", Quota: hosting.Quota{hosting.Sites: 1}})
	w.must(err)
	w.small = pack.ID
	u, err := w.rules.CreateUser(ctx, w.boss, hosting.NewUser{Email: "leaving@people.example", Name: "Leaving", Role: hosting.Customer, Package: w.pack})
	w.must(err)
	w.jo = w.actor(u.ID)
	leaving := w.nobody.another()
	leaving.secured(u.ID)
	leaving.signIn(u.Email)
	leaving.enrol("/account")
	w.browser(administrator).post(w.path("/sites/{site}/files"), url.Values{"do": {"trash"}, "file": {"old"}})
}

// send does an action as the administrator, with a confirmation.
func (w *town) send(pattern string, form url.Values, confirm string) answer {
	w.t.Helper()
	all := url.Values{"confirm": {confirm}}
	maps.Copy(all, form)
	return w.browser(administrator).post(w.path(pattern), all)
}

// last is the newest entry of the trail.
func (w *town) last() hosting.Entry {
	w.t.Helper()
	trail, err := w.rules.Trail(w.t.Context(), w.boss, hosting.AuditQuery{Limit: 1})
	w.must(err)
	return trail.Items[0]
}
