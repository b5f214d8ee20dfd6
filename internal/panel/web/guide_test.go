package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Every guide is a page, and each link in it leads to something that its reader gets: another
// guide, a heading that is there, or the Internet.
func TestGuidesLeadSomewhere(t *testing.T) {
	w := newTown(t, false)
	for seat, least := range map[int]int{administrator: 13, reseller: 6, customer: 5, helper: 5} {
		w.as = w.people[seat]
		leadSomewhere(t, w.house, least)
	}
}

func leadSomewhere(t *testing.T, h *house, least int) {
	t.Helper()
	pages := map[string]string{}
	for _, m := range regexp.MustCompile(`href="(/guides/[a-zA-Z-]+)"`).FindAllStringSubmatch(h.get("/guides").body, -1) {
		page := h.get(m[1])
		page.want(t, http.StatusOK, `<article class="card prose" lang="en"`)
		_, pages[m[1]], _ = strings.Cut(page.body, "<article")
	}
	if len(pages) < least {
		t.Fatalf("%d guides for %s, want %d of docs/panel", len(pages), h.as.Role, least)
	}
	for path, text := range pages {
		article, _, _ := strings.Cut(text, "</article>")
		for _, m := range regexp.MustCompile(`<img src="([^"]*)"[^>]*>`).FindAllStringSubmatch(article, -1) {
			if shown := h.get(m[1]); shown.code != http.StatusOK || shown.header.Get("Content-Type") != "image/webp" {
				t.Errorf("%s shows %s, which is answered %d as %q", path, m[1], shown.code, shown.header.Get("Content-Type"))
			}
			for _, has := range []string{` width="`, ` height="`, ` loading="lazy"`, ` alt="`} {
				if !strings.Contains(m[0], has) {
					t.Errorf("%s has %s without%s", path, m[0], has)
				}
			}
		}
		if path == "/guides/customer" && strings.Count(article, "<img") < 10 {
			t.Errorf("%s shows %d pictures, want those of its file", path, strings.Count(article, "<img"))
		}
		if strings.Contains(article, ".md") && strings.Contains(article, `.md"`) {
			t.Errorf("%s shows a picture or leads to a file that the panel has not", path)
		}
		for _, m := range regexp.MustCompile(`href="([^"#]*)(?:#([^"]*))?"`).FindAllStringSubmatch(article, -1) {
			to := m[1]
			if to == "" {
				to = path
			}
			if strings.HasPrefix(to, "https://") {
				continue
			}
			there, ok := pages[to]
			if !ok || m[2] != "" && !strings.Contains(there, ` id="`+m[2]+`"`) {
				t.Errorf("%s leads to %s#%s, which is nowhere", path, to, m[2])
			}
		}
	}
}

// Guides for who runs the platform are in nobody else's way.
func TestGuidesAreForWhoNeedsThem(t *testing.T) {
	h := newHouse(t)
	h.finds("nodes", "/guides/administrator#nodes")
	h.finds("phone", "/guides/customer#on-a-phone-in-the-dark-from-right-to-left")
	h.as = h.jo
	h.finds("nodes", "not /guides/administrator#nodes")
	h.finds("phone", "/guides/customer#on-a-phone-in-the-dark-from-right-to-left")
	h.finds("", "/guides")
	h.get("/guides").want(t, http.StatusOK, "/guides/customer", "/guides/signing-in")
	for _, others := range []string{"README", "accounts", "administrator", "applications", "company", "database", "mail", "metrics"} {
		h.get("/guides/"+others).want(t, http.StatusNotFound)
	}
	h.get("/guides/signing-in").want(t, http.StatusOK, "send mail", `id="new-browsers"`)
	h.get("/guides/nothing").want(t, http.StatusNotFound)
	h.as = hosting.Actor{}
	if got := h.get("/guides/customer"); got.code != http.StatusSeeOther {
		t.Errorf("a guide for nobody = %d", got.code)
	}
}
