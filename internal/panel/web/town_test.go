package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/door/doortest"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
	"kubepanel.io/kubepanel/internal/panel/scan"
	"kubepanel.io/kubepanel/internal/panel/visit"
	"kubepanel.io/kubepanel/internal/store"
)

// town is a house with somebody of every role in it, and one of everything that pages
// are about, which is Jo's: her sites are shop.example and other.example.
type town struct {
	*house

	nobody *browser
	people [seats]hosting.Actor
	// in are the browsers of those who are signed in.
	in [seats]*browser
	// small is the package that Jo has of the reseller.
	small, company, app hosting.ID
	token               string // of Jo's, its ID
}

// Who sits at a browser of the town. The reseller is Jo's; the helper may do everything
// with shop.example that a collaborator may, the viewer only see it, and the neighbour do
// everything with other.example alone. The rival and the stranger have nothing to do with
// Jo.
const (
	anonymous = iota
	administrator
	reseller
	customer
	helper
	viewer
	neighbour
	rival
	stranger
	seats
)

// newTown builds one; with files, a toolbox runs for shop.example, which takes longest.
func newTown(t *testing.T, files bool) *town {
	t.Helper()
	h := newHouse(t)
	w := &town{house: h}
	h.site("al.example", nil) // the stranger's, who is the house's customer
	w.people[administrator], w.people[stranger] = h.boss, h.jo
	w.sellers()
	w.things()
	if files {
		w.files()
	}
	w.nobody = h.open()
	return w
}

// sellers makes both resellers, and what hangs on them.
func (w *town) sellers() {
	w.t.Helper()
	ctx := w.t.Context()
	account := func(by hosting.Actor, name string, role hosting.Role, pack hosting.ID) hosting.Actor {
		u, err := w.rules.CreateUser(ctx, by, hosting.NewUser{Email: name + "@people.example", Name: name, Role: role, Package: pack})
		w.must(err)
		return w.actor(u.ID)
	}
	big, err := w.rules.CreatePackage(ctx, w.boss, hosting.NewPackage{Name: "Big", Quota: hosting.Quota{hosting.Sites: 100}})
	w.must(err)
	w.people[reseller] = account(w.boss, "seller", hosting.Reseller, big.ID)
	w.people[rival] = account(w.boss, "rival", hosting.Reseller, big.ID)
	small, err := w.rules.CreatePackage(ctx, w.people[reseller], hosting.NewPackage{Name: "Sold", Quota: hosting.Quota{hosting.Sites: 5}})
	w.must(err)
	w.small = small.ID
	w.jo = account(w.people[reseller], "joan", hosting.Customer, small.ID)
	w.people[customer] = w.jo
	w.site("shop.example", nil)
	w.site("other.example", nil)
	all := []hosting.Right{hosting.RightSiteView, hosting.RightSiteChange, hosting.RightSiteRestart, hosting.RightSitePassword, hosting.RightSiteFiles, hosting.RightSiteTerminal,
		hosting.RightSiteDatabase, hosting.RightSiteLogs, hosting.RightSiteCron}
	invite := func(name, site string, rights ...hosting.Right) hosting.Actor {
		u, err := w.rules.Invite(ctx, w.jo, hosting.Invitation{Email: name + "@people.example", Name: name, Customer: w.jo.ID, Site: site, Rights: rights})
		w.must(err)
		return w.actor(u.ID)
	}
	w.people[helper] = invite("helper", "shop.example", all...)
	w.people[viewer] = invite("viewer", "shop.example", hosting.RightSiteView)
	w.people[neighbour] = invite("neighbour", "other.example", all...)
}

