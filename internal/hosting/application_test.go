package hosting_test

import (
	"net/url"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
)

func TestParseRedirect(t *testing.T) {
	for text, good := range map[string]bool{
		"https://grafana.example.com/login/generic_oauth": true, " https://a.example:8443/x?y=z ": true, "http://localhost:3000/": true, "http://127.0.0.1/x": true, "http://[::1]:1/": true,
		"http://grafana.example.com/": false, "https://*.example.com/": false, "https://a.example/#x": false, "https://u:p@a.example/": false, "//a.example/x": false, "/x": false,
		"javascript:alert(1)": false, "custom://a": false, "https://": false, "https://a.example/a b": false, "https://a.example\\@evil.example": false, "https://ä.example/": false,
		"http://localhost.evil.example/": false, "https://a.example/" + strings.Repeat("x", 500): false,
	} {
		if got, err := hosting.ParseRedirect(text); (err == nil) != good || good && got != strings.TrimSpace(text) {
			t.Errorf("ParseRedirect(%q) = %q, %v, want good %v", text, got, err, good)
		}
	}
}

func FuzzParseRedirect(f *testing.F) {
	f.Add("https://grafana.example.com/login")
	f.Add("http://localhost:3000/?x#y")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := hosting.ParseRedirect(text)
		if err != nil {
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.ContainsAny(got, "#*\\ \r\n\t") {
			t.Errorf("ParseRedirect(%q) = %q, where nobody may be sent", text, got)
		}
		if again, err := hosting.ParseRedirect(got); err != nil || again != got {
			t.Errorf("ParseRedirect(%q) = %q, %v, want it as it is", got, again, err)
		}
	})
}
