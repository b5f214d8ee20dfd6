package edge_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSiteIsServedOverHTTPSWithThePlatformsCA(t *testing.T) {
	s := newStage(t)
	s.pod("10.1.0.1", echo)
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test", "*.shop.test"})
	s.start()
	s.served("shop.test", http.StatusOK)

	for _, host := range []string{"shop.test", "any.shop.test"} {
		a := s.get(s.visitor(), "https://"+host+"/path?query=1")
		if a.Proto != "HTTP/2.0" {
			t.Errorf("protocol = %s, want HTTP/2.0", a.Proto)
		}
		leaf := a.TLS.PeerCertificates[0]
		if _, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok {
			t.Errorf("key = %T, want ECDSA", leaf.PublicKey)
		}
		for _, want := range []string{
			"Host: " + host + "\n", "Path: /path?query=1\n", "X-Forwarded-Proto: https\r\n",
			"X-Forwarded-Host: " + host + "\r\n", "X-Forwarded-For: 127.0.0.1\r\n", "X-Real-Ip: 127.0.0.1\r\n",
		} {
			if !strings.Contains(a.body, want) {
				t.Errorf("the pod got %q, want %q in it", a.body, want)
			}
		}
		if strings.Contains(a.body, "Via:") {
			t.Errorf("the pod got %q, want no Via", a.body)
		}
	}
}

func TestPlainRequestsAreSentToThePublicHTTPSPort(t *testing.T) {
	s := newStage(t)
	s.pod("10.1.0.1", echo)
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"})
	s.site("both", "shop", []string{"both.test"}, "ssl-redirect=false")
	s.site("to-root", "shop", []string{"root.test", "www.root.test"}, "www-redirect=www-to-root")
	s.site("to-www", "shop", []string{"www.test", "www.www.test"}, "www-redirect=root-to-www", "ssl-redirect=false")
	s.start()
	s.served("www.www.test", http.StatusOK)

	tests := map[string]struct {
		url, location string
		status        int
	}{
		"to HTTPS":                 {"http://shop.test/a?b=c", "https://shop.test:8443/a?b=c", http.StatusMovedPermanently},
		"HTTPS itself":             {"https://shop.test/", "", http.StatusOK},
		"without redirect":         {"http://both.test/", "", http.StatusOK},
		"www to root, in one step": {"http://www.root.test/a", "https://root.test:8443/a", http.StatusMovedPermanently},
		"www to root on HTTPS":     {"https://www.root.test/a", "https://root.test:8443/a", http.StatusMovedPermanently},
		"root itself":              {"https://root.test/a", "", http.StatusOK},
		"root to www, plain":       {"http://www.test/a", "http://www.www.test:8080/a", http.StatusMovedPermanently},
		"root to www on HTTPS":     {"https://www.test/a", "https://www.www.test:8443/a", http.StatusMovedPermanently},
		"www itself":               {"http://www.www.test/a", "", http.StatusOK},
		"a path like a host":       {"http://shop.test//evil.test/", "https://shop.test:8443//evil.test/", http.StatusMovedPermanently},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := s.get(s.visitor(), tt.url)
			if a.StatusCode != tt.status || a.Header.Get("Location") != tt.location {
				t.Errorf("%s = %d to %q, want %d to %q", tt.url, a.StatusCode, a.Header.Get("Location"), tt.status, tt.location)
			}
		})
	}
	t.Run("a form stays a form", func(t *testing.T) {
		res, err := s.visitor().Post("http://shop.test/form", "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusPermanentRedirect {
			t.Errorf("POST = %d, want 308", res.StatusCode)
		}
	})
}

