package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// courier stands between a panel and the API server. While it tarries, it brings no
// word of any watch; all else passes.
type courier struct {
	mu   sync.Mutex
	free chan struct{} // closed while it doesn't tarry
}

// newCourier returns it with a kubeconfig that leads to it.
func newCourier(t testing.TB) (*courier, string) {
	t.Helper()
	c := &courier{free: make(chan struct{})}
	close(c.free)
	config := rest.CopyConfig(cluster.Config)
	config.Impersonate.UserName = panelUser
	transport, err := rest.TransportFor(config)
	must(t, err)
	to, err := url.Parse(config.Host)
	must(t, err)
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:     transport,
		FlushInterval: -1,
		ModifyResponse: func(r *http.Response) error {
			if r.Request.URL.Query().Has("watch") {
				r.Body = &late{r.Body, r.Request, c}
			}
			return nil
		},
	})
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, clientcmd.WriteToFile(api.Config{
		Clusters: map[string]*api.Cluster{"c": {Server: server.URL}}, AuthInfos: map[string]*api.AuthInfo{"u": {}},
		Contexts: map[string]*api.Context{"x": {Cluster: "c", AuthInfo: "u"}}, CurrentContext: "x",
	}, file))
	return c, file
}

func (c *courier) tarry() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free = make(chan struct{})
}

func (c *courier) hurry() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.free)
}

// late is a watch that waits for its courier.
type late struct {
	io.ReadCloser
	request *http.Request
	courier *courier
}

// Read reads and waits.
func (l *late) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	l.courier.mu.Lock()
	free := l.courier.free
	l.courier.mu.Unlock()
	select {
	case <-free:
	case <-l.request.Context().Done():
	}
	return n, err
}

// Two panels on one PostgreSQL and one API server, of which the second is told of changes
// late. Whoever changed something by the first sees it on the second, which waits for it.
func TestAnotherPanelKnowsWhatWasJustChanged(t *testing.T) {
	town := newTownOnServer(t)
	town.grow(2)
	town.hold(townSite(0))
	first := town.open()
	first.signIn()
	var slow *courier
	slow, town.kubeconfig = newCourier(t)
	second, hasty := town.open("--fresh-within", "1m"), town.open("--fresh-within", "100ms")

	page := func(o *office, path string) string {
		t.Helper()
		code, body := send(http.DefaultClient, o, http.MethodGet, path, nil)
		if code != http.StatusOK {
			t.Errorf("%s = %d: %.300s", path, code, body)
		}
		return body
	}
	change := func(path string, form url.Values) {
		t.Helper()
		if code, body := send(noRedirects, first, http.MethodPost, path, form); code != http.StatusSeeOther {
			t.Fatalf("POST %s = %d: %.300s", path, code, body)
		}
	}
	site := "/sites/" + townSite(0)
	for _, step := range []struct {
		name, path string
		form       url.Values
		shown      string // its badge, as no operator acts on it: the list names all states, to be narrowed to
	}{
		{"suspend", site + "/suspend", nil, ">Changing</span>"},
		{"delete", site + "/delete", url.Values{"confirm": {townSite(0)}}, ">Being deleted</span>"},
	} {
		for _, at := range []string{site, "/sites"} {
			if strings.Contains(page(second, at), step.shown) {
				t.Fatalf("%s shows %q before the change", at, step.shown)
			}
		}
		slow.tarry()
		change(step.path, step.form)
		page(hasty, site) // answers all the same, with what was
		answers := make(chan string, 2)
		var asking sync.WaitGroup
		for _, at := range []string{site, "/sites"} {
			asking.Go(func() { answers <- page(second, at) })
		}
		early := 0
		select {
		case body := <-answers: // without waiting, which is wrong unless it knows
			early++
			if !strings.Contains(body, step.shown) {
				t.Errorf("%s: the second panel shows what was before", step.name)
			}
		case <-time.After(500 * time.Millisecond):
		}
		slow.hurry()
		asking.Wait()
		for range 2 - early {
			if body := <-answers; !strings.Contains(body, step.shown) {
				t.Errorf("%s: the second panel shows what was before, want %q", step.name, step.shown)
			}
		}
	}
}

// hold has a site not go at once when it is deleted, as an operator does.
func (t *town) hold(name string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	d := &v1alpha1.Domain{}
	must(t, cluster.Client.Get(ctx, client.ObjectKey{Name: name}, d))
	d.Finalizers = []string{v1alpha1.FinalizerDomain}
	must(t, cluster.Client.Update(ctx, d))
	t.Cleanup(func() {
		// It goes though the test failed before it was deleted: other tests have sites of its name.
		must(t, client.IgnoreNotFound(cluster.Client.Delete(ctx, d)))
		must(t, cluster.LetGo(ctx, name))
	})
}

// noRedirects shows where an answer leads.
var noRedirects = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
