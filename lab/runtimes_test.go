package lab

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// installLimit is how long packages may take to be unpacked on a busy computer.
const installLimit = 5 * time.Minute

const (
	oneWSGI = `import os, shelf
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    database = "database" if os.environ.get("DATABASE_URL", "").startswith("mysql://dom-") else "no database"
    return [" ".join(["WSGI", environ["wsgi.url_scheme"], environ["HTTP_HOST"].split(":")[0], shelf.text, database]).encode()]
`
	oneASGI = `async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": ("ASGI " + scope["scheme"]).encode()})
`
	// Node.js, on a port of its own and all addresses: it speaks, streams, and echoes.
	oneNode = `const http = require('http');
let release = () => {};
http.createServer((request, response) => {
  if (request.url === '/stream') {
    response.write('first\n');
    release = () => response.end('second\n');
  } else if (request.url === '/release') {
    release();
    response.end('released');
  } else response.end('Node.js for ' + request.headers['x-forwarded-proto'] + ' ' + request.headers['x-forwarded-for']);
}).on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  socket.pipe(socket);
}).listen(8124, '0.0.0.0');
`
)

// shows waits until the front page has a text.
func (s site) shows(t testing.TB, v visitor, path, want string) {
	t.Helper()
	eventually(t, s.name+path+" says "+want, installLimit, func(ctx context.Context) error {
		got, err := v.get(ctx, s.url()+path)
		if err == nil && !strings.Contains(got.body, want) {
			err = fmt.Errorf("it says %d %.300q", got.status, got.body)
		}
		return err
	})
}

// TestOneFileOfEachRuntime: an empty site welcomes, and what is uploaded answers.
func TestOneFileOfEachRuntime(t *testing.T) {
	c := openCluster(t)
	file, content := wheel(t, "shelf", "1", map[string]string{"shelf.py": "text = 'from a wheel'\n"})
	shelf := map[string]string{
		"app.py": oneWSGI, "requirements.txt": "--no-index\n--find-links wheels\nshelf\n", "wheels/" + file: content,
	}
	tests := map[string]struct {
		flags   []string
		welcome string
		files   map[string]string
		want    string
	}{
		"wsgi": {[]string{"--runtime", "python:3.13"}, "no Python application yet", shelf, "WSGI https wsgi.localhost from a wheel database"},
		"asgi": {[]string{"--runtime", "python:3.11", "--no-database"}, "no Python application yet", map[string]string{"main.py": oneASGI}, "ASGI https"},
		"node": {[]string{"--runtime", "nodejs:20", "--no-database"}, "no Node.js application yet", map[string]string{"server.js": oneNode}, "Node.js for https 127.0.0.21"},
		"static": {[]string{"--runtime", "static", "--no-database", "--memory", "128Mi", "--cpu", "200m"}, "no content yet",
			map[string]string{"index.html": "static as it is"}, "static as it is"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := c.newSite(t, name+".localhost", tt.flags...)
			v := c.newVisitor(t, "127.0.0.21")
			// The command said that it is live, so one look must do.
			if got := v.must(t, s.url()+"/").body; !strings.Contains(got, tt.welcome) {
				t.Errorf("an empty site says %.300q, want %q", got, tt.welcome)
			}
			s.deposit(t, tt.files)
			s.shows(t, v, "/", tt.want)
			if name == "static" {
				if pod := s.pod(t); len(pod.Spec.Containers) != 2 {
					t.Errorf("a static site has %d containers, want nginx and sftp", len(pod.Spec.Containers))
				}
				return
			}
			s.onlyDoors(t)
		})
	}
}

// onlyDoors looks at what listens in the pod's network: on its address nobody but
// nginx and SFTP.
func (s site) onlyDoors(t testing.TB) {
	t.Helper()
	pod := s.pod(t)
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		out, err := s.execute(t.Context(), pod, "app", nil, "cat", file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines(out)[1:] {
			fields := strings.Fields(line)
			if len(fields) < 4 || fields[3] != "0A" { // listening
				continue
			}
			address, port, _ := strings.Cut(fields[1], ":")
			if address != "0100007F" && port != "1F90" && port != "08AE" {
				t.Errorf("%s: something listens at %s, outside of the loopback", file, fields[1])
			}
		}
	}
}

