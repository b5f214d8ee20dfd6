package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
	"kubepanel.io/kubepanel/internal/panel/rest"
	"kubepanel.io/kubepanel/internal/panel/visit"
	"kubepanel.io/kubepanel/internal/store"
)

// databaseURL is a name of its own that httptest's client leads to the same server.
const databaseURL = "https://db.example.com"

// office is a panel with a phpMyAdmin behind it that tells what it was asked.
type office struct {
	*browser

	accesses *paneltest.Accesses
	asked    chan *http.Request
}

// newOffice signs Jo in, whose site shop.example has a database.
func newOffice(t *testing.T) *office {
	t.Helper()
	h := newHouse(t)
	o := &office{accesses: paneltest.NewAccesses(), asked: make(chan *http.Request, 10)}
	h.rules.Panel.Accesses = o.accesses
	upstream := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.asked <- r
		w.Header().Add("Set-Cookie", "phpMyAdmin=its-own; path=/; secure; HttpOnly")
		w.Header().Add("Set-Cookie", "__Host-visit=forged; path=/; secure")
		w.Header().Set("Content-Security-Policy", "default-src 'self' *.tiles.example")
		io.WriteString(w, "tables of "+r.Header.Get("X-Kubepanel-Database-Name"))
	}))
	t.Cleanup(upstream.Close)
	db, ok := h.rules.Store.(*store.DB)
	if !ok {
		t.Fatal("the house has no database")
	}
	address := func(text string) *url.URL {
		u, err := url.Parse(text)
		h.must(err)
		return u
	}
	var err error
	h.databases, err = visit.New(visit.Options{
		Rules: h.rules, Seal: db.Seal, Unseal: db.Open, Panel: address(panelURL), URL: address(databaseURL), Upstream: address(upstream.URL), Transport: upstream.Client().Transport,
		Sessions: func(ctx context.Context, id string) (hosting.Actor, error) { return h.doors.ActorOfSession(ctx, id) },
		Log:      slog.New(slog.NewTextHandler(h.log, nil)),
	})
	h.must(err)
	o.browser = h.open()
	h.site("shop.example", func(d *v1alpha1.Domain) {
		d.Status.Database = &v1alpha1.DatabaseStatus{Host: "mariadb", Port: 3306, Name: "dom-shop-example", Username: "dom-shop-example"}
	})
	o.secured(h.jo.ID)
	o.signIn(h.jo.Email).leads(t, "/sites")
	return o
}

// ticket asks for one on the site's page.
func (o *office) ticket(t *testing.T) string {
	t.Helper()
	page := o.post("/sites/shop.example/database", nil)
	page.want(t, http.StatusOK, `action="`+databaseURL+`/enter"`)
	found := regexp.MustCompile(`name="ticket" value="([^"]+)"`).FindStringSubmatch(page.body)
	if found == nil {
		t.Fatalf("no ticket in %.2000s", page.body)
	}
	return html.UnescapeString(found[1])
}

// at sends a request to phpMyAdmin's name.
func (o *office) at(t *testing.T, method, path string, form url.Values, set map[string]string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, databaseURL+path, strings.NewReader(form.Encode()))
	o.h.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, value := range set {
		r.Header[name] = []string{value} // as it is written, unlike Set
	}
	got, err := o.client.Do(r)
	o.h.must(err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	o.h.must(err)
	return answer{got.StatusCode, got.Header, string(text)}
}

func (o *office) enter(t *testing.T, ticket string) answer {
	t.Helper()
	return o.at(t, http.MethodPost, "/enter", url.Values{"ticket": {ticket}}, map[string]string{"Origin": panelURL})
}

// inside is an office whose browser is at phpMyAdmin.
func inside(t *testing.T) *office {
	t.Helper()
	o := newOffice(t)
	o.enter(t, o.ticket(t)).leads(t, "/index.php?db=dom-shop-example&route=%2Fdatabase%2Fstructure")
	return o
}

// out checks that phpMyAdmin was not asked, and that the browser is led back.
func (o *office) out(t *testing.T, got answer, to string) {
	t.Helper()
	got.leads(t, panelURL+to)
	select {
	case r := <-o.asked:
		t.Errorf("phpMyAdmin was asked for %s", r.URL)
	default:
	}
}

