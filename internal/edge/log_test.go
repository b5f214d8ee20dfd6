package edge_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/proctest"
)

func TestAnswerThatBreaksOffIsToldWithoutTheQuery(t *testing.T) {
	s := newStage(t)
	s.pod("10.1.0.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/login" {
			return
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		fmt.Fprint(rw, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
		_ = rw.Flush()
		conn.Close()
	})
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"})
	access := &proctest.Log{}
	s.config.AccessLog = access
	caddys := stderr(t)
	s.start()
	s.served("shop.test", http.StatusOK)

	if a, err := fetch(s.visitor(), "https://shop.test/login?token=hush"); err == nil {
		t.Errorf("the visitor got %q, want an answer that breaks off", a.body)
	}
	s.eventually("the access log has the request", func() bool { return strings.Contains(access.String(), `"path":"/login"`) })
	if _, line, _ := strings.Cut(access.String(), `"path":"/login"`); !strings.Contains(line, `"cut":true`) {
		t.Errorf("access log = %s, want cut to be true", access)
	}
	said, err := os.ReadFile(caddys)
	if err != nil {
		t.Fatal(err)
	}
	if log := string(said) + s.log.String() + access.String(); strings.Contains(log, "hush") {
		t.Errorf("logs = %s, want nothing of the query", log)
	}
}

// stderr has what the process writes to standard error, which is where Caddy logs,
// go to a file until the test ends, and returns its name.
func stderr(t *testing.T) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = file
	t.Cleanup(func() {
		os.Stderr = before
		file.Close()
	})
	return file.Name()
}