func TestWhatIsNotServedGetsAPage(t *testing.T) {
	s := newStage(t)
	s.pod("10.1.0.1", echo)
	s.service("shop", "10.1.0.1")
	s.service("empty")
	s.service("dead", "10.1.0.9")
	s.site("shop", "shop", []string{"shop.test"})
	s.site("gone", "shop", []string{"gone.test"}, "suspended=true")
	s.site("empty", "empty", []string{"empty.test"})
	s.site("dead", "dead", []string{"dead.test"})
	s.config.RetryFor = 200 * time.Millisecond
	s.start()
	s.served("shop.test", http.StatusOK)

	tests := map[string]struct {
		url    string
		status int
		text   string
		retry  bool
	}{
		"unknown host":           {"http://unknown.test/", http.StatusNotFound, "no web site of this name", false},
		"suspended":              {"https://gone.test/", http.StatusServiceUnavailable, "suspended", true},
		"suspended, plain":       {"http://gone.test/", http.StatusServiceUnavailable, "suspended", true},
		"no pod":                 {"https://empty.test/", http.StatusServiceUnavailable, "try again in a moment", true},
		"a pod that is not here": {"https://dead.test/", http.StatusBadGateway, "did not answer", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := s.get(s.visitor(), tt.url)
			if a.StatusCode != tt.status || !strings.Contains(a.body, tt.text) {
				t.Errorf("%s = %d %q, want %d with %q", tt.url, a.StatusCode, a.body, tt.status, tt.text)
			}
			if retry := a.Header.Get("Retry-After") != ""; retry != tt.retry {
				t.Errorf("Retry-After = %q, want one: %v", a.Header.Get("Retry-After"), tt.retry)
			}
			if got := a.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control = %q, want no-store", got)
			}
		})
	}
	t.Run("no certificate for an unknown host", func(t *testing.T) {
		if a, err := fetch(s.visitor(), "https://unknown.test/"); err == nil {
			t.Errorf("handshake for unknown.test succeeded with %v", a.TLS.PeerCertificates[0].DNSNames)
		}
	})
	t.Run("nor without a name", func(t *testing.T) {
		conn, err := tls.Dial("tcp", s.config.HTTPSListen, &tls.Config{InsecureSkipVerify: true})
		if err == nil {
			conn.Close()
			t.Error("handshake without a server name succeeded")
		}
	})
	t.Run("another host on a site's connection", func(t *testing.T) {
		req, _ := http.NewRequest(http.MethodGet, "https://shop.test/", nil)
		req.Host = "unknown.test"
		res, err := s.visitor().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("status = %d, want 421", res.StatusCode)
		}
	})
	t.Run("a tunnel", func(t *testing.T) {
		conn, err := net.Dial("tcp", s.config.HTTPListen)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "CONNECT gone.test:80 HTTP/1.1\r\nHost: gone.test:80\r\n\r\n")
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || strings.Contains(line, " 200 ") {
			t.Errorf("CONNECT = %q (%v), want a refusal", line, err)
		}
	})
	t.Run("a header without end", func(t *testing.T) {
		a, err := fetch(s.visitor(), "http://shop.test/", "X-Long: "+strings.Repeat("x", 64<<10))
		// The server may hang up before the visitor has sent all of it.
		if err == nil && a.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("status = %d, want 431 or a closed connection", a.StatusCode)
		}
	})
}

func TestForgedHeadersAreDropped(t *testing.T) {
	s := newStage(t)
	s.pod("10.1.0.1", echo)
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"}, "ssl-redirect=false")
	s.start()
	s.served("shop.test", http.StatusOK)

	a := s.get(s.visitor(), "http://shop.test/",
		"X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.test", "X-Forwarded-Port: 666",
		"X-Forwarded-Ssl: on", "X-Forwarded-Prefix: /evil", "X-Real-IP: 6.6.6.6", "Forwarded: for=6.6.6.6", "Proxy: http://evil.test",
		"X_Forwarded_For: 6.6.6.6", "Connection: X-Real-IP, X-Forwarded-For, X-Forwarded-Proto", "X-Kept: yes")
	for _, bad := range []string{"6.6.6.6", "evil", "666", "https", "X-Forwarded-Ssl"} {
		if strings.Contains(a.body, bad) {
			t.Errorf("the pod got %q, want nothing of %q", a.body, bad)
		}
	}
	for _, want := range []string{
		"X-Forwarded-For: 127.0.0.1\r\n", "X-Real-Ip: 127.0.0.1\r\n", "X-Forwarded-Proto: http\r\n", "X-Forwarded-Host: shop.test\r\n", "X-Kept: yes\r\n",
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the pod got %q, want %q in it", a.body, want)
		}
	}
}