func TestVisitorComesToPhpMyAdminSignedIn(t *testing.T) {
	o := inside(t)
	got := o.at(t, http.MethodGet, "/index.php?route=/sql", nil, map[string]string{
		"X-Kubepanel-Database-User": "root", "x_kubepanel_database_user": "root", "X-Kubepanel-Other": "x", "Authorization": "Basic eDp5", "Cookie": "phpMyAdmin=1",
	})
	got.want(t, http.StatusOK, "tables of dom-shop-example")
	r := <-o.asked
	access, _ := o.accesses.Accesses(t.Context())
	if len(access) != 1 || r.Header.Get("X-Kubepanel-Database-User") != "visitor-"+access[0].Name || len(r.Header.Values("X-Kubepanel-Database-User")) != 1 {
		t.Errorf("phpMyAdmin sees %v, of accesses %v", r.Header, access)
	}
	if password := r.Header.Get("X-Kubepanel-Database-Password"); len(password) < 50 || strings.Contains(o.h.log.String(), password) {
		t.Errorf("the password %q is short, or in the log", password)
	}
	for name := range r.Header {
		if name == "Authorization" || name == "X-Kubepanel-Other" || strings.Contains(name, "_") {
			t.Errorf("phpMyAdmin gets %s from the browser", name)
		}
	}
	if cookie := r.Header.Get("Cookie"); strings.Contains(cookie, "__Host-") || !strings.Contains(cookie, "phpMyAdmin=1") {
		t.Errorf("phpMyAdmin gets the cookies %q", cookie)
	}
	if r.Host != "db.example.com" {
		t.Errorf("phpMyAdmin is asked as %q", r.Host)
	}
	if set := strings.Join(got.header.Values("Set-Cookie"), "\n"); strings.Contains(set, "__Host-") || !strings.Contains(set, "phpMyAdmin=its-own") {
		t.Errorf("phpMyAdmin sets %q", set)
	}
	if policies := got.header.Values("Content-Security-Policy"); len(policies) != 2 || !strings.Contains(policies[1], "frame-ancestors 'none'") {
		t.Errorf("policies = %q", policies)
	}
	trail, err := o.h.rules.Trail(t.Context(), o.h.jo, hosting.AuditQuery{})
	if err != nil || trail.Items[0].Did != string(hosting.RightSiteDatabase) || trail.Items[0].Object != "shop.example" {
		t.Errorf("the trail begins with %+v, %v", trail.Items[0], err)
	}
}

func TestTicketIsGoodOnce(t *testing.T) {
	o := newOffice(t)
	ticket := o.ticket(t)
	page := o.post("/sites/shop.example/database", nil)
	if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' "+databaseURL+";") || page.header.Get("Referrer-Policy") != "strict-origin" {
		t.Errorf("the page that hands over has policy %q, referrer %q", policy, page.header.Get("Referrer-Policy"))
	}
	o.enter(t, ticket).leads(t, "/index.php?db=dom-shop-example&route=%2Fdatabase%2Fstructure")
	other := &office{browser: o.another(), asked: o.asked}
	other.out(t, other.enter(t, ticket), "/sites")

	late := o.ticket(t)
	o.h.rules.Now = func() time.Time { return clock.Add(61 * time.Second) }
	other.out(t, other.enter(t, late), "/sites")
}

func TestTicketsOfOthersOpenNothing(t *testing.T) {
	o := newOffice(t)
	ticket := o.ticket(t)
	for origin, bring := range map[string]string{"https://evil.example": ticket, "null": ticket, "": ticket, databaseURL: ticket, panelURL: ticket[:len(ticket)-4] + "AAAA"} {
		o.out(t, o.at(t, http.MethodPost, "/enter", url.Values{"ticket": {bring}}, map[string]string{"Origin": origin}), "/sites")
	}
	o.out(t, o.at(t, http.MethodGet, "/enter?ticket="+url.QueryEscape(ticket), nil, map[string]string{"Origin": panelURL}), "/sites")
	// The cookie is sealed for another purpose than the ticket.
	o.out(t, o.at(t, http.MethodGet, "/index.php", nil, map[string]string{"Cookie": "__Host-visit=" + ticket}), "/sites")
	o.out(t, o.at(t, http.MethodGet, "/index.php", nil, map[string]string{"Cookie": "__Host-visit=x"}), "/sites")
	o.out(t, o.at(t, http.MethodGet, "/", nil, nil), "/sites")
	o.at(t, http.MethodPost, "/index.php", nil, nil).want(t, http.StatusUnauthorized)
	o.enter(t, ticket).leads(t, "/index.php?db=dom-shop-example&route=%2Fdatabase%2Fstructure")
}

