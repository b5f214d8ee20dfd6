package images_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/authority"
	"kubepanel.io/kubepanel/internal/proctest"
)

// databaseWeb is phpMyAdmin's nginx with the image's configuration, in a folder of the
// test's own. There is no PHP behind it.
type databaseWeb struct {
	*testing.T

	folder      string
	plain, safe string
	ca          *authority.Authority
	roots       *x509.CertPool
}

// databaseName is phpMyAdmin's name in the cluster.
const databaseName = "phpmyadmin.kubepanel-system.svc"

func startDatabaseWeb(t *testing.T) *databaseWeb {
	t.Helper()
	need(t, "nginx")
	// Not t.TempDir, which other accounts can't enter.
	folder, err := os.MkdirTemp("", "kubepanel-phpmyadmin-")
	if err != nil {
		t.Fatal(err)
	}
	plain, safe := proctest.Port(t), proctest.Port(t)
	w := &databaseWeb{T: t, folder: folder, plain: fmt.Sprintf("127.0.0.1:%d", plain), safe: fmt.Sprintf("127.0.0.1:%d", safe), roots: x509.NewCertPool()}
	certPEM, keyPEM, err := authority.New(time.Now())
	w.must(err)
	w.ca, err = authority.Read(certPEM, keyPEM)
	w.must(err)
	w.roots.AddCert(w.ca.Cert)
	text, err := os.ReadFile("phpmyadmin/nginx.conf")
	w.must(err)
	config := filepath.Join(folder, "nginx.conf")
	changed := strings.NewReplacer(" /tmp/", " "+folder+"/", "/run/secrets", folder, "8080", fmt.Sprint(plain), "8443", fmt.Sprint(safe)).Replace(string(text))
	w.must(os.WriteFile(config, []byte(changed), 0o600))
	w.must(os.Mkdir(filepath.Join(folder, "phpmyadmin-tls"), 0o755))
	w.must(errors.Join(os.Chmod(folder, 0o755), proctest.Own(folder, config, filepath.Join(folder, "phpmyadmin-tls"))))

	said := &proctest.Log{}
	cmd := exec.Command("nginx", "-c", config, "-g", "daemon off;")
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Credential: proctest.Account()}
	w.must(cmd.Start())
	t.Cleanup(func() {
		w.must(cmd.Process.Signal(syscall.SIGQUIT))
		if err := cmd.Wait(); err != nil {
			t.Errorf("nginx ended with %v", err)
		}
		if t.Failed() {
			t.Logf("nginx said: %s", said)
		}
		_ = os.RemoveAll(folder)
	})
	for end := time.Now().Add(starting); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", w.plain)
		if err == nil {
			conn.Close()
			return w
		}
		if time.Now().After(end) {
			t.Fatalf("nginx does not listen: %v: %s", err, said)
		}
	}
}

func (w *databaseWeb) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// renew makes a certificate and puts it there, as the kubelet does with a Secret's files.
func (w *databaseWeb) renew() *x509.Certificate {
	w.Helper()
	leaf, err := w.ca.Issue(time.Now(), databaseName)
	w.must(err)
	cert, key, err := authority.Encode(leaf)
	w.must(err)
	for name, data := range map[string][]byte{"tls.crt": cert, "tls.key": key} {
		path := filepath.Join(w.folder, "phpmyadmin-tls", name)
		w.must(os.WriteFile(path, data, 0o600))
		w.must(proctest.Own(path))
	}
	return leaf.Leaf
}

// get asks for a page that is not there, and returns the status and who answered.
func (w *databaseWeb) get(url string, version uint16) (int, *x509.Certificate, error) {
	w.Helper()
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: w.roots, ServerName: databaseName, MaxVersion: version},
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url+"/none", nil)
	w.must(err)
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	if answer.TLS == nil {
		return answer.StatusCode, nil, nil
	}
	return answer.StatusCode, answer.TLS.PeerCertificates[0], nil
}

func TestPhpMyAdminShowsTheCertificateOfNow(t *testing.T) {
	w := startDatabaseWeb(t)
	if code, _, err := w.get("http://"+w.plain, 0); code != http.StatusNotFound {
		t.Errorf("for the panel before = %d, %v; want it answered", code, err)
	}
	if code, _, err := w.get("https://"+w.safe, 0); err == nil {
		t.Errorf("without a certificate = %d, want no answer", code)
	}
	for _, step := range []string{"it came", "it was renewed"} {
		want := w.renew()
		code, got, err := w.get("https://"+w.safe, 0)
		if err != nil || code != http.StatusNotFound || !got.Equal(want) {
			t.Errorf("%s: %d, %v, want an answer with the certificate of now", step, code, err)
		}
	}
	if code, _, err := w.get("https://"+w.safe, tls.VersionTLS12); err == nil {
		t.Errorf("TLS 1.2 = %d, want no answer", code)
	}
}
