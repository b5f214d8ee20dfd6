package edge_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The benchmarks ask a pod for the same small page directly and through the
// edge, from several visitors at once:
//
//	go test -run '^$' -bench Page ./internal/edge
//
// The pod is a Go server, which is faster than any site: what they show is what
// the edge adds to a request.

func BenchmarkPage(b *testing.B) {
	s := newStage(b)
	page := strings.Repeat("<p>A small page.</p>\n", 200)
	pod := s.pod("10.1.0.1", text(page))
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"}, "ssl-redirect=false")
	ca := newCA(b)
	s.innerPod("10.1.0.2", s.ownCertificate(ca, "safe"), text(page))
	s.inner(s.name, "safe", "10.1.0.2")
	s.site("safe", "safe", []string{"safe.test"}, "https-port=https")
	s.startWith(ca)
	s.served("shop.test", http.StatusOK)
	s.served("safe.test", http.StatusOK)
	http1 := s.visitor()
	http1.Transport.(*http.Transport).TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	http1.Transport.(*http.Transport).ForceAttemptHTTP2 = false

	b.Run("direct", func(b *testing.B) { ask(b, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}, pod.URL) })
	b.Run("edge-http", func(b *testing.B) { ask(b, s.visitor(), "http://shop.test/") })
	b.Run("edge-https", func(b *testing.B) { ask(b, http1, "https://shop.test/") })
	b.Run("edge-http2", func(b *testing.B) { ask(b, s.visitor(), "https://shop.test/") })
	b.Run("edge-http2-tls-pod", func(b *testing.B) { ask(b, s.visitor(), "https://safe.test/") })
}

func ask(b *testing.B, client *http.Client, url string) {
	b.ReportAllocs()
	before := processorTime(b)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			res, err := client.Get(url)
			if err != nil {
				b.Error(err)
				return
			}
			_, err = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != http.StatusOK {
				b.Errorf("status %d, %v", res.StatusCode, err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
}

// processorTime is what this process has used: visitor, edge and pod together. It
// tells more than the clock where something else runs beside.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
