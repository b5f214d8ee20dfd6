package desired_test

import (
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/proctest"
)

// realNginx is a site's nginx on this machine: its configuration with nothing but
// the folders and the port replaced.
type realNginx struct {
	dir  string
	port int
	conf string
}

func nginx(t *testing.T, site desired.Site) *realNginx {
	t.Helper()
	if _, err := exec.LookPath("nginx"); err != nil {
		t.Fatal("nginx is missing: apt-get install nginx-light")
	}
	config, err := site.Config()
	if err != nil {
		t.Fatal(err)
	}
	// Not t.TempDir: as root, nginx serves as another account.
	dir, err := os.MkdirTemp("", "kubepanel-nginx-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	n := &realNginx{dir: dir, port: proctest.Port(t), conf: filepath.Join(dir, "nginx.conf")}
	moved := strings.NewReplacer("8080", strconv.Itoa(n.port), "/var/www", dir+"/www", "/run/kubepanel", dir+"/run",
		"/etc/kubepanel/nginx", dir, "/tmp", dir+"/tmp", "/dev/stdout", dir+"/access.log")
	for _, sub := range []string{"www/html", "run", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range config[0].Data {
		write(t, filepath.Join(dir, name), moved.Replace(text))
	}
	if out, err := exec.Command("chmod", "-R", "a+rwX", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return n
}

func (n *realNginx) check() ([]byte, error) {
	return exec.Command("nginx", "-e", "stderr", "-t", "-c", n.conf).CombinedOutput()
}

func (n *realNginx) start(t *testing.T) {
	t.Helper()
	if out, err := n.check(); err != nil {
		t.Fatalf("nginx -t: %v\n%s", err, out)
	}
	cmd := exec.Command("nginx", "-e", "stderr", "-c", n.conf, "-g", "daemon off;")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(n.port)))
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// php answers on the site's socket and says what it was told.
func (n *realNginx) php(t *testing.T) {
	t.Helper()
	socket := filepath.Join(n.dir, "run", "php.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	if err := os.Chmod(socket, 0o777); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = fcgi.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			script := strings.ReplaceAll(fcgi.ProcessEnv(r)["SCRIPT_FILENAME"], n.dir, "")
			tls := "off"
			if r.TLS != nil {
				tls = "on"
			}
			_, _ = io.WriteString(w, strings.Join([]string{script, r.URL.RawQuery, r.RemoteAddr, tls}, "|"))
		}))
	}()
}

func TestNginxAcceptsEveryGoldenConfiguration(t *testing.T) {
	for path, site := range cases(t) {
		if out, err := nginx(t, site).check(); err != nil {
			t.Errorf("%s: nginx -t: %v\n%s", path, err, out)
		}
	}
	for _, mode := range []v1alpha1.ProxyMode{v1alpha1.ProxyHTTP, v1alpha1.ProxyUWSGI} {
		site := cases(t)["testdata/site/plain-php.yaml"]
		site.Domain.Spec.Workload = v1alpha1.WorkloadSpec{Type: "other", Version: "1", ProxyMode: mode, Port: 3000}
		if out, err := nginx(t, site).check(); err != nil {
			t.Errorf("%s: nginx -t: %v\n%s", mode, err, out)
		}
	}
}

