package desired_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/proctest"
)

func TestNginxServesAStaticSite(t *testing.T) {
	site := cases(t)["testdata/site/static.yaml"]
	n := nginx(t, site)
	n.start(t)
	if status, body, header := n.get(t, "127.0.0.1", "/", nil); status != 200 || !strings.Contains(body, "plain.example") ||
		!strings.HasPrefix(header.Get("Content-Type"), "text/html") {
		t.Errorf("an empty site = %d %q, want a page that welcomes", status, body)
	}
	for path, text := range map[string]string{
		"index.html": "front", "404.html": "our own 404", "a/index.html": "deep", "style.css": "a{}", ".env": "SECRET", "a.php": "<?php",
	} {
		write(t, filepath.Join(n.dir, "www/html", path), text)
	}
	tests := map[string]struct {
		path   string
		status int
		want   string
	}{
		"front page":    {"/", 200, "front"},
		"folder":        {"/a/", 200, "deep"},
		"file":          {"/style.css", 200, "a{}"},
		"not there":     {"/gone", 404, "our own 404"},
		"asset missing": {"/gone.css", 404, "our own 404"},
		"dot file":      {"/.env", 404, ""},
		"started":       {"/.kubepanel/started", 204, ""},
		"no PHP here":   {"/a.php", 200, "<?php"},
	}
	for name, tt := range tests {
		if status, body, _ := n.get(t, "127.0.0.1", tt.path, nil); status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s: GET %s = %d %q, want %d %q", name, tt.path, status, body, tt.status, tt.want)
		}
	}
}

func TestNginxServesASinglePage(t *testing.T) {
	site := cases(t)["testdata/site/static.yaml"]
	site.Domain.Spec.Workload.Settings = map[string]v1alpha1.Setting{"singlePage": "true"}
	n := nginx(t, site)
	n.start(t)
	write(t, filepath.Join(n.dir, "www/html/index.html"), "the one page")
	if status, body, _ := n.get(t, "127.0.0.1", "/any/where", nil); status != 200 || body != "the one page" {
		t.Errorf("an address of the page's own = %d %q, want the page", status, body)
	}
	if status, _, _ := n.get(t, "127.0.0.1", "/gone.js", nil); status != 404 {
		t.Errorf("a script that is missing = %d, want 404", status)
	}
}

// program answers by HTTP as a site's own program would, on the port that the
// site's nginx passes to.
func program(t *testing.T, port int32, handler http.HandlerFunc) {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
}

func TestNginxPassesToAProgram(t *testing.T) {
	site := cases(t)["testdata/site/python.yaml"]
	site.Domain.Spec.Workload.Port = int32(proctest.Port(t))
	n := nginx(t, site)
	n.start(t)
	if status, _, _ := n.get(t, "127.0.0.1", "/.kubepanel/started", nil); status != http.StatusBadGateway {
		t.Errorf("started, before the program is = %d, want 502", status)
	}
	program(t, site.Domain.Spec.Workload.Port, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/.kubepanel") {
			w.WriteHeader(http.StatusInternalServerError) // the program's own affair: it answers
			return
		}
		_, _ = fmt.Fprintf(w, "%s %s %s for=%s proto=%s host=%s proxy=%q", r.Method, r.RequestURI, r.Host,
			r.Header.Get("X-Forwarded-For"), r.Header.Get("X-Forwarded-Proto"), r.Header.Get("X-Forwarded-Host"), r.Header.Get("Proxy"))
	})
	write(t, filepath.Join(n.dir, "www/html/public/app.css"), "a{}")
	write(t, filepath.Join(n.dir, "www/html/secret.py"), "PASSWORD")
	tests := map[string]struct {
		path   string
		header http.Header
		status int
		want   string
	}{
		"started":             {path: "/.kubepanel/started", status: 204},
		"what the edge says":  {path: "/a%2Fb?x=1", header: http.Header{"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Proto": {"https"}, "Proxy": {"evil"}}, status: 200, want: `GET /a%2Fb?x=1 blog.localhost for=127.0.0.1 proto=https host=blog.localhost proxy=""`},
		"source":              {path: "/secret.py", status: 200, want: "GET /secret.py"},
		"static file":         {path: "/static/app.css", status: 200, want: "a{}"},
		"static missing":      {path: "/static/gone.css", status: 404},
		"out of the folder":   {path: "/static/../secret.py", status: 200, want: "GET /static/../secret.py"},
		"beside the folder":   {path: "/static../secret.py", status: 200, want: "GET /static../secret.py"},
		"encoded, out of it":  {path: "/static/..%2fsecret.py", status: 200, want: "GET /static/..%2fsecret.py"},
		"probe from outside":  {path: "/.kubepanel/started", header: http.Header{"X-Forwarded-For": {"203.0.113.9"}}, status: 404},
		"hidden file of code": {path: "/.git/config", status: 404},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status, body, _ := n.get(t, "127.0.0.1", tt.path, tt.header)
			if status != tt.status || !strings.Contains(body, tt.want) || strings.Contains(body, "PASSWORD") {
				t.Errorf("GET %s = %d %q, want %d %q", tt.path, status, body, tt.status, tt.want)
			}
		})
	}
}

// A chat speaks while the request is still open, and a WebSocket both ways.
func TestNginxLetsStreamsAndWebSocketsThrough(t *testing.T) {
	site := cases(t)["testdata/site/nodejs.yaml"]
	site.Domain.Spec.Workload.Port = int32(proctest.Port(t))
	n := nginx(t, site)
	n.start(t)
	more := make(chan struct{})
	program(t, site.Domain.Spec.Workload.Port, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" {
			_, _ = io.WriteString(w, "first\n")
			w.(http.Flusher).Flush()
			<-more
			_, _ = io.WriteString(w, "second\n")
			return
		}
		conn, both, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close() // the test has what it wants
		_, _ = both.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_ = both.Flush()
		_, _ = io.Copy(conn, both)
	})
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(n.port)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answer := bufio.NewReader(conn)
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	response, err := http.ReadResponse(answer, nil)
	if err != nil {
		t.Fatal(err)
	}
	body := bufio.NewReader(response.Body)
	if line, err := body.ReadString('\n'); line != "first\n" {
		t.Errorf("the stream begins with %q (%v), want first", line, err)
	}
	close(more)
	if line, err := body.ReadString('\n'); line != "second\n" {
		t.Errorf("the stream goes on with %q (%v), want second", line, err)
	}
	_, _ = io.Copy(io.Discard, body)
	_, _ = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if response, err = http.ReadResponse(answer, nil); err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade = %v (%v), want 101", response, err)
	}
	_, _ = io.WriteString(conn, "ping")
	echo := make([]byte, 4)
	if _, err := io.ReadFull(answer, echo); err != nil || string(echo) != "ping" {
		t.Errorf("the WebSocket answers %q (%v), want ping", echo, err)
	}
}