func TestPROXYProtocolCountsOnlyFromTrustedAddresses(t *testing.T) {
	// PROXY protocol version 2, section 2.2: TCP over IPv4 from 203.0.113.7:4711.
	header := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x07\x7f\x00\x00\x01\x12\x67\x01\xbb"
	tests := map[string]struct {
		from   []string
		send   string
		secure bool
		want   string
	}{
		"trusted":                    {[]string{"127.0.0.0/8"}, header, false, "X-Forwarded-For: 203.0.113.7\r\n"},
		"trusted, over TLS":          {[]string{"127.0.0.0/8"}, header, true, "X-Real-Ip: 203.0.113.7\r\n"},
		"trusted, but without one":   {[]string{"127.0.0.0/8"}, "", false, "X-Forwarded-For: 127.0.0.1\r\n"},
		"not trusted":                {[]string{"192.0.2.0/24"}, header, false, "400 Bad Request"},
		"nobody is":                  {nil, header, false, "400 Bad Request"},
		"not trusted and without":    {[]string{"192.0.2.0/24"}, "", false, "X-Forwarded-For: 127.0.0.1\r\n"},
		"version 1 from the trusted": {[]string{"127.0.0.0/8"}, "PROXY TCP4 203.0.113.8 127.0.0.1 1 2\r\n", false, "X-Forwarded-For: 203.0.113.8\r\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.pod("10.1.0.1", echo)
			s.service("shop", "10.1.0.1")
			s.site("shop", "shop", []string{"shop.test"}, "ssl-redirect=false")
			s.config.Settings.Edge.ProxyProtocolFrom = tt.from
			s.start()
			s.served("shop.test", http.StatusOK)

			at := s.config.HTTPListen
			if tt.secure {
				at = s.config.HTTPSListen
			}
			conn, err := net.Dial("tcp", at)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, tt.send); err != nil {
				t.Fatal(err)
			}
			if tt.secure {
				conn = tls.Client(conn, &tls.Config{RootCAs: s.root, ServerName: "shop.test"})
			}
			fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n")
			got, _ := io.ReadAll(conn)
			if !strings.Contains(string(got), tt.want) {
				t.Errorf("answer = %q, want %q in it", got, tt.want)
			}
		})
	}
}

func TestWebSocketPasses(t *testing.T) {
	s := newStage(t)
	ca := newCA(t)
	chat := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" {
			return
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		defer conn.Close()
		fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
		_ = rw.Flush()
		for {
			line, err := rw.ReadString('\n')
			if err != nil {
				return
			}
			fmt.Fprint(rw, "echo ", line)
			_ = rw.Flush()
		}
	}
	s.pod("10.1.0.1", chat)
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"})
	s.inner(s.name, "safe", "10.1.0.2")
	s.innerPod("10.1.0.2", s.ownCertificate(ca, "safe"), chat)
	s.site("safe", "safe", []string{"safe.test"}, "https-port=https")
	s.startWith(ca)
	for _, host := range []string{"shop.test", "safe.test"} {
		s.served(host, http.StatusOK)
		s.talks(host)
	}
	// A stop must not wait for a stream that may last for days.
	begin := time.Now()
	s.stop()
	<-s.done
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("stopping with open web sockets took %v", took)
	}
}

// talks has a word back of each that it says to a host's web socket, which stays open.
func (s *stage) talks(host string) {
	t := s.t
	t.Helper()
	conn, err := tls.Dial("tcp", s.config.HTTPSListen, &tls.Config{RootCAs: s.root, ServerName: host})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprint(conn, "GET /chat HTTP/1.1\r\nHost: "+host+"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	reader := bufio.NewReader(conn)
	res, err := http.ReadResponse(reader, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade = %v, %v, want 101", res, err)
	}
	for _, word := range []string{"one\n", "two\n"} {
		fmt.Fprint(conn, word)
		if got, err := reader.ReadString('\n'); err != nil || got != "echo "+word {
			t.Errorf("sent %q, got %q (%v), want it back", word, got, err)
		}
	}
}

func TestBodiesStreamBothWays(t *testing.T) {
	s := newStage(t)
	got := make(chan string)
	s.pod("10.1.0.1", func(w http.ResponseWriter, r *http.Request) {
		buf := make([]byte, 64)
		for {
			n, err := r.Body.Read(buf)
			if n > 0 {
				got <- string(buf[:n])
			}
			if err != nil {
				break
			}
		}
		fmt.Fprint(w, "first ")
		_ = http.NewResponseController(w).Flush()
		<-got
		fmt.Fprint(w, "second")
	})
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"})
	s.start()
	upload, writer := io.Pipe()
	go func() {
		for _, part := range []string{"one", "two"} {
			fmt.Fprint(writer, part)
			// The pod has this part before the next one is sent.
			if have := <-got; have != part {
				t.Errorf("the pod got %q, want %q", have, part)
			}
		}
		writer.Close()
	}()
	client := s.visitor()
	var res *http.Response
	s.eventually("shop.test is routed", func() bool {
		probe, err := client.Head("http://shop.test/")
		if err == nil {
			probe.Body.Close()
		}
		return err == nil && probe.StatusCode == http.StatusMovedPermanently
	})
	res, err := client.Post("https://shop.test/", "application/octet-stream", upload)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	buf := make([]byte, 64)
	n, err := res.Body.Read(buf)
	if string(buf[:n]) != "first " {
		t.Errorf("first read = %q (%v), want %q before the pod is done", buf[:n], err, "first ")
	}
	got <- ""
	if rest, err := io.ReadAll(res.Body); err != nil || string(rest) != "second" {
		t.Errorf("rest = %q (%v), want %q", rest, err, "second")
	}
}
