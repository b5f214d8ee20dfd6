package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestEveryPageForbidsForeignScript(t *testing.T) {
	h := newHouse(t)
	inline := regexp.MustCompile(`<script>|<style|\sstyle="|\son[a-z]+="`)
	for _, path := range []string{"/sites", "/sites/new", "/users", "/users/new", "/packages", "/packages/new", "/audit", "/nowhere"} {
		got := h.get(path)
		policy := got.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("policy of %s = %q", path, policy)
		}
		if found := inline.FindString(got.body); found != "" {
			t.Errorf("%s has %q, which its policy forbids", path, found)
		}
	}
}

func TestAnotherOriginCanDoNothing(t *testing.T) {
	h := newHouse(t)
	r := httptest.NewRequest(http.MethodPost, "/sites", strings.NewReader(newSiteForm("a.example").Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if got := h.ask(r); got.code != http.StatusForbidden || h.cluster.Len() != 0 {
		t.Errorf("a form of another origin = %d, want %d", got.code, http.StatusForbidden)
	}
}

func TestLookLeadsBackToUs(t *testing.T) {
	tests := map[string]string{"/sites": "/sites", "//evil.example": "/", "https://evil.example": "/", `/\evil.example`: "/", "": "/", "/a\nb": "/"}
	for next, want := range tests {
		h := newHouse(t)
		got := h.post("/look", url.Values{"theme": {"dark"}, "next": {next}})
		if to := got.header.Get("Location"); to != want {
			t.Errorf("look with next %q leads to %q, want %q", next, to, want)
		}
	}
}

func TestThemeAndLanguageAreRemembered(t *testing.T) {
	h := newHouse(t)
	got := h.post("/look", url.Values{"theme": {"dark"}, "next": {"/sites"}})
	r := httptest.NewRequest(http.MethodGet, "/sites", nil)
	r.Header.Set("Cookie", got.header.Get("Set-Cookie"))
	h.ask(r).want(t, http.StatusOK, `data-theme="dark"`)
	r = httptest.NewRequest(http.MethodGet, "/sites", nil)
	r.Header.Set("Accept-Language", "de-AT,en;q=0.5")
	h.ask(r).want(t, http.StatusOK, `lang="de"`)
}

// The first page is what somebody waits for who comes with an empty cache.
func TestFirstPageIsSmall(t *testing.T) {
	const mostPage, mostScript = 150_000, 60_000 // octets, as they travel
	h := newHouse(t)
	h.site("shop.example", nil)
	page := h.get("/sites")
	sum, script := len(page.body), 0
	for _, m := range regexp.MustCompile(`(?:href|src)="(/static/[^"#]+)`).FindAllStringSubmatch(page.body, -1) {
		if strings.Count(page.body[:strings.Index(page.body, m[0])+1], m[1]) > 0 {
			continue // an icon of a sheet that was counted
		}
		r := httptest.NewRequest(http.MethodGet, m[1], nil)
		r.Header.Set("Accept-Encoding", "gzip")
		got := h.ask(r)
		got.want(t, http.StatusOK)
		if !strings.Contains(got.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s is not kept by browsers: %q", m[1], got.header.Get("Cache-Control"))
		}
		sum += len(got.body)
		if strings.HasSuffix(m[1], ".js") {
			script += len(got.body)
		}
	}
	t.Logf("%d octets, %d of them script", sum, script)
	if sum > mostPage || script > mostScript || script == 0 {
		t.Errorf("the first page costs %d octets, %d of them script; want at most %d and %d", sum, script, mostPage, mostScript)
	}
}

func TestStaticFilesAreWhatTheyAre(t *testing.T) {
	h := newHouse(t)
	page := h.get("/sites")
	style := regexp.MustCompile(`/static/panel\.[0-9a-f]+\.css`).FindString(page.body)
	plain := h.get(style)
	plain.want(t, http.StatusOK, "color-scheme", `url("/static/inter.`)
	r := httptest.NewRequest(http.MethodGet, style, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	packed := h.ask(r)
	z, err := gzip.NewReader(strings.NewReader(packed.body))
	h.must(err)
	if text, err := io.ReadAll(z); err != nil || string(text) != plain.body {
		t.Errorf("the compressed style is another one: %v", err)
	}
	h.get("/static/panel.css").want(t, http.StatusNotFound)
	h.get("/static/../web.go").want(t, http.StatusTemporaryRedirect)
}

func TestCustomerSeesNoProvidersPages(t *testing.T) {
	h := newHouse(t)
	h.as = h.jo
	for _, path := range []string{"/packages", "/packages/new", "/users/new"} {
		if got := h.get(path); got.code != http.StatusForbidden && got.code != http.StatusNotFound {
			t.Errorf("%s for a customer = %d, want it refused", path, got.code)
		}
	}
	if page := h.get("/sites"); strings.Contains(page.body, `href="/users"`) {
		t.Error("a customer's page leads to accounts")
	}
}