func TestNginxServesASite(t *testing.T) {
	n := nginx(t, cases(t)["testdata/site/wordpress-redis.yaml"])
	n.php(t)
	n.start(t)
	for path, text := range map[string]string{
		"index.php": "", "wp-cron.php": "", "style.css": "a{}", "page.html": "<p>", ".env": "SECRET", "wp-content/uploads/evil.php": "",
		".well-known/acme-challenge/token": "proof", "sub/index.php": "",
	} {
		write(t, filepath.Join(n.dir, "www/html", path), text)
	}
	tests := map[string]struct {
		path   string
		header http.Header
		status int
		want   string
		cache  string
	}{
		"front controller":         {path: "/2026/a-post/?x=1", status: 200, want: "/www/html/index.php|x=1|127.0.0.1:"},
		"folder":                   {path: "/sub/", status: 200, want: "/www/html/sub/index.php||"},
		"file":                     {path: "/style.css", status: 200, want: "a{}", cache: "max-age=3600"},
		"file with a version":      {path: "/style.css?ver=2", status: 200, want: "a{}", cache: "max-age=2592000"},
		"missing file":             {path: "/gone.css", status: 200, want: "/www/html/index.php|"},
		"missing script":           {path: "/gone.php", status: 404},
		"script behind a file":     {path: "/style.css/x.php", status: 404},
		"dot file":                 {path: "/.env", status: 404},
		"well-known":               {path: "/.well-known/acme-challenge/token", status: 200, want: "proof"},
		"program among uploads":    {path: "/wp-content/uploads/evil.php", status: 403},
		"visitor behind the edge":  {path: "/", header: http.Header{"X-Forwarded-Proto": {"https"}}, status: 200, want: "|on"},
		"cron from the same pod":   {path: "/wp-cron.php?doing_wp_cron", status: 200, want: "/www/html/wp-cron.php|doing_wp_cron|"},
		"ready":                    {path: "/.kubepanel/ready", status: 204},
		"started":                  {path: "/.kubepanel/started", status: 200, want: "/.kubepanel-ping|"},
		"probe by the edge":        {path: "/.kubepanel/started", header: http.Header{"X-Forwarded-For": {"203.0.113.9"}}, status: 404},
		"encoded way out":          {path: "/..%2f..%2f..%2fetc/passwd", status: 400},
		"address of no one we ask": {path: "/", header: http.Header{"X-Forwarded-For": {"203.0.113.9"}}, status: 200, want: "|127.0.0.1:"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status, body, header := n.get(t, "127.0.0.1", tt.path, tt.header)
			if status != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("GET %s = %d %q, want %d %q", tt.path, status, body, tt.status, tt.want)
			}
			if tt.cache != "" && header.Get("Cache-Control") != tt.cache {
				t.Errorf("Cache-Control = %q, want %q", header.Get("Cache-Control"), tt.cache)
			}
			if status == 200 && header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error("no X-Content-Type-Options")
			}
		})
	}
}

// From anywhere but the pod itself the scheduler can't be started, whatever the
// visitor claims to be.
func TestNginxRefusesCronFromOutside(t *testing.T) {
	site := cases(t)["testdata/site/wordpress-redis.yaml"]
	// The edge of this test is the machine's own address 127.0.0.2.
	site.Platform.ClusterCIDRs = []string{"127.0.0.2/32"}
	n := nginx(t, site)
	n.php(t)
	n.start(t)
	write(t, filepath.Join(n.dir, "www/html/wp-cron.php"), "")
	for _, claim := range []string{"127.0.0.1", "::1", "203.0.113.9", "203.0.113.9, 127.0.0.1"} {
		status, _, _ := n.get(t, "127.0.0.2", "/wp-cron.php", http.Header{"X-Forwarded-For": {claim}})
		if status != http.StatusForbidden {
			t.Errorf("wp-cron.php for a visitor who claims to be %s = %d, want 403", claim, status)
		}
	}
	write(t, filepath.Join(n.dir, "www/html/index.php"), "")
	if _, body, _ := n.get(t, "127.0.0.2", "/", http.Header{"X-Forwarded-For": {"203.0.113.9"}}); !strings.Contains(body, "|203.0.113.9:") {
		t.Errorf("the site sees %q, want the visitor's address from the edge", body)
	}
}

// Fault of the original: text that breaks out of the configuration.
func TestCustomConfigCannotLeaveItsBlock(t *testing.T) {
	site := cases(t)["testdata/site/plain-php.yaml"]
	var main string
	for _, custom := range []string{"} } http { server { listen 1; } ", "}", "location / {", "user root;"} {
		site.Domain.Spec.Webserver.CustomConfig = custom
		config, err := site.Config()
		if err != nil {
			t.Fatal(err)
		}
		if text := config[0].Data["nginx.conf"]; main == "" {
			main = text
		} else if text != main {
			t.Errorf("custom configuration %q changes the main file", custom)
		}
		if out, err := nginx(t, site).check(); err == nil || !strings.Contains(string(out), "custom.conf:") {
			t.Errorf("nginx -t of %q = %v, want a refusal that names custom.conf\n%s", custom, err, out)
		}
	}
}

// get asks from an address of this machine.
func (n *realNginx) get(t *testing.T, from, path string, header http.Header) (int, string, http.Header) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c := http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	address, err := url.Parse("http://127.0.0.1:" + strconv.Itoa(n.port) + path)
	if err != nil {
		t.Fatal(err)
	}
	response, err := c.Do(&http.Request{Method: http.MethodGet, URL: address, Header: header, Host: "blog.localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() // it was read
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body), response.Header
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
