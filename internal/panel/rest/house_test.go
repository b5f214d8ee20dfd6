package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
	"kubepanel.io/kubepanel/internal/panel/rest"
	"kubepanel.io/kubepanel/internal/panel/visit"
	"kubepanel.io/kubepanel/internal/proctest"
	"kubepanel.io/kubepanel/internal/store"
)

// house is the API on a real database behind a real HTTP server, with a cluster in
// memory.
type house struct {
	t       *testing.T
	rules   *hosting.Provider
	doors   *auth.Auth
	db      *store.DB
	cluster *paneltest.Cluster
	server  *rest.Server
	http    *httptest.Server
	router  routers.Router
	doc     *openapi3.T
	log     *proctest.Log
	logs    *paneltest.Logs
	door    *lazyDoor
	yard    paneltest.Yard

	mu    sync.Mutex
	ahead time.Duration

	boss, seller, jo, al, helper       *account
	pack, hook, delivery, app, company hosting.ID
}

func keys() [][]byte { return [][]byte{bytes.Repeat([]byte{1}, 32)} }

// blank is a database with its tables and nothing in them: making those takes longer
// than all else of a house, of which tests build hundreds.
var blank = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "panel")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "panel.db")
	db, err := store.Open(context.Background(), "sqlite:"+file, store.Options{Keys: keys()})
	if err != nil {
		return nil, err
	}
	db.Close()
	return os.ReadFile(file)
})

// account is somebody with a token that is good for everything.
type account struct {
	house *house
	user  *hosting.User
	token string
}

func newHouse(t *testing.T, change ...func(*rest.Options)) *house {
	t.Helper()
	h := &house{t: t, log: &proctest.Log{}}
	settings, err := os.ReadFile("../../../api/platform/testdata/platform.yaml")
	h.must(err)
	h.cluster, err = paneltest.NewCluster(settings)
	h.must(err)
	empty, err := blank()
	h.must(err)
	file := filepath.Join(t.TempDir(), "panel.db")
	h.must(os.WriteFile(file, empty, 0o600))
	h.db, err = store.Open(t.Context(), "sqlite:"+file, store.Options{Keys: keys()})
	h.must(err)
	t.Cleanup(h.db.Close)
	h.rules = &hosting.Provider{
		Panel: &hosting.Panel{Domains: h.cluster, Writer: h.cluster, Platform: h.cluster, Planner: h.cluster}, Store: h.db, Now: h.now,
	}
	h.doors, err = auth.New(auth.Options{Provider: h.rules, URL: &url.URL{Scheme: "https", Host: "panel.example"}, Cost: auth.Cost{Memory: 64, Passes: 1, Threads: 1}})
	h.must(err)
	h.rules.Panel.Accesses = paneltest.NewAccesses()
	address := &url.URL{Scheme: "https", Host: "panel.example"}
	databases, err := visit.New(visit.Options{Rules: h.rules, Sessions: h.doors.ActorOfSession, Seal: h.db.Seal, Unseal: h.db.Open,
		Panel: address, URL: &url.URL{Scheme: "https", Host: "db.panel.example"}, Upstream: address})
	h.must(err)
	options := rest.Options{Databases: databases, Rules: h.rules, Doors: h.doors, Log: slog.New(slog.NewTextHandler(h.log, nil)), Now: h.now, Rate: rest.Rate{Each: 1e6, Burst: 1e6}}
	for _, c := range change {
		c(&options)
	}
	h.server, err = rest.New(options)
	h.must(err)
	h.http = httptest.NewServer(h.server.Handler())
	t.Cleanup(h.http.Close)
	h.read()
	h.people()
	return h
}

// written is the document with the way from a request to its operation.
type written struct {
	doc    *openapi3.T
	router routers.Router
}

var theDocument sync.Map // of written, by its text: it is the same in every house

