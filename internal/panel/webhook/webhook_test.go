package webhook_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/webhook"
	"kubepanel.io/kubepanel/internal/store"
)

// office is the rules on a real database with a webhook of an administrator.
type office struct {
	t     *testing.T
	rules *hosting.Provider
	boss  hosting.Actor
	hook  *hosting.Webhook

	mu    sync.Mutex
	ahead time.Duration
}

func newOffice(t *testing.T, url string, events ...string) *office {
	t.Helper()
	o := &office{t: t}
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "panel.db"), store.Options{Keys: [][]byte{bytes.Repeat([]byte{1}, 32)}})
	o.must(err)
	t.Cleanup(db.Close)
	o.rules = &hosting.Provider{Store: db, Panel: &hosting.Panel{}, Now: o.now}
	u := &hosting.User{ID: hosting.NewID(), Email: "boss@provider.example", Name: "Boss", Role: hosting.Administrator, CreatedAt: o.now()}
	o.must(db.Write(t.Context(), func(tx hosting.Tx) error { return tx.InsertUser(t.Context(), u) }))
	o.boss, err = hosting.ActorOf(t.Context(), db, u.ID)
	o.must(err)
	name := "Hook"
	o.hook, err = o.rules.CreateWebhook(t.Context(), o.boss, hosting.NewWebhook{Name: &name, URL: &url, Events: &events})
	o.must(err)
	return o
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Now().Add(o.ahead)
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ahead += d
}

// happen makes an entry of the trail that the webhook may want.
func (o *office) happen(name string) {
	o.t.Helper()
	_, err := o.rules.CreatePackage(o.t.Context(), o.boss, hosting.NewPackage{Name: name})
	o.must(err)
}

// deliveries are all, the oldest first.
func (o *office) deliveries() []hosting.Delivery {
	o.t.Helper()
	page, err := o.rules.Deliveries(o.t.Context(), o.boss, o.hook.ID, "", 200)
	o.must(err)
	all := make([]hosting.Delivery, 0, len(page.Items))
	for i := range page.Items {
		all = append(all, page.Items[len(page.Items)-1-i])
	}
	return all
}

// peer is a real HTTPS server that answers with a status and keeps what it got.
type peer struct {
	*httptest.Server

	mu     sync.Mutex
	status int
	to     string // where a redirect leads
	got    []*http.Request
	bodies [][]byte
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	p := &peer{status: http.StatusOK}
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.got, p.bodies = append(p.got, r), append(p.bodies, body)
		if p.to != "" {
			w.Header().Set("Location", p.to)
		}
		w.WriteHeader(p.status)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *peer) answers(status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = status
}

func (p *peer) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.got)
}