func TestVisitEndsWithWhatItRestsOn(t *testing.T) {
	const led = "/sites/shop.example/access"
	change := func(o *office, edit func(*v1alpha1.Domain)) {
		s, err := o.h.rules.Store.OwnedSite(o.h.t.Context(), "shop.example")
		o.h.must(err)
		o.h.cluster.Change(s.Object, edit)
	}
	tests := map[string]func(*office){
		"signed out": func(o *office) { o.post("/sign-out", nil).leads(o.h.t, "/sign-in") },
		"account suspended": func(o *office) {
			o.h.must(o.h.rules.SuspendUser(o.h.t.Context(), o.h.boss, o.h.jo.ID, true))
		},
		"site suspended": func(o *office) { change(o, func(d *v1alpha1.Domain) { d.Spec.Suspended = true }) },
		"session ended elsewhere": func(o *office) {
			o.h.must(o.h.rules.Store.Write(o.h.t.Context(), func(tx hosting.Tx) error {
				return tx.DeleteSessions(o.h.t.Context(), o.h.jo.ID, "")
			}))
		},
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			o := inside(t)
			o.at(t, http.MethodGet, "/index.php", nil, nil).want(t, http.StatusOK)
			<-o.asked
			end(o)
			o.out(t, o.at(t, http.MethodGet, "/index.php", nil, nil), led)
			if n := o.accesses.Count(); n != 0 {
				t.Errorf("%d accounts are left", n)
			}
		})
		t.Run(name+", and nobody comes back", func(t *testing.T) {
			o := inside(t)
			end(o)
			o.h.must(o.h.databases.Sweep(t.Context()))
			if n := o.accesses.Count(); n != 0 {
				t.Errorf("%d accounts are left", n)
			}
		})
	}
	o := inside(t)
	o.h.must(o.h.databases.Sweep(t.Context()))
	if n := o.accesses.Count(); n != 1 {
		t.Errorf("of one visit that may go on %d accounts are left", n)
	}
}

func TestVisitIsKeptWhileUsedAndEndsAfterFourHours(t *testing.T) {
	o := inside(t)
	for i, after := range []time.Duration{4 * time.Minute, 6 * time.Minute} {
		o.h.rules.Now = func() time.Time { return clock.Add(after) }
		o.at(t, http.MethodGet, "/index.php", nil, nil).want(t, http.StatusOK)
		if o.accesses.Moved != i {
			t.Errorf("after %s the visit was kept %d times, want %d", after, o.accesses.Moved, i)
		}
	}
	o.h.rules.Now = func() time.Time { return clock.Add(4*time.Hour - time.Minute) }
	o.at(t, http.MethodGet, "/index.php", nil, nil).want(t, http.StatusOK)
	list, _ := o.accesses.Accesses(t.Context())
	if end := list[0].Spec.ExpiresAt.Time; !end.Equal(clock.Add(4 * time.Hour)) {
		t.Errorf("the account lasts until %s, want four hours from %s", end, clock)
	}
	for range len(o.asked) {
		<-o.asked
	}
	o.h.rules.Now = func() time.Time { return clock.Add(4 * time.Hour) }
	o.out(t, o.at(t, http.MethodGet, "/index.php", nil, nil), "/sites")
}

func TestAnotherSiteChangesNothingInPhpMyAdmin(t *testing.T) {
	o := inside(t)
	for _, from := range []string{"cross-site", "same-site"} {
		o.at(t, http.MethodPost, "/index.php", nil, map[string]string{"Sec-Fetch-Site": from}).want(t, http.StatusForbidden)
	}
	o.at(t, http.MethodPost, "/index.php", nil, map[string]string{"Sec-Fetch-Site": "same-origin"}).want(t, http.StatusOK)
}

func TestNextVisitEndsTheOneBefore(t *testing.T) {
	o := inside(t)
	first, _ := o.accesses.Accesses(t.Context())
	got := o.at(t, http.MethodPost, "/enter", url.Values{"ticket": {o.ticket(t)}}, map[string]string{"Origin": panelURL})
	got.leads(t, "/index.php?db=dom-shop-example&route=%2Fdatabase%2Fstructure")
	now, _ := o.accesses.Accesses(t.Context())
	if len(now) != 1 || now[0].Name == first[0].Name {
		t.Errorf("accounts after the second visit began: %d, want the second's alone", len(now))
	}
}

func TestDatabaseThatCantBeOpenedLeavesNothing(t *testing.T) {
	o := newOffice(t)
	o.accesses.Phase = v1alpha1.DatabaseAccessRefused
	o.post("/sites/shop.example/database", nil).want(t, http.StatusConflict, "MariaDB does not answer.")
	if n := o.accesses.Count(); n != 0 {
		t.Errorf("%d accounts are left", n)
	}
	o.h.site("bare.example", nil)
	o.get("/sites/bare.example/database").want(t, http.StatusOK, "This site has no database.")
	o.post("/sites/bare.example/database", nil).want(t, http.StatusConflict, "has no database")
	o.get("/sites/shop.example/database").want(t, http.StatusOK, "Open phpMyAdmin", "dom-shop-example")
}