// TestStreamsAndWebSocketsPass goes through edge and nginx to a program.
func TestStreamsAndWebSocketsPass(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "stream.localhost", "--runtime", "nodejs", "--no-database")
	v := c.newVisitor(t, "127.0.0.22")
	s.deposit(t, map[string]string{"server.js": oneNode})
	s.shows(t, v, "/", "Node.js for https")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url()+"/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := v.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() // it was read
	stream := bufio.NewReader(response.Body)
	if line, err := stream.ReadString('\n'); line != "first\n" {
		t.Fatalf("the stream begins with %q (%v)", line, err)
	}
	v.must(t, s.url()+"/release")
	if line, err := stream.ReadString('\n'); line != "second\n" {
		t.Errorf("the stream goes on with %q (%v)", line, err)
	}
	conn, err := v.connections.DialContext(t.Context(), "tcp", hostPort(t, s.url()))
	if err != nil {
		t.Fatal(err)
	}
	config := v.connections.TLSClientConfig.Clone()
	config.ServerName = s.name
	socket := tls.Client(conn, config)
	defer socket.Close() // it was read
	_ = socket.SetDeadline(time.Now().Add(visitorLimit))
	_, _ = fmt.Fprintf(socket, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n\r\n", s.name)
	answer := bufio.NewReader(socket)
	if response, err = http.ReadResponse(answer, nil); err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade = %v (%v), want 101", response, err)
	}
	_, _ = io.WriteString(socket, "ping")
	echo := make([]byte, 4)
	if _, err := io.ReadFull(answer, echo); err != nil || string(echo) != "ping" {
		t.Errorf("the WebSocket echoes %q (%v)", echo, err)
	}
}

func hostPort(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return u.Host
}

// TestUWSGIAnswersASite and takes other settings while it runs.
func TestUWSGIAnswersASite(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "uwsgi.localhost", "--runtime", "python:3.13", "--no-database")
	s.deposit(t, map[string]string{
		"app.py": "def app(e, r):\n    import uwsgi\n    r('200 OK', [])\n    return [b'uWSGI ' + str(uwsgi.numproc).encode() + b' ' + e['wsgi.url_scheme'].encode() + b' ' + e['PATH_INFO'].encode() + b' ' + e['REMOTE_ADDR'].encode()]\n",
	})
	s.change(t, func(d *v1alpha1.Domain) { d.Spec.Workload.ProxyMode = v1alpha1.ProxyUWSGI })
	v := c.newVisitor(t, "127.0.0.23")
	s.shows(t, v, "/a/b?c", "uWSGI 1 https /a/b 127.0.0.23")
	c.kubepanel(t, "site", "set", s.name, "--setting", "workers=2", "--wait").must(t)
	// The command said that it is live, so one look must do.
	if got := v.must(t, s.url()+"/a/b?c").body; !strings.Contains(got, "uWSGI 2 https") {
		t.Errorf("after the setting workers=2 it says %q", got)
	}
}

// TestATracebackIsTold: an application that can't start is a condition with its
// own words, and its mended version comes up by a restart.
func TestATracebackIsTold(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	s := c.newSite(t, "broken.localhost", "--runtime", "python", "--no-database")
	s.deposit(t, map[string]string{"app.py": "import nothing_of_that_name\napp = None\n"})
	told := s.becomes(t, v1alpha1.ConditionDeploymentReady, metav1.ConditionFalse, settleLimit)
	if !strings.Contains(told.Message, "No module named 'nothing_of_that_name'") {
		eventually(t, "the condition has the application's words", settleLimit, func(context.Context) error {
			told = s.becomes(t, v1alpha1.ConditionDeploymentReady, metav1.ConditionFalse, settleLimit)
			if !strings.Contains(told.Message, "No module named 'nothing_of_that_name'") {
				return fmt.Errorf("it says %s: %s", told.Reason, told.Message)
			}
			return nil
		})
	}
	s.deposit(t, map[string]string{"app.py": oneASGI})
	c.kubepanel(t, "site", "restart", s.name).must(t)
	s.shows(t, c.newVisitor(t, "127.0.0.24"), "/", "ASGI https")
}
