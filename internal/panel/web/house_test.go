package web_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/mail"
	"kubepanel.io/kubepanel/internal/panel/mail/mailtest"
	"kubepanel.io/kubepanel/internal/panel/openid"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
	"kubepanel.io/kubepanel/internal/panel/visit"
	"kubepanel.io/kubepanel/internal/panel/web"
	"kubepanel.io/kubepanel/internal/panel/web/locale"
	"kubepanel.io/kubepanel/internal/panel/webhook"
	"kubepanel.io/kubepanel/internal/store"
)

// clock is when every test's time stands still.
var clock = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// house is the panel on a real database, with a cluster in memory.
type house struct {
	t       *testing.T
	rules   *hosting.Provider
	cluster *paneltest.Cluster
	doors   *auth.Auth
	mail    *mailtest.Server
	handler http.Handler
	log     *bytes.Buffer
	// databases leads to phpMyAdmin, where a test has one.
	databases *visit.Door
	openID    *openid.Provider
	// file is the database's.
	file string
	// statements counts SQL.
	statements int
	mu         sync.Mutex

	boss, jo hosting.Actor
	pack     hosting.ID
	// as is who sits at the browser; the zero Actor is nobody.
	as hosting.Actor
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, mail: mailtest.Start(t, false), log: &bytes.Buffer{}, file: filepath.Join(t.TempDir(), "panel.db")}
	db, err := store.Open(t.Context(), "sqlite:"+h.file, store.Options{
		Keys: [][]byte{make([]byte, 32)},
		Observe: func(string) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.statements++
		},
	})
	h.must(err)
	t.Cleanup(db.Close)
	settings, err := os.ReadFile("../../../api/platform/testdata/platform.yaml")
	h.must(err)
	h.cluster, err = paneltest.NewCluster(settings)
	h.must(err)
	now := func() time.Time { return clock }
	h.rules = &hosting.Provider{Panel: &hosting.Panel{Domains: h.cluster, Writer: h.cluster, Platform: h.cluster, Planner: h.cluster}, Store: db, Now: now}
	boss := &hosting.User{ID: hosting.NewID(), Email: "boss@provider.example", Name: "Ada Boss", Role: hosting.Administrator, CreatedAt: clock}
	h.must(db.Write(t.Context(), func(tx hosting.Tx) error { return tx.InsertUser(t.Context(), boss) }))
	h.boss = h.actor(boss.ID)
	pack, err := h.rules.CreatePackage(t.Context(), h.boss, hosting.NewPackage{Name: "Small", Quota: hosting.Quota{hosting.Sites: 3, hosting.Storage: 20}})
	h.must(err)
	h.pack = pack.ID
	jo, err := h.rules.CreateUser(t.Context(), h.boss, hosting.NewUser{Email: "jo@shop.example", Name: "Jo Customer", Role: hosting.Customer, Package: h.pack})
	h.must(err)
	h.jo = h.actor(jo.ID)
	h.as = h.boss
	mailer, err := mail.New(h.mail.Folder, "Kubepanel", "panel.example")
	h.must(err)
	h.doors, err = auth.New(auth.Options{Provider: h.rules, URL: &url.URL{Scheme: "https", Host: "panel.example"}, Mailer: mailer, PasswordAlone: true,
		Cost: auth.Cost{Memory: 64, Passes: 1, Threads: 1}})
	h.must(err)
	h.handler = h.serve(func(next http.Handler) http.Handler { return next },
		func(context.Context) (hosting.Actor, bool) { a := h.seated(); return a, a.ID != "" })
	return h
}

// serve is all pages, for whoever who says.
func (h *house) serve(wrap func(http.Handler) http.Handler, who func(context.Context) (hosting.Actor, bool)) http.Handler {
	h.t.Helper()
	h.openID = openid.New(openid.Options{Rules: h.rules, Doors: h.doors, Log: slog.New(slog.NewTextHandler(h.log, nil)), KeyBits: 2048,
		Outside: webhook.Client(nil, nil, nil), Inside: webhook.Client(webhook.Private(), nil, nil)})
	pages, err := web.New(web.Options{
		Rules: h.rules, Doors: h.doors, Brand: "Kubepanel", Log: slog.New(slog.NewTextHandler(h.log, nil)), Now: h.rules.Now,
		Wrap: wrap, Who: who, AskAgain: time.Millisecond, Databases: h.databases, OpenID: h.openID,
	})
	h.must(err)
	return h.databases.Before(h.openID.Before(pages.Handler()))
}

