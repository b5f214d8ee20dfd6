package edge_test

import (
	"context"
	"crypto/tls"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"kubepanel.io/kubepanel/internal/proctest"
)

func TestEdgeWaitsForTheCAAndFollowsIt(t *testing.T) {
	s := newStage(t)
	s.pod("10.1.0.1", text("hello"))
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"}, "ssl-redirect=false")
	s.run()
	s.eventually("plain requests are answered", func() bool {
		a, err := fetch(s.visitor(), "http://shop.test/")
		return err == nil && a.body == "hello"
	})
	if ready, alive := s.health("/readyz"), s.health("/healthz"); ready != http.StatusServiceUnavailable || alive != http.StatusOK {
		t.Errorf("without a CA: readyz %d, healthz %d, want 503 and 200", ready, alive)
	}
	s.setCA(newCA(t))
	s.served("shop.test", http.StatusOK)
	s.eventually("the edge is ready", func() bool { return s.health("/readyz") == http.StatusOK })
	s.setCA(newCA(t))
	s.served("shop.test", http.StatusOK) // the visitor trusts the new CA only
}

func TestSiteMayBringItsCertificate(t *testing.T) {
	s := newStage(t)
	s.pod("10.1.0.1", text("hello"))
	s.service("shop", "10.1.0.1")
	ours := newCA(t)
	certPEM, _ := ours.leaf(t, "shop.test")
	_, keyPEM := ours.leaf(t, "shop.test")
	s.setSecret("own", certPEM, keyPEM) // another's key: unusable
	ing := s.site("shop", "shop", []string{"shop.test", "other.test"})
	ing.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"shop.test", "other.test"}, SecretName: "own"}}
	ctx := context.Background()
	if _, err := s.client.NetworkingV1().Ingresses(s.name).Update(ctx, ing, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.served("shop.test", http.StatusOK) // with the platform's CA meanwhile

	names := func(host string) []string {
		conn, err := tls.Dial("tcp", s.config.HTTPSListen, &tls.Config{InsecureSkipVerify: true, ServerName: host})
		if err != nil {
			return nil
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].DNSNames
	}
	certPEM, keyPEM = ours.leaf(t, "shop.test", "extra.test")
	s.setSecret("own", certPEM, keyPEM)
	// The Secret is read again when the set of named Secrets changes, and at
	// intervals; a second site spares the test the wait.
	s.nudge()
	s.eventually("the site's own certificate is shown", func() bool { return slices.Contains(names("shop.test"), "extra.test") })
	if got := names("other.test"); !slices.Equal(got, []string{"other.test"}) {
		t.Errorf("certificate for other.test is for %q, want one of the platform's CA: the Secret does not cover it", got)
	}
}