// things makes what Jo's site, her account and the platform have.
func (w *town) things() {
	w.t.Helper()
	ctx := w.t.Context()
	said := &paneltest.Logs{At: clock, More: make(chan string), Said: map[string][]string{"app": {"all is well"}, "nginx": {"2026/03/01 12:00:00 [error] 7#7: away"}, "cron": {"42 mails"}}}
	close(said.More) // nothing more is said
	w.rules.Panel.Logs = said
	w.rules.Panel.Accesses = paneltest.NewAccesses()
	w.rules.Panel.Cron = paneltest.Runs{{Name: "mail-1", Job: "mail", State: hosting.RunSucceeded, Began: clock.Add(-time.Hour), Ended: clock}}
	w.rules.Nodes = paneltest.Yard{}
	scanner, err := scan.Open("tcp://127.0.0.1:1") // uploads are taken all the same
	w.must(err)
	w.rules.Scanning = &hosting.Scanning{Scanner: scanner, Lenient: true, Every: time.Hour}
	w.must(w.rules.Store.Write(ctx, func(tx hosting.Tx) error {
		if err := tx.InsertFileJob(ctx, &hosting.FileJob{ID: "unpacked", Site: "shop.example", Account: w.jo.ID, Do: "unpack", Paths: []string{"/html/a.zip"}, To: "/html/a",
			Began: clock.Add(-time.Hour), Beat: clock.Add(-time.Hour), Ended: clock.Add(-time.Hour), State: hosting.JobDone}); err != nil {
			return err
		}
		return tx.InsertFinding(ctx, &hosting.Finding{ID: "finding", Site: "shop.example", Path: []byte("/html/bad\xff.php"), Found: "Bad.Test", Sum: strings.Repeat("0", 64),
			State: hosting.FindingPresent, FoundAt: clock})
	}))
	w.cluster.Change("shop.example", func(d *v1alpha1.Domain) {
		d.Status.Database = &v1alpha1.DatabaseStatus{Host: "mariadb", Port: 3306, Name: "dom-shop-example", Username: "dom-shop-example"}
		d.Spec.CronJobs = []v1alpha1.CronJob{{Name: "mail", Schedule: "30 4 * * *", Shell: "php mail.php", TimeoutSeconds: 3600}}
	})
	company, err := w.rules.PutIdentityProvider(ctx, w.boss, hosting.IdentityProvider{Name: "Works", Issuer: "https://127.0.0.1:1", ClientID: "panel",
		Secret: []byte("a secret"), Domains: []string{"works.example"}})
	w.must(err)
	app, _, err := w.rules.CreateApplication(ctx, w.boss, hosting.Application{Name: "Grafana", Redirects: []string{"https://grafana.example/login"}, Roles: hosting.Roles()})
	w.must(err)
	_, err = w.doors.IssueToken(ctx, w.jo.Email, auth.NewToken{Name: "test", Scopes: auth.TokenScopes(), Life: time.Hour})
	w.must(err)
	tokens, err := w.doors.TokensOf(ctx, w.jo)
	w.must(err)
	w.company, w.app, w.token = company.ID, app.ID, string(tokens[0].ID)
	w.phpMyAdmin()
}

// phpMyAdmin is one that nobody gets to.
func (w *town) phpMyAdmin() {
	w.t.Helper()
	db, ok := w.rules.Store.(*store.DB)
	if !ok {
		w.t.Fatal("the house has no database")
	}
	panel := &url.URL{Scheme: "https", Host: "example.com"}
	var err error
	w.databases, err = visit.New(visit.Options{
		Rules: w.rules, Seal: db.Seal, Unseal: db.Open, Panel: panel, URL: &url.URL{Scheme: "https", Host: "db.example.com"}, Upstream: &url.URL{Scheme: "https", Host: "127.0.0.1:1"},
		Sessions: func(ctx context.Context, id string) (hosting.Actor, error) { return w.doors.ActorOfSession(ctx, id) },
		Log:      slog.New(slog.NewTextHandler(w.log, nil)),
	})
	w.must(err)
}

func (w *town) files() {
	w.t.Helper()
	street := doortest.New(w.t)
	w.rules.Door = street
	root, _ := street.Site("shop.example")
	put(w.t, root, "html/index.php", "<?php")
	put(w.t, root, "html/old/a.txt", "a")
}

// browser returns that of a seat, signed in where somebody sits.
func (w *town) browser(seat int) *browser {
	w.t.Helper()
	if seat == anonymous {
		return w.nobody
	}
	if w.in[seat] == nil {
		b := w.nobody.another()
		b.secured(w.people[seat].ID)
		b.signIn(w.people[seat].Email).leads(w.t, "/sites")
		w.in[seat] = b
	}
	return w.in[seat]
}

// path is that of one of Jo's things.
func (w *town) path(pattern string) string {
	at := strings.NewReplacer("{$}", "", "{guide}", "customer", "{site}", "shop.example", "{user}", string(w.jo.ID), "{package}", string(w.small), "{company}", string(w.company),
		"{application}", string(w.app), "{node}", "worker-1", "{job}", "mail", "{run}", "mail-1", "{change}", "unpacked", "{file}", "accent.css").Replace(pattern)
	switch {
	case strings.HasSuffix(pattern, "/upload"):
		at += "?path=/html/up.php&size=1"
	case strings.HasSuffix(pattern, "/files/edit"), strings.HasSuffix(pattern, "/files/item"), strings.HasSuffix(pattern, "/files/download"):
		at += "?path=/html/index.php"
	case strings.HasSuffix(pattern, "/files"):
		at += "?path=/html"
	}
	return at
}