// sender may reach this computer, where the peers are, unless it is to be strict.
func (o *office) sender(p *peer, strict bool) *webhook.Sender {
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	options := webhook.Options{Rules: o.rules, Roots: roots, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if !strict {
		options.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	return webhook.New(options)
}

func TestWhatHappensIsToldSigned(t *testing.T) {
	p := newPeer(t)
	o := newOffice(t, p.URL, "package.*")
	s := o.sender(p, false)
	o.happen("Small")
	o.must(s.Turn(t.Context()))
	o.must(s.Turn(t.Context())) // and not twice
	if p.count() != 1 {
		t.Fatalf("%d messages came, want 1", p.count())
	}
	key, err := standardwebhooks.NewWebhookRaw(o.hook.Secret)
	o.must(err)
	if err := key.Verify(p.bodies[0], p.got[0].Header); err != nil {
		t.Errorf("the signature of %s: %v", p.bodies[0], err)
	}
	if err := key.Verify(append(p.bodies[0], ' '), p.got[0].Header); err == nil {
		t.Error("another body has the same signature")
	}
	if text := string(p.bodies[0]); !strings.Contains(text, `"type":"package.create"`) || !strings.Contains(text, `"object":"Small"`) {
		t.Errorf("the message is %s", text)
	}
	if d := o.deliveries(); len(d) != 1 || d[0].State != hosting.DeliveryDelivered || d[0].Status != http.StatusOK {
		t.Errorf("deliveries = %+v", d)
	}
}

func TestWhatIsNotTakenIsTriedAgain(t *testing.T) {
	p := newPeer(t)
	o := newOffice(t, p.URL, "*")
	s := o.sender(p, false)
	p.answers(http.StatusInternalServerError)
	o.must(s.Turn(t.Context()))
	if p.count() != 0 {
		t.Fatalf("a webhook is told of its own making")
	}
	o.happen("Small")
	o.must(s.Turn(t.Context()))
	o.must(s.Turn(t.Context()))
	if p.count() != 1 {
		t.Errorf("%d tries at once, want 1", p.count())
	}
	o.pass(6 * time.Second)
	o.must(s.Turn(t.Context()))
	p.answers(http.StatusNoContent)
	o.pass(5 * time.Minute)
	o.must(s.Turn(t.Context()))
	d := o.deliveries()
	if p.count() != 3 || len(d) != 1 || d[0].State != hosting.DeliveryDelivered || d[0].Tries != 3 {
		t.Errorf("%d tries, deliveries %+v, want the third try to be taken", p.count(), d)
	}
	for _, r := range p.got {
		if r.Header.Get("webhook-id") != string(d[0].ID) {
			t.Errorf("a try has the number %s, want %s in all", r.Header.Get("webhook-id"), d[0].ID)
		}
	}
	again, err := o.rules.Replay(t.Context(), o.boss, o.hook.ID, d[0].ID)
	o.must(err)
	o.must(s.Turn(t.Context()))
	if got, err := o.rules.Delivery(t.Context(), o.boss, o.hook.ID, again.ID); err != nil || got.State != hosting.DeliveryDelivered || string(got.Body) != string(d[0].Body) {
		t.Errorf("the message once more is %+v, %v", got, err)
	}
}

func TestAnAddressThatTakesNothingIsTurnedOff(t *testing.T) {
	p := newPeer(t)
	o := newOffice(t, p.URL, "package.create")
	s := o.sender(p, false)
	p.answers(http.StatusBadGateway)
	o.happen("Small")
	for range 20 {
		o.must(s.Turn(t.Context()))
		o.pass(25 * time.Hour)
	}
	w, err := o.rules.Webhook(t.Context(), o.boss, o.hook.ID)
	o.must(err)
	if d := o.deliveries(); !w.Disabled || w.Why == "" || len(d) != 1 || d[0].State != hosting.DeliveryFailed || p.count() != 10 {
		t.Errorf("webhook %+v, deliveries %+v after %d tries; want it off after 10", w, d, p.count())
	}
}

func TestNothingInsideIsReached(t *testing.T) {
	inside := newPeer(t)
	for _, url := range []string{inside.URL, strings.Replace(inside.URL, "127.0.0.1", "localhost", 1), "https://[::1]:1/", "https://[::ffff:127.0.0.1]:1/",
		"https://10.96.0.1/", "https://169.254.169.254/latest/meta-data/", "https://100.64.0.1/", "https://0.0.0.0/", "https://[fe80::1]/", "https://[fd00::1]/", "https://[64:ff9b::a00:1]/"} {
		o := newOffice(t, url, "package.*")
		o.happen("Small")
		o.must(o.sender(inside, true).Turn(t.Context()))
		d := o.deliveries()
		if len(d) != 1 || d[0].State != hosting.DeliveryPending || d[0].Status != 0 || !strings.Contains(d[0].Said, "does not allow") {
			t.Errorf("%s: %+v, want it refused before a connection", url, d)
		}
	}
	if inside.count() != 0 {
		t.Errorf("%d requests came to what is inside", inside.count())
	}
}

// What is outside may not lead inside.
func TestARedirectLeadsNowhere(t *testing.T) {
	inside, outside := newPeer(t), newPeer(t)
	outside.status, outside.to = http.StatusTemporaryRedirect, inside.URL
	o := newOffice(t, outside.URL, "package.*")
	o.happen("Small")
	o.must(o.sender(outside, false).Turn(t.Context()))
	if d := o.deliveries(); outside.count() != 1 || inside.count() != 0 || len(d) != 1 || d[0].State != hosting.DeliveryPending || d[0].Status != http.StatusTemporaryRedirect {
		t.Errorf("%d requests outside, %d inside, deliveries %+v", outside.count(), inside.count(), d)
	}
}

// Several panels send each message once; what one takes and dies with is sent by the
// next after the lease.
func TestTwoPanelsSendOnce(t *testing.T) {
	p := newPeer(t)
	o := newOffice(t, p.URL, "package.*")
	for _, name := range []string{"A", "B", "C", "D", "E", "F"} {
		o.happen(name)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := o.sender(p, false).Turn(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if p.count() != 6 {
		t.Errorf("%d messages came, want 6", p.count())
	}
	o.happen("G")
	o.must(o.rules.Announce(t.Context()))
	taken, err := o.rules.Parcels(t.Context())
	o.must(err)
	o.must(o.sender(p, false).Turn(t.Context()))
	if len(taken) != 1 || p.count() != 6 {
		t.Errorf("%d messages taken, %d came; want the taken one to wait", len(taken), p.count())
	}
	o.pass(2 * time.Minute)
	o.must(o.sender(p, false).Turn(t.Context()))
	if p.count() != 7 {
		t.Errorf("%d messages came, want 7 after the lease", p.count())
	}
}

func TestCustomersAreToldOfTheirOwnAlone(t *testing.T) {
	p := newPeer(t)
	o := newOffice(t, p.URL, "*")
	pack, err := o.rules.CreatePackage(t.Context(), o.boss, hosting.NewPackage{Name: "P"})
	o.must(err)
	al, err := o.rules.CreateUser(t.Context(), o.boss, hosting.NewUser{Email: "al@x.example", Name: "Al", Role: hosting.Customer, Package: pack.ID})
	o.must(err)
	actor, err := hosting.ActorOf(t.Context(), o.rules.Store, al.ID)
	o.must(err)
	name, events := "Mine", []string{"*"}
	mine, err := o.rules.CreateWebhook(t.Context(), actor, hosting.NewWebhook{Name: &name, URL: &p.URL, Events: &events})
	o.must(err)
	o.happen("Other")
	other := "Allan"
	_, err = o.rules.ChangeUser(t.Context(), o.boss, al.ID, hosting.UserChange{Name: &other})
	o.must(err)
	o.must(o.rules.Announce(t.Context()))
	page, err := o.rules.Deliveries(t.Context(), actor, mine.ID, "", 0)
	o.must(err)
	for _, d := range page.Items {
		if d.Event != "webhook.change" && d.Event != "user.change" {
			t.Errorf("a customer is told of %s: %s", d.Event, d.Body)
		}
	}
	if len(page.Items) == 0 {
		t.Error("a customer is told nothing")
	}
}

// Whoever has messages by the dozen, to addresses that take their time, delays nobody
// else's.
func TestOneAccountDelaysNobodyElsesMessages(t *testing.T) {
	p := newPeer(t)
	o := newOffice(t, p.URL, "none.*")
	al := &hosting.User{ID: hosting.NewID(), Email: "al@provider.example", Name: "Al", Role: hosting.Administrator, CreatedAt: o.now()}
	o.must(o.rules.Store.Write(t.Context(), func(tx hosting.Tx) error { return tx.InsertUser(t.Context(), al) }))
	name, events := "Hook", []string{"none.*"}
	as := hosting.Actor{ID: al.ID, Name: al.Name, Role: al.Role}
	hook, err := o.rules.CreateWebhook(t.Context(), as, hosting.NewWebhook{Name: &name, URL: &p.URL, Events: &events})
	o.must(err)
	for range 100 {
		_, err := o.rules.TestWebhook(t.Context(), o.boss, o.hook.ID)
		o.must(err)
	}
	_, err = o.rules.TestWebhook(t.Context(), as, hook.ID)
	o.must(err)
	parcels, err := o.rules.Parcels(t.Context())
	o.must(err)
	var others int
	for _, parcel := range parcels {
		if parcel.Delivery.Webhook == hook.ID {
			others++
		}
	}
	if others != 1 || len(parcels) < 2 {
		t.Errorf("of %d messages that are sent first %d are of the account that has one, want it", len(parcels), others)
	}
}
