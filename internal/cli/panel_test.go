package cli

import (
	"bytes"
	"context"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/rest"
	"kubepanel.io/kubepanel/internal/panel/visit"
	"kubepanel.io/kubepanel/internal/store"
)

// office is a terminal beside a real panel on a real database, over HTTPS.
type office struct {
	t      *testing.T
	env    *Env
	out    bytes.Buffer
	err    bytes.Buffer
	url    string
	token  string
	ca     string
	panels string
	// unseen is what somebody types that the terminal does not show.
	unseen string
	rules  *hosting.Provider
	// open leads to a cluster; nil where a test has none.
	open func(Target) (Cluster, error)
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t}
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "panel.db"), store.Options{Keys: [][]byte{make([]byte, 32)}})
	o.must(err)
	t.Cleanup(db.Close)
	rules := &hosting.Provider{Store: db, Panel: &hosting.Panel{}, Now: time.Now}
	o.rules = rules
	doors, err := auth.New(auth.Options{Provider: rules, URL: &url.URL{Scheme: "https", Host: "panel.example"}})
	o.must(err)
	boss := &hosting.User{ID: hosting.NewID(), Email: "boss@provider.example", Name: "Boss", Role: hosting.Administrator, CreatedAt: time.Now()}
	o.must(db.Write(t.Context(), func(tx hosting.Tx) error { return tx.InsertUser(t.Context(), boss) }))
	o.token, err = doors.IssueToken(t.Context(), boss.Email, auth.NewToken{Name: "CLI", Scopes: auth.TokenScopes(), Life: time.Hour})
	o.must(err)
	address := &url.URL{Scheme: "https", Host: "panel.example"}
	databases, err := visit.New(visit.Options{Rules: rules, Sessions: doors.ActorOfSession, Seal: db.Seal, Unseal: db.Open, Panel: address, URL: &url.URL{Scheme: "https", Host: "db.panel.example"}, Upstream: address})
	o.must(err)
	api, err := rest.New(rest.Options{Rules: rules, Doors: doors, Databases: databases, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now})
	o.must(err)
	server := httptest.NewTLSServer(api.Handler())
	t.Cleanup(server.Close)
	o.url, o.ca = server.URL, filepath.Join(t.TempDir(), "ca.crt")
	o.must(os.WriteFile(o.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	o.panels = filepath.Join(t.TempDir(), "kubepanel", "panels.yaml")
	return o
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// run runs a command line, and returns its exit code and what it said.
func (o *office) run(in string, args ...string) (int, string) {
	o.t.Helper()
	return o.sit(in, false, args...)
}

// answer runs a command line at which a person sits, who types in.
func (o *office) answer(in string, args ...string) (int, string) {
	o.t.Helper()
	return o.sit(in+"\n", true, args...)
}

func (o *office) sit(in string, ask bool, args ...string) (int, string) {
	o.t.Helper()
	o.out.Reset()
	o.err.Reset()
	o.env = testEnv(nil)
	o.env.Ask = ask
	if o.unseen != "" {
		o.env.Unseen = func(context.Context) (string, error) { return o.unseen, nil }
	}
	o.env.In, o.env.Out, o.env.Err, o.env.Panels = strings.NewReader(in), &o.out, &o.err, o.panels
	if o.open != nil {
		o.env.Open = o.open
	}
	code := Run(o.t.Context(), o.env, args)
	return code, o.out.String() + o.err.String()
}

// want runs a command that must succeed and say all of the texts.
func (o *office) want(says []string, args ...string) string {
	o.t.Helper()
	code, text := o.run(o.token, args...)
	if code != 0 {
		o.t.Errorf("kubepanel %s = exit code %d: %s", strings.Join(args, " "), code, text)
	}
	for _, s := range says {
		if !strings.Contains(text, s) {
			o.t.Errorf("kubepanel %s does not say %q: %s", strings.Join(args, " "), s, text)
		}
	}
	return text
}

// takesFactors has somebody's second factor taken away, by who shows the own password.
func (o *office) takesFactors(email string) {
	o.t.Helper()
	ctx, own := o.t.Context(), "seven purple bicycles sing"
	reset := []string{"user", "reset-factors", email}
	o.unseen = own
	if code, text := o.answer(email, reset...); code == 0 || !strings.Contains(text, "signed in too long ago") {
		o.t.Errorf("%s by who has no password = %d %s", reset, code, text)
	}
	doors, err := auth.New(auth.Options{Provider: o.rules, URL: &url.URL{Scheme: "https", Host: "panel.example"}})
	o.must(err)
	link, err := doors.RecoveryLink(ctx, "boss@provider.example")
	o.must(err)
	o.must(doors.SetPassword(ctx, link, own, "en"))
	if code, text := o.answer(email, reset...); code == 0 || !strings.Contains(text, "has no second factor") {
		o.t.Errorf("%s of who has none = %d %s", reset, code, text)
	}
	u, err := o.rules.Store.UserByEmail(ctx, email)
	o.must(err)
	o.must(o.rules.Store.Write(ctx, func(tx hosting.Tx) error {
		return tx.PutLogin(ctx, &hosting.Login{User: u.ID, TOTP: []byte("JBSWY3DPEHPK3PXP")})
	}))
	o.unseen = "another horse battery staple"
	if code, text := o.answer(email, reset...); code == 0 || !strings.Contains(text, "The password is wrong") {
		o.t.Errorf("%s with a wrong password = %d %s", reset, code, text)
	}
	if code, text := o.answer("al@shop.example", reset...); code == 0 || !strings.Contains(text, "nothing was changed") {
		o.t.Errorf("%s of who is not meant = %d %s", reset, code, text)
	}
	o.unseen = own
	if code, text := o.answer(email, reset...); code != 0 || !strings.Contains(text, "sets up a second factor at the next sign-in") {
		o.t.Errorf("%s = %d %s", reset, code, text)
	}
}

func TestAProvidersDayAtAPanel(t *testing.T) {
	o := newOffice(t)
	if code, text := o.run("", "user", "list"); code != 1 || !strings.Contains(text, "kubepanel login") {
		t.Errorf("user list before signing in = %d %s", code, text)
	}
	o.want([]string{"Signed in to " + o.url + " as boss@provider.example (administrator)."}, "login", o.url, "--ca-file", o.ca)
	if info, err := os.Stat(o.panels); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file with the token is %v, %v; want it for its owner alone", info.Mode(), err)
	}
	o.want([]string{"* ", "127.0.0.1"}, "panel", "list")
	o.want([]string{"Made the package Small."}, "package", "create", "Small", "--sites", "3", "--storage", "20")
	o.want([]string{"Small", "20"}, "package", "list")
	o.want([]string{"Made the account jo@shop.example."}, "user", "create", "jo@shop.example", "--name", "Jo", "--package", "Small")
	o.want([]string{"jo@shop.example", "Jo", "customer", "Small", "active"}, "user", "list")
	o.want([]string{"https://panel.example/password#"}, "user", "link", "jo@shop.example")
	o.want([]string{"has to sign in again"}, "user", "sign-out", "jo@shop.example")
	o.takesFactors("jo@shop.example")
	o.want([]string{"storage", "20", "GiB"}, "user", "show", "jo@shop.example")
	o.want([]string{"suspended"}, "user", "suspend", "jo@shop.example")
	o.want([]string{`"suspended": false`}, "user", "resume", "jo@shop.example", "-o", "json")
	o.want([]string{"whsec_"}, "webhook", "create", "Hook", "--url", "https://hooks.example/", "--event", "user.*")
	o.want([]string{"Hook", "user.*", "on"}, "webhook", "list")
	o.want([]string{"on its way"}, "webhook", "test", "Hook")
	o.want([]string{"webhook.test", "pending"}, "webhook", "deliveries", "Hook")
	o.want([]string{"Deleted"}, "webhook", "delete", "Hook", "--yes")
	o.want([]string{"user.create", "jo@shop.example", "Boss"}, "audit", "list")
	o.want([]string{"entries are as they were written"}, "audit", "verify")
	o.want([]string{"CLI"}, "token", "list")
	o.want([]string{"Deleted"}, "user", "delete", "jo@shop.example", "--yes")
	o.want([]string{"Deleted"}, "package", "delete", "Small", "--yes")
	o.want([]string{"Signed out"}, "logout")
	if code, text := o.run(o.token, "login", o.url, "--ca-file", o.ca); code != 1 || !strings.Contains(text, "does not count") {
		t.Errorf("login with a token that was ended = %d %s", code, text)
	}
}

func TestPanelErrorsNameTheMend(t *testing.T) {
	o := newOffice(t)
	tests := map[string]struct {
		in, say string
		code    int
		args    []string
	}{
		"no https":        {o.token, "write it like https://panel.example.com", 2, []string{"login", "http://panel.example"}},
		"no token":        {"hello", "one begins with kp_", 2, []string{"login", o.url}},
		"unknown CA":      {o.token, "--ca-file", 1, []string{"login", o.url}},
		"unknown package": {"", "kubepanel package list", 1, []string{"user", "create", "a@b.example", "--name", "A", "--package", "None"}},
		"bad address":     {"", "is not a mail address", 2, []string{"user", "create", "nobody", "--name", "A", "--role", "administrator"}},
		"unknown account": {"", "There is no such thing", 1, []string{"user", "suspend", "nobody@x.example"}},
		"no http hook":    {"", "https://hooks.example/panel", 2, []string{"webhook", "create", "H", "--url", "http://x.example/"}},
	}
	o.want(nil, "login", o.url, "--ca-file", o.ca)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if code, text := o.run(tt.in, tt.args...); code != tt.code || !strings.Contains(text, tt.say) {
				t.Errorf("kubepanel %s = %d %s, want %d and %q", strings.Join(tt.args, " "), code, text, tt.code, tt.say)
			}
		})
	}
}