// visit asks for a pattern as who sits there, with a form that does what it is for.
func (w *town) visit(seat int, method, pattern string) answer {
	w.t.Helper()
	b, body, kind := w.browser(seat), w.form(seat, pattern).Encode(), "application/x-www-form-urlencoded"
	switch {
	case pattern == "/platform/logo":
		body, kind = "--x\r\nContent-Disposition: form-data; name=\"logo\"; filename=\"a.png\"\r\n\r\n\r\n--x--\r\n", "multipart/form-data; boundary=x"
	case pattern == "/sites/{site}/terminal/socket":
		return b.own(w.path(pattern))
	case method != http.MethodPost:
		body, kind = "", ""
	}
	return b.send(method, w.path(pattern), kind, body)
}

// own asks as a script of the panel's own pages does, with no word of a WebSocket.
func (b *browser) own(path string) answer {
	b.h.t.Helper()
	r, err := http.NewRequestWithContext(b.h.t.Context(), http.MethodGet, panelURL+path, http.NoBody)
	b.h.must(err)
	r.Header.Set("Origin", panelURL)
	got, err := b.client.Do(r)
	b.h.must(err)
	defer got.Body.Close()
	return answer{got.StatusCode, got.Header, ""}
}

// form is one that an action takes.
func (w *town) form(seat int, pattern string) url.Values {
	switch pattern {
	case "/sites":
		return newSiteForm("new.example")
	case "/sites/{site}/change":
		return url.Values{"tab": {"domains"}, "aliases": {"www.shop.example"}}
	case "/sites/{site}/password":
		return url.Values{"for": {"sftp"}}
	case "/sites/{site}/delete":
		return url.Values{"confirm": {"shop.example"}}
	case "/sites/{site}/cron":
		return cronFormOf("report", "@daily", "php report.php")
	case "/sites/{site}/files":
		return url.Values{"do": {"folder"}, "name": {"new"}}
	case "/sites/{site}/files/edit":
		return url.Values{"text": {"<?php new"}, "theirs": {""}}
	case "/sites/{site}/files/findings":
		return url.Values{"do": {"delete"}, "finding": {"finding"}, "confirm": {"1"}}
	case "/users":
		pack := w.pack
		if seat == reseller || seat == rival {
			pack = w.small
		}
		return url.Values{"email": {"new@people.example"}, "name": {"New"}, "role": {"customer"}, "package": {string(pack)}}
	case "/sites/{site}/cron/{job}/delete":
		return url.Values{"confirm": {"mail"}}
	case "/users/{user}/delete":
		return url.Values{"confirm": {w.jo.Email}}
	case "/packages/{package}/delete":
		return url.Values{"confirm": {"Sold"}}
	case "/users/{user}":
		return url.Values{"email": {"joan@people.example"}, "name": {"Other"}, "package": {string(w.small)}}
	case "/users/{user}/factors":
		return url.Values{"confirm": {w.jo.Email}, "password": {password}}
	case "/users/{user}/collaborators":
		return url.Values{"email": {"friend@people.example"}, "name": {"Friend"}, "site": {"shop.example"}, "right": {"site.view"}}
	case "/users/{user}/collaborators/remove":
		return url.Values{"collaborator": {string(w.people[helper].ID)}, "site": {"shop.example"}}
	case "/packages", "/packages/{package}":
		return url.Values{"name": {"Other"}, "sites": {"9"}, "accepted": {"1"}}
	}
	return w.platformForm(pattern)
}

// platformForm is one about the platform, or about one's own account.
func (w *town) platformForm(pattern string) url.Values {
	switch pattern {
	case "/companies", "/companies/{company}":
		return url.Values{"name": {"Acme"}, "issuer": {"https://login.acme.example"}, "client": {"panel"}, "secret": {"s"}, "domains": {"acme.example"}}
	case "/companies/{company}/delete":
		return url.Values{"confirm": {"Works"}}
	case "/applications/{application}/delete", "/applications/{application}/secret":
		return url.Values{"confirm": {"Grafana"}}
	case "/applications", "/applications/{application}":
		return url.Values{"name": {"Other"}, "redirects": {"https://other.example/login"}, "roles": {"administrator"}}
	case "/platform/settings":
		return url.Values{"name": {"Blue"}, "own": {"1"}}
	case "/platform/nodes/{node}/close":
		return url.Values{"drain": {"1"}}
	case "/account/password":
		return url.Values{"password": {password}, "new-password": {"seven purple bicycles sing"}}
	case "/account/confirm":
		return url.Values{"password": {password}}
	case "/account/tokens":
		return url.Values{"name": {"mine"}, "reach": {"look"}, "days": {"7"}, "password": {password}}
	case "/account/sessions/end":
		w.browser(customer)
		of, err := w.doors.SessionsOf(w.t.Context(), w.jo)
		w.must(err)
		if len(of) == 0 { // she has signed out
			return nil
		}
		return url.Values{"session": {of[0].ID}}
	case "/account/tokens/revoke":
		return url.Values{"token": {w.token}}
	case "/sign-in":
		return url.Values{"email": {w.jo.Email}, "password": {"wrong"}}
	}
	return nil
}