// read loads the document that every answer is held against.
func (h *house) read() {
	text := string(h.server.Document())
	found, ok := theDocument.Load(text)
	if !ok {
		doc, err := openapi3.NewLoader().LoadFromData([]byte(text))
		h.must(err)
		h.must(doc.Validate(h.t.Context()))
		router, err := legacy.NewRouter(doc)
		h.must(err)
		found, _ = theDocument.LoadOrStore(text, written{doc, router})
	}
	w, _ := found.(written)
	h.doc, h.router = w.doc, w.router
}

// people makes an account of each role: al is the provider's customer, jo the
// reseller's, and the helper may do everything with one site of jo's.
func (h *house) people() {
	h.boss = h.insert("boss@provider.example", hosting.Administrator)
	ctx, boss := h.t.Context(), h.actor(h.boss)
	pack, err := h.rules.CreatePackage(ctx, boss, hosting.NewPackage{Name: "Big", Quota: hosting.Quota{hosting.Sites: 1000}})
	h.must(err)
	h.pack = pack.ID
	h.seller = h.create(boss, hosting.NewUser{Email: "seller@sells.example", Name: "Seller", Role: hosting.Reseller, Package: pack.ID})
	h.al = h.create(boss, hosting.NewUser{Email: "al@al.example", Name: "Al", Role: hosting.Customer, Package: pack.ID})
	small, err := h.rules.CreatePackage(ctx, h.actor(h.seller), hosting.NewPackage{Name: "Small", Quota: hosting.Quota{hosting.Sites: 3}})
	h.must(err)
	h.jo = h.create(h.actor(h.seller), hosting.NewUser{Email: "jo@shop.example", Name: "Jo", Role: hosting.Customer, Package: small.ID})
	h.site(h.jo, "jo.example")
	h.site(h.al, "al.example")
	h.programs()
	u, err := h.rules.Invite(ctx, h.actor(h.jo), hosting.Invitation{Email: "helper@web.example", Name: "Helper", Customer: h.jo.user.ID, Site: "jo.example",
		Rights: []hosting.Right{hosting.RightSiteView, hosting.RightSiteChange, hosting.RightSiteRestart}})
	h.must(err)
	h.helper = h.account(u)
}

func (h *house) insert(email string, role hosting.Role) *account {
	u := &hosting.User{ID: hosting.NewID(), Email: email, Name: "Boss", Role: role, CreatedAt: h.now()}
	h.must(h.db.Write(h.t.Context(), func(tx hosting.Tx) error { return tx.InsertUser(h.t.Context(), u) }))
	return h.account(u)
}

func (h *house) create(by hosting.Actor, req hosting.NewUser) *account {
	h.t.Helper()
	u, err := h.rules.CreateUser(h.t.Context(), by, req)
	h.must(err)
	return h.account(u)
}

func (h *house) account(u *hosting.User) *account {
	h.t.Helper()
	token, err := h.doors.IssueToken(h.t.Context(), u.Email, auth.NewToken{Name: "test", Scopes: auth.TokenScopes(), Life: time.Hour})
	h.must(err)
	return &account{house: h, user: u, token: token}
}

func (h *house) actor(a *account) hosting.Actor {
	h.t.Helper()
	actor, err := hosting.ActorOf(h.t.Context(), h.db, a.user.ID)
	h.must(err)
	return actor
}

const theirPassword = "seven purple bicycles sing"

// factors gives who asks a password, and the other one a second factor.
func (h *house) factors(who, other *account) {
	h.t.Helper()
	ctx := h.t.Context()
	link, err := h.doors.ResetLink(ctx, h.actor(h.boss), who.user.ID)
	h.must(err)
	h.must(h.doors.SetPassword(ctx, link, theirPassword, "en"))
	h.must(h.db.Write(ctx, func(tx hosting.Tx) error {
		login, err := tx.Login(ctx, other.user.ID)
		h.must(err)
		login.TOTP = []byte("JBSWY3DPEHPK3PXP")
		return tx.PutLogin(ctx, login)
	}))
}