func TestThePasswordOfADatabaseIsRenewedOnItsPage(t *testing.T) {
	o := newOffice(t)
	const page, button = "/sites/shop.example/database", `action="/sites/shop.example/database/password"`
	o.get(page).want(t, http.StatusOK, button)
	asked := func() string { return o.h.domain("shop.example").Annotations[v1alpha1.AnnotationPasswordAskedAt] }
	o.post(page+"/password", nil).leads(t, page)
	if asked() == "" {
		t.Error("nobody asked for another password")
	}
	o.h.cluster.Change("shop.example", func(d *v1alpha1.Domain) {
		meta.SetStatusCondition(&d.Status.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionDatabaseProvisioned, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonRenewed,
			Message: "The database has a new password. The one before it is good until 14:05 (UTC).",
		})
	})
	o.get(page).want(t, http.StatusOK, "good until 14:05")
	o.h.site("bare.example", nil)
	o.post("/sites/bare.example/database/password", nil).want(t, http.StatusConflict, "has no database")
}

// visited asks the API for an address that opens phpMyAdmin.
func (o *office) visited(t *testing.T, token string) (status int, to *url.URL) {
	t.Helper()
	api, err := rest.New(rest.Options{Rules: o.h.rules, Doors: o.h.doors, Databases: o.h.databases, Log: slog.New(slog.NewTextHandler(o.h.log, nil)), Now: time.Now})
	o.h.must(err)
	r := httptest.NewRequest(http.MethodPost, rest.Prefix+"/sites/shop.example/database/visits", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	api.Handler().ServeHTTP(w, r)
	var visit rest.DatabaseVisit
	o.h.must(json.Unmarshal(w.Body.Bytes(), &visit))
	if to, err = url.Parse(visit.URL); err != nil {
		t.Fatal(err)
	}
	return w.Code, to
}

// Who has a token and no session gets an address: good once, for a minute, and as long as
// the token is good.
func TestAVisitByTheAPI(t *testing.T) {
	o := newOffice(t)
	o.post("/sign-out", nil)
	token := func(scope hosting.Right) string {
		t.Helper()
		text, err := o.h.doors.IssueToken(t.Context(), o.h.jo.Email, auth.NewToken{Name: string(scope), Scopes: []hosting.Right{scope}, Life: time.Hour})
		o.h.must(err)
		return text
	}
	if status, _ := o.visited(t, token(hosting.RightSiteView)); status != http.StatusForbidden {
		t.Errorf("a token without the scope = %d, want 403", status)
	}
	good := token(hosting.RightSiteDatabase)
	status, to := o.visited(t, good)
	if status != http.StatusCreated || to.Scheme+"://"+to.Host+to.Path != panelURL+"/visit" || to.RawQuery != "" || to.Fragment == "" {
		t.Fatalf("a visit = %d %s, want an address of the panel with a ticket behind its #", status, to)
	}
	page := o.get("/visit")
	page.want(t, http.StatusOK, `action="`+databaseURL+`/enter"`, "data-from-link")
	if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' "+databaseURL) || strings.Contains(page.body, "data-go") {
		t.Errorf("the page may send its form by %q; it must wait for a click", policy)
	}
	o.enter(t, to.Fragment).leads(t, "/index.php?db=dom-shop-example&route=%2Fdatabase%2Fstructure")
	o.at(t, http.MethodGet, "/index.php", nil, nil).want(t, http.StatusOK, "tables of dom-shop-example")
	<-o.asked
	if strings.Contains(o.h.log.String(), to.Fragment) || strings.Contains(o.h.log.String(), good) {
		t.Error("the ticket or the token is in the log")
	}
	other := *o
	other.browser = o.h.open()
	other.out(t, other.enter(t, to.Fragment), "/sites") // it was good once
	list, err := o.accesses.Accesses(t.Context())
	o.h.must(err)
	for _, a := range list {
		if session := a.Annotations[v1alpha1.AnnotationSession]; strings.Contains(session, good) || !strings.HasPrefix(session, "token:") {
			t.Errorf("the cluster knows the visit as one of %q", session)
		}
	}
	jo := o.h.jo.ID
	o.h.must(o.h.rules.Store.Write(t.Context(), func(tx hosting.Tx) error {
		all, err := tx.Tokens(t.Context(), jo, hosting.TokenAPI)
		for _, one := range all {
			err = errors.Join(err, tx.DeleteToken(t.Context(), jo, one.ID))
		}
		return err
	}))
	o.out(t, o.at(t, http.MethodGet, "/index.php", nil, nil), "/sites/shop.example/access")
	if n := o.accesses.Count(); n != 0 {
		t.Errorf("%d accounts are left after the token ended", n)
	}
}