// seat puts somebody else at the browser while answers are under way.
func (h *house) seat(a hosting.Actor) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.as = a
}

func (h *house) seated() hosting.Actor {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.as
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) actor(id hosting.ID) hosting.Actor {
	h.t.Helper()
	a, err := hosting.ActorOf(h.t.Context(), h.rules.Store, id)
	h.must(err)
	return a
}

// site makes one of Jo's and lets the operator be done with it.
func (h *house) site(name string, finish func(*v1alpha1.Domain)) {
	h.t.Helper()
	s, err := h.rules.CreateSite(h.t.Context(), h.jo, "", hosting.NewSite{Name: name, Storage: "5Gi", CPU: "1000m", Memory: "512Mi"}, false)
	h.must(err)
	h.cluster.Change(s.Object, func(d *v1alpha1.Domain) {
		ready(d)
		if finish != nil {
			finish(d)
		}
	})
}

// domain returns the Domain of a site.
func (h *house) domain(object string) *v1alpha1.Domain {
	h.t.Helper()
	d, err := h.cluster.Domain(h.t.Context(), object)
	h.must(err)
	return d
}

// ready is what the operator writes of a site that serves.
func ready(d *v1alpha1.Domain) { paneltest.Finish(d, clock) }

// stuck is what it writes of one that only a person can help.
func stuck(d *v1alpha1.Domain) {
	d.Status.Phase = v1alpha1.DomainFailed
	const said = `nginx refuses its configuration with spec.webserver.customConfig: unknown directive "foo" in custom.conf:1. The site serves without this change; correct it.`
	for i := range d.Status.Conditions {
		if c := &d.Status.Conditions[i]; c.Type == v1alpha1.ConditionReady || c.Type == v1alpha1.ConditionDeploymentReady {
			c.Status, c.Reason, c.Message = metav1.ConditionFalse, "ConfigRefused", said
		}
	}
	d.Status.Conditions = append(d.Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: "ConfigRefused", Message: said, ObservedGeneration: d.Generation,
	})
}

// answer is what a browser gets.
type answer struct {
	code   int
	header http.Header
	body   string
}

func (h *house) ask(r *http.Request) answer {
	h.t.Helper()
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	h.must(err)
	h.idsDiffer(r.URL.Path, string(body))
	return answer{w.Code, w.Header(), string(body)}
}

// ids are those of an answer: in a text templ writes no quotation mark.
var ids = regexp.MustCompile(` id="([^"]*)"`)

// idsDiffer looks at what every test here is shown: labels, the palette and htmx find
// what they mean by its id, and take the first of two (HTML, 3.2.6).
func (h *house) idsDiffer(path, body string) {
	h.t.Helper()
	seen := map[string]bool{}
	for _, id := range ids.FindAllStringSubmatch(body, -1) {
		if seen[id[1]] {
			h.t.Errorf("%s has the id %q more than once", path, id[1])
		}
		seen[id[1]] = true
	}
}

func (h *house) get(path string) answer {
	h.t.Helper()
	return h.ask(httptest.NewRequest(http.MethodGet, path, nil))
}

// part asks for a part of a page, as its script does.
func (h *house) part(path string) answer {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("HX-Request", "true")
	return h.ask(r)
}

func (h *house) post(path string, form url.Values) answer {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return h.ask(r)
}

// want checks a status and sentences that the page must say. It looks at a page as it is
// read: signs that only keep a piece together are left out.
func (a answer) want(t *testing.T, code int, says ...string) {
	t.Helper()
	a.body = locale.Plain(a.body)
	if a.code != code {
		t.Errorf("status %d, want %d: %.2000s", a.code, code, a.body)
	}
	for _, s := range says {
		if !strings.Contains(a.body, s) {
			t.Errorf("the page does not say %q: %.4000s", s, a.body)
		}
	}
}
