package lab

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// TestVisitorsAddressReachesTheSite comes from two addresses of the loopback
// range, through the forwarder and the edge, and lies about it.
func TestVisitorsAddressReachesTheSite(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "address.localhost")
	s.put(t, "index.php", `<?php echo $_SERVER['REMOTE_ADDR'] . ' ' . ($_SERVER['HTTPS'] ?? 'off') . ' ' . $_SERVER['HTTP_HOST'];`)
	host := c.settings.Edge.URL(s.name)[len("https://"):]
	for _, from := range []string{"127.0.0.1", "127.5.6.7"} {
		visitor := c.newVisitor(t, from)
		for _, forged := range []string{"", "X-Forwarded-For", "X-Real-Ip", "Forwarded", "X-Client-Ip"} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url()+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			if forged != "" {
				request.Header.Set(forged, "203.0.113.7")
			}
			got, err := visitor.do(request)
			if err != nil {
				t.Fatal(err)
			}
			if want := from + " on " + host; got.body != want {
				t.Errorf("from %s with forged header %q the site sees %q, want %q", from, forged, got.body, want)
			}
		}
	}
}

// TestAnUnknownNameIsNobodys: no certificate and no page for a name without a site.
func TestAnUnknownNameIsNobodys(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	visitor := c.newVisitor(t, "127.0.0.1")
	if got, err := visitor.get(t.Context(), c.settings.Edge.URL("nobody.localhost")+"/"); err == nil {
		t.Errorf("an unknown name got a valid certificate and %d", got.status)
	}
	got, err := visitor.get(t.Context(), c.settings.Edge.PlainURL("nobody.localhost")+"/")
	if err != nil || got.status != http.StatusNotFound {
		t.Errorf("an unknown name over HTTP = %d (%v), want 404", got.status, err)
	}
}

// hammerWorkers is how many visitors ask without a pause; half of them come anew
// each time, so that handshakes are counted too.
const hammerWorkers = 4

// TestSitesComeAndGoWithoutAFailedRequest asks one site without a pause while
// others are made, changed and deleted.
func TestSitesComeAndGoWithoutAFailedRequest(t *testing.T) {
	c := openCluster(t)
	steady := c.newSite(t, "steady.localhost")
	steady.put(t, "index.html", "steady")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var asked atomic.Int64
	var first error
	var once sync.Once
	var workers sync.WaitGroup
	for i := range hammerWorkers {
		visitor := c.newVisitor(t, "127.0.0.1")
		workers.Go(func() {
			for ctx.Err() == nil {
				if i%2 == 1 {
					visitor.http.CloseIdleConnections()
				}
				got, err := visitor.get(ctx, steady.url()+"/index.html")
				if ctx.Err() != nil {
					return
				}
				if err == nil && got.body != "steady" {
					err = fmt.Errorf("status %d: %.200s", got.status, got.body)
				}
				if err != nil {
					once.Do(func() { first = fmt.Errorf("request %d: %w", asked.Load(), err) })
					return
				}
				asked.Add(1)
			}
		})
	}
	for i := range 3 {
		s := c.newSite(t, fmt.Sprintf("passing-%d.localhost", i))
		s.change(t, func(d *v1alpha1.Domain) {
			d.Spec.Aliases = []v1alpha1.DomainAlias{{Name: fmt.Sprintf("also-%d.localhost", i)}}
		})
		s.becomes(t, v1alpha1.ConditionReady, "True", settleLimit)
		if err := s.remove(t.Context()); err != nil {
			t.Error(err)
		}
	}
	stop()
	workers.Wait()
	if first != nil {
		t.Errorf("a visitor of a steady site was turned away: %v", first)
	}
	t.Logf("%d requests while three sites came, changed and went", asked.Load())
	if asked.Load() < 100 {
		t.Errorf("only %d requests were made: too few to mean anything", asked.Load())
	}
}

// TestASuspendedSiteSaysSo: the edge answers for a site without a pod, and the
// site comes back as it was.
func TestASuspendedSiteSaysSo(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "asleep.localhost")
	s.put(t, "index.html", "awake")
	c.kubepanel(t, "site", "set", s.name, "--suspend", "--wait").must(t)
	visitor := c.newVisitor(t, "127.0.0.1")
	got, err := visitor.get(t.Context(), s.url()+"/")
	if err != nil || got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("a suspended site = %d with Retry-After %q (%v), want 503", got.status, got.header.Get("Retry-After"), err)
	}
	c.kubepanel(t, "site", "set", s.name, "--resume", "--wait").must(t)
	if got := visitor.must(t, s.url()+"/").body; got != "awake" {
		t.Errorf("after --resume the site says %q", got)
	}
}

// TestARefusedUploadIsNotReadAsRequests: the site refuses an upload before it has
// read it. What is left of the body must never be taken for the next request, or
// a visitor could speak in the name of whoever shares the connection with him.
func TestARefusedUploadIsNotReadAsRequests(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "refusing.localhost")
	s.change(t, func(d *v1alpha1.Domain) { d.Spec.Webserver.ClientMaxBodySize = "1m" })
	s.becomes(t, v1alpha1.ConditionReady, "True", settleLimit)
	hidden := fmt.Sprintf("GET /hidden HTTP/1.1\r\nHost: %s\r\n\r\n", s.name)
	body := strings.Repeat(hidden, 2*mebibyte/len(hidden))
	request := fmt.Sprintf("POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", s.name, len(body), body)
	// It is a race between the refusal and the upload, so one try tells nothing.
	for range 20 {
		answers := c.speak(t, s, request)
		if len(answers) > 1 {
			t.Fatalf("one upload was answered %d times: %v", len(answers), answers[:min(len(answers), 5)])
		}
	}
}

// speak sends bytes over a connection of its own and returns the statuses of all
// answers until the other side closes. A connection that is cut while the bytes
// are still being sent has no answer left to read.
func (c *cluster) speak(t *testing.T, s site, text string) []int {
	t.Helper()
	way := c.newVisitor(t, "127.0.0.1").connections
	plain, err := way.DialContext(t.Context(), "tcp", net.JoinHostPort(s.name, strconv.Itoa(int(c.settings.Edge.HTTPSPort))))
	if err != nil {
		t.Fatal(err)
	}
	trusting := way.TLSClientConfig.Clone()
	trusting.ServerName = s.name
	conn := tls.Client(plain, trusting)
	if err := conn.SetDeadline(time.Now().Add(visitorLimit)); err != nil {
		t.Fatal(err)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(conn, text) // cut short by a refusal: that is what is tested
	}()
	defer func() { conn.Close(); <-sent }()
	var statuses []int
	for reader := bufio.NewReader(conn); ; {
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			return statuses
		}
		_, err = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		statuses = append(statuses, answer.StatusCode)
		if err != nil || answer.Close || len(statuses) > 10 {
			return statuses
		}
	}
}
