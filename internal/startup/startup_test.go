package startup

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// A server that sends faster than we read has to wait, and our memory does not grow.
func TestAnswersWaitAtTheServer(t *testing.T) {
	const all, piece = 2 << 20, 16 << 10
	type outcome struct {
		sent int
		err  error
	}
	outcomes := make(chan outcome, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Now().Add(time.Second)) // what it did is seen
		var o outcome
		for o.err == nil && o.sent < all {
			if _, o.err = w.Write(make([]byte, piece)); o.err == nil {
				o.err = control.Flush()
				o.sent += piece
			}
		}
		outcomes <- o
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()

	client, err := rest.HTTPClientFor(reach(t, server))
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() // nothing of it is read
	if response.ProtoMajor != 2 {
		t.Fatalf("it speaks %s, want HTTP/2", response.Proto)
	}
	if o := <-outcomes; o.err == nil || !errors.Is(o.err, os.ErrDeadlineExceeded) || o.sent > 2*streamBuffer {
		t.Errorf("a server could send %d bytes that nobody reads (%v), want about %d", o.sent, o.err, streamBuffer)
	}
}

// reach is how ClientConfig reaches a test's server.
func reach(t *testing.T, server *httptest.Server) *rest.Config {
	t.Helper()
	file := clientcmdapi.NewConfig()
	file.Clusters["a"] = &clientcmdapi.Cluster{
		Server:                   server.URL,
		CertificateAuthorityData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	}
	file.Contexts["a"] = &clientcmdapi.Context{Cluster: "a"}
	file.CurrentContext = "a"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*file, path); err != nil {
		t.Fatal(err)
	}
	config, err := ClientConfig(path, "test")
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// Whoever reads the log reads JSON: what net/http says of a connection goes by the
// standard library's log.
func TestLinesOfTheStandardLibraryAreJSONToo(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	before := os.Stderr
	os.Stderr = file
	_, err = startLog("warn")
	os.Stderr = before
	if err != nil {
		t.Fatal(err)
	}
	log.Print("http: TLS handshake error")
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	var line struct{ Level, Msg string }
	if err := json.Unmarshal(text, &line); err != nil || line.Level != "WARN" || line.Msg != "http: TLS handshake error" {
		t.Errorf("the log has %q (%v), want one line of JSON that warns", text, err)
	}
}
