package edge_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// OWASP ASVS 5.0, 4.1.2: a redirect would hide that a program sends its token in clear.
func TestProgramsArentLedFromPlainHTTP(t *testing.T) {
	s := newStage(t)
	s.pod("10.1.0.1", echo)
	s.service("panel", "10.1.0.1")
	s.site("panel", "panel", []string{"panel.test"}, "https-only=/api, /openid/token,nonsense")
	s.site("open", "panel", []string{"open.test"}, "https-only=/api", "ssl-redirect=false")
	s.site("www", "panel", []string{"www.test", "www.www.test"}, "https-only=/api/", "www-redirect=www-to-root")
	s.start()
	s.served("www.test", http.StatusOK)

	for name, tt := range map[string]struct {
		url    string
		status int
	}{
		"an operation":                {"http://panel.test/api/v1/sites", http.StatusForbidden},
		"the path itself":             {"http://panel.test/api", http.StatusForbidden},
		"another path":                {"http://panel.test/openid/token", http.StatusForbidden},
		"written otherwise":           {"http://panel.test/x/..//%61pi/v1", http.StatusForbidden},
		"where both are served":       {"http://open.test/api/v1", http.StatusForbidden},
		"another name that is led on": {"http://www.www.test/api/v1", http.StatusForbidden},
		"over HTTPS":                  {"https://panel.test/api/v1/sites", http.StatusOK},
		"a page":                      {"http://panel.test/sites", http.StatusMovedPermanently},
		"a path that begins alike":    {"http://panel.test/apiary", http.StatusMovedPermanently},
		"what is no path":             {"http://panel.test/nonsense", http.StatusMovedPermanently},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.get(s.visitor(), tt.url, "Authorization: Bearer secret")
			if a.StatusCode != tt.status {
				t.Fatalf("%s = %d %q, want %d", tt.url, a.StatusCode, a.body, tt.status)
			}
			if tt.status != http.StatusForbidden {
				return
			}
			if kind := a.Header.Get("Content-Type"); kind != "application/problem+json" || a.Header.Get("Location") != "" {
				t.Errorf("%s = %q to %q, want a problem document to nowhere", tt.url, kind, a.Header.Get("Location"))
			}
			var problem struct{ Code, Mend string }
			if err := json.Unmarshal([]byte(a.body), &problem); err != nil || problem.Code != "https_only" || !strings.Contains(problem.Mend, "revoke") {
				t.Errorf("%s = %q (%v), want the code https_only and what to do about the token", tt.url, a.body, err)
			}
		})
	}
}

// A TRACE is answered with the request itself, cookies and what the edge added included.
func TestTraceIsRefused(t *testing.T) {
	s := newStage(t)
	s.pod("10.1.0.1", echo)
	s.service("shop", "10.1.0.1")
	s.site("shop", "shop", []string{"shop.test"})
	s.start()
	s.served("shop.test", http.StatusOK)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodTrace, "https://shop.test/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.visitor().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("TRACE = %d, want 405", answer.StatusCode)
	}
}