// nudge has the edge read certificate Secrets now.
func (s *stage) nudge() {
	s.t.Helper()
	ing := s.site("nudge", "shop", []string{"nudge.test"})
	ing.Spec.TLS = []networkingv1.IngressTLS{{SecretName: "missing"}}
	if _, err := s.client.NetworkingV1().Ingresses(s.name).Update(context.Background(), ing, metav1.UpdateOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

func TestStatusTellsWhereASiteIsServed(t *testing.T) {
	s := newStage(t)
	s.service("shop")
	s.site("shop", "shop", []string{"shop.test"})
	foreign := s.site("foreign", "shop", []string{"foreign.test"})
	class := "another"
	foreign.Spec.IngressClassName = &class
	ctx := context.Background()
	ingresses := s.client.NetworkingV1().Ingresses(s.name)
	if _, err := ingresses.Update(ctx, foreign, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	s.config.Addresses = []string{"192.0.2.7", "2001:db8::7", "edge.example"}
	s.start()
	want := []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.7"}, {IP: "2001:db8::7"}, {Hostname: "edge.example"}}
	read := func(name string) *networkingv1.Ingress {
		ing, err := ingresses.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return ing
	}
	equal := func(ing *networkingv1.Ingress) bool {
		return slices.EqualFunc(ing.Status.LoadBalancer.Ingress, want, func(a, b networkingv1.IngressLoadBalancerIngress) bool {
			return a.IP == b.IP && a.Hostname == b.Hostname
		})
	}
	s.eventually("the status is written", func() bool { return equal(read("shop")) })
	version := read("shop").ResourceVersion

	// Somebody wipes it: it comes back.
	ing := read("shop")
	ing.Status.LoadBalancer.Ingress = nil
	if _, err := ingresses.UpdateStatus(ctx, ing, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	s.eventually("the status is written again", func() bool { return equal(read("shop")) })
	if read("shop").ResourceVersion == version {
		t.Error("the object is at its old version; the test has not wiped anything")
	}
	version = read("shop").ResourceVersion
	s.site("later", "shop", []string{"later.test"})
	s.eventually("a later one gets it too", func() bool { return equal(read("later")) })
	if got := read("shop").ResourceVersion; got != version {
		t.Errorf("version = %s after others changed, want %s: nothing to write", got, version)
	}
	if got := read("foreign").Status.LoadBalancer.Ingress; len(got) != 0 {
		t.Errorf("status of another class's Ingress = %v, want none", got)
	}
}

func TestLoserOfAHostIsTold(t *testing.T) {
	s := newStage(t)
	s.pod("10.1.0.1", text("old"))
	s.pod("10.1.0.2", text("young"))
	s.service("old", "10.1.0.1")
	s.service("young", "10.1.0.2")
	s.site("z-old", "old", []string{"shop.test"})
	time.Sleep(1100 * time.Millisecond) // creation times have whole seconds
	s.site("a-young", "young", []string{"shop.test", "free.test"})
	s.start()
	s.served("free.test", http.StatusOK)
	if a := s.get(s.visitor(), "https://shop.test/"); a.body != "old" {
		t.Errorf("shop.test is answered by %q, want old", a.body)
	}
	if a := s.get(s.visitor(), "https://free.test/"); a.body != "young" {
		t.Errorf("free.test is answered by %q, want young", a.body)
	}
	ctx := context.Background()
	var told []eventsv1.Event
	s.eventually("an Event tells it", func() bool {
		list, err := s.client.EventsV1().Events(s.name).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false
		}
		// The API server has something to say of new Services now and then.
		told = slices.DeleteFunc(list.Items, func(e eventsv1.Event) bool { return e.Reason != "HostTaken" })
		return len(told) > 0
	})
	if len(told) != 1 || told[0].Regarding.Name != "a-young" || !strings.Contains(told[0].Note, "shop.test") {
		t.Errorf("the Events are %+v, want one that tells a-young of shop.test", told)
	}
	if err := s.client.NetworkingV1().Ingresses(s.name).Delete(ctx, "z-old", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	s.eventually("the younger takes over", func() bool {
		a, err := fetch(s.visitor(), "https://shop.test/")
		return err == nil && a.body == "young"
	})
}

func TestLogsAndMetricsTellNoSecret(t *testing.T) {
	s := newStage(t)
	s.pod("10.1.0.1", text("hello"))
	s.service("shop", "10.1.0.1")
	s.service("empty")
	s.site("shop", "shop", []string{"shop.test"})
	s.site("empty", "empty", []string{"empty.test"})
	s.config.RetryFor = 50 * time.Millisecond
	access := &proctest.Log{}
	s.config.AccessLog = access
	s.start()
	s.served("shop.test", http.StatusOK)
	for _, host := range []string{"shop.test", "empty.test"} {
		s.get(s.visitor(), "https://"+host+"/login?token=hush", "Referer: https://shop.test/?token=hush", "Authorization: Basic hush", "Cookie: session=hush")
	}
	s.eventually("the access log has both", func() bool { return strings.Count(access.String(), `"path":"/login"`) == 2 })
	if !strings.Contains(access.String(), `"status":503`) || !strings.Contains(access.String(), `"host":"empty.test"`) {
		t.Errorf("access log = %s, want a line for empty.test with status 503", access)
	}
	for name, log := range map[string]*proctest.Log{"access log": access, "log": s.log} {
		if strings.Contains(log.String(), "hush") {
			t.Errorf("%s = %s, want nothing of the query or the header", name, log)
		}
	}
	body := s.metrics()
	for _, want := range []string{
		`kubepanel_edge_requests_total{code="5xx",scheme="https"} 1`, "kubepanel_edge_hosts 2", "kubepanel_edge_ingresses 2",
		"kubepanel_edge_certificates 2", "kubepanel_edge_request_seconds_count", "kubepanel_edge_ca_expiry_timestamp_seconds",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("metrics have no %q", want)
		}
	}
	if strings.Contains(body, "shop.test") {
		t.Error("metrics have a label per host")
	}
}

func TestCaddyWritesNothing(t *testing.T) {
	before := files(t)
	s := newStage(t)
	s.pod("10.1.0.1", text("hello"))
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"})
	s.start()
	s.served("shop.test", http.StatusOK)
	_, _ = fetch(s.visitor(), "https://unknown.test/")
	_, _ = fetch(s.visitor(), "http://shop.test/.well-known/acme-challenge/x")
	if got := files(t); !slices.Equal(got, before) {
		t.Errorf("files of Caddy = %q, want %q as before", got, before)
	}
}

// files lists what is where Caddy keeps its data and configuration by default.
func files(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, folder := range []string{caddy.AppDataDir(), caddy.AppConfigDir()} {
		// A folder that is not there is an empty list.
		_ = filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err == nil {
				found = append(found, path)
			}
			return nil
		})
	}
	return found
}

func TestEdgeNeedsOnlyTheRightsOfTheChart(t *testing.T) {
	s := newStage(t)
	limited := protobuf(cluster.Config)
	limited.Impersonate = rest.ImpersonationConfig{UserName: s.grant()}
	s.config.Client = kubernetes.NewForConfigOrDie(limited)
	s.config.Addresses = []string{"192.0.2.7"}
	s.pod("10.1.0.1", text("hello"))
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"})
	s.start()
	s.served("shop.test", http.StatusOK)
	s.eventually("the status is written", func() bool {
		ing, err := s.client.NetworkingV1().Ingresses(s.name).Get(context.Background(), "shop", metav1.GetOptions{})
		return err == nil && len(ing.Status.LoadBalancer.Ingress) == 1
	})
	if log := s.log.String(); strings.Contains(log, "forbidden") {
		t.Errorf("log = %s, want nothing forbidden", log)
	}
}