// site makes one that is live.
func (h *house) site(of *account, name string) {
	h.t.Helper()
	s, err := h.rules.CreateSite(h.t.Context(), h.actor(of), "", hosting.NewSite{Name: name, Storage: "5Gi", CPU: "1000m", Memory: "512Mi"}, false)
	h.must(err)
	h.cluster.Finish(s.Object, h.now())
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.ahead)
}

// pass lets time go by.
func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ahead += d
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// reply is what a program gets.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// request is what it asks.
type request struct {
	method, path string
	body         any // JSON; a string is sent as it is
	header       map[string]string
}

func (a *account) get(path string) reply { return a.ask(request{method: http.MethodGet, path: path}) }

func (a *account) post(path string, body any) reply {
	return a.ask(request{method: http.MethodPost, path: path, body: body})
}

// ask sends a request and holds the answer against the document.
func (a *account) ask(q request) reply {
	a.house.t.Helper()
	token := a.token
	if q.header == nil {
		q.header = map[string]string{}
	}
	q.header["Authorization"] = "Bearer " + token
	return a.house.ask(q)
}

func (h *house) ask(q request) reply {
	h.t.Helper()
	var body io.Reader
	switch b := q.body.(type) {
	case nil:
	case string:
		body = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		h.must(err)
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(h.t.Context(), q.method, h.http.URL+rest.Prefix+q.path, body)
	h.must(err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range q.header {
		req.Header.Set(name, value)
	}
	resp, err := h.http.Client().Do(req)
	h.must(err)
	defer resp.Body.Close() // it is read
	text, err := io.ReadAll(resp.Body)
	h.must(err)
	r := reply{resp.StatusCode, resp.Header, text}
	h.hold(req, r)
	return r
}

// hold compares an answer with the document.
func (h *house) hold(req *http.Request, r reply) {
	h.t.Helper()
	within := req.Clone(context.Background())
	within.URL.Scheme, within.URL.Host = "", "" // the document says where the API is below any address
	route, params, err := h.router.FindRoute(within)
	if err != nil {
		return // nothing of ours
	}
	if r.status < http.StatusMultipleChoices {
		done.Store(route.Operation.OperationID, true)
	}
	in := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: r.status, Header: r.header, Body: io.NopCloser(bytes.NewReader(r.body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		h.t.Errorf("%s %s = %d, which is not what the document says: %v\n%s", req.Method, req.URL.Path, r.status, err, r.body)
	}
}

// want checks a status and texts that the answer must have.
func (r reply) want(t *testing.T, status int, says ...string) reply {
	t.Helper()
	if r.status != status {
		t.Errorf("status %d, want %d: %.2000s", r.status, status, r.body)
	}
	for _, s := range says {
		if !bytes.Contains(r.body, []byte(s)) {
			t.Errorf("the answer does not say %q: %.2000s", s, r.body)
		}
	}
	return r
}

// problem checks a problem document.
func (r reply) problem(t *testing.T, status int, code hosting.Code, field string) {
	t.Helper()
	var p rest.Problem
	if err := json.Unmarshal(r.body, &p); err != nil || r.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s %q is no problem document: %v", r.status, r.header.Get("Content-Type"), r.body, err)
		return
	}
	named := field == ""
	for _, e := range p.Errors {
		named = named || e.Field == field
	}
	if r.status != status || p.Status != status || p.Code != code || !named || p.Title == "" {
		t.Errorf("problem %d %+v, want %d %s about %q", r.status, p, status, code, field)
	}
}

// read decodes an answer.
func read[T any](t *testing.T, r reply) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatalf("read %s: %v", r.body, err)
	}
	return v
}

// text is a body as ask sends it.
func (h *house) text(body any) []byte {
	h.t.Helper()
	text, err := json.Marshal(body)
	h.must(err)
	return text
}
