package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/panel/door/doortest"
)

// hollow makes a file that takes seconds to pack, and no room.
func hollow(t *testing.T, root, name string, size int64) {
	t.Helper()
	put(t, root, name, "")
	if err := os.Truncate(filepath.Join(root, name), size); err != nil {
		t.Fatal(err)
	}
}

// drafts are what the toolbox has under way.
func drafts(t *testing.T, root string) int {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(root, ".uploads", ".*.part"))
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// soon waits for something that happens by itself.
func soon(t *testing.T, otherwise string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal(otherwise)
		}
	}
}

// Who closes the page while files are packed, copied or unpacked finds all of them later.
func TestAnArchiveOutlivesItsPage(t *testing.T) {
	h, root := openFiles(t)
	hollow(t, root, "html/large", 1<<30)
	ctx, leave := context.WithCancel(t.Context())
	form := url.Values{"do": {"pack"}, "file": {"large"}, "archive": {"all.zip"}}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, filesAt+"?path=/html", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		h.handler.ServeHTTP(httptest.NewRecorder(), r)
	}()
	soon(t, "no archive began", func() bool { return drafts(t, root) == 1 })
	leave()
	soon(t, "the archive never ended", func() bool { return drafts(t, root) == 0 })
	<-answered
	if gone(root, "html/all.zip") {
		t.Error("the archive ended with its page")
	}
}

// A page that waits for the toolbox is not cut by the server's bound, which is for short ones.
func TestAnArchiveMayTakeLongerThanAPage(t *testing.T) {
	h, root := openFiles(t)
	hollow(t, root, "html/large", 1<<30)
	server := httptest.NewUnstartedServer(h.handler)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 300*time.Millisecond, 300*time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	browser := server.Client()
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := browser.PostForm(server.URL+filesAt+"?path=/html", url.Values{"do": {"pack"}, "file": {"large"}, "archive": {"all.zip"}})
	h.must(err)
	h.must(answer.Body.Close())
	if answer.StatusCode != http.StatusSeeOther {
		t.Errorf("the answer is %s", answer.Status)
	}
}

// When the panel dies, what its toolbox has under way ends without a trace.
func TestAnArchiveEndsWithItsPanel(t *testing.T) {
	h, root := openFiles(t)
	hollow(t, root, "html/large", 1<<30)
	answered := make(chan answer)
	go func() {
		answered <- h.post(filesAt+"?path=/html", url.Values{"do": {"pack"}, "file": {"large"}, "archive": {"all.zip"}})
	}()
	soon(t, "no archive began", func() bool { return drafts(t, root) == 1 })
	h.rules.Door.(*doortest.Street).Close()
	soon(t, "what was begun stays", func() bool { return drafts(t, root) == 0 })
	if !gone(root, "html/all.zip") {
		t.Error("half an archive has its name")
	}
	<-answered
	h.get(filesAt+"?path=/html").want(t, http.StatusOK, "large")
}

// A form is answered although what it asks for goes on, and the page shows how that goes
// and how it ended.
func TestAFileJobIsSeen(t *testing.T) {
	h, root := openFiles(t)
	hollow(t, root, "html/large", 2<<30)
	at := filesAt + "?path=%2Fhtml"
	pack := func(name string) answer {
		return h.post(at, url.Values{"do": {"pack"}, "file": {"large"}, "archive": {name}})
	}
	sent := pack("one.zip")
	sent.want(t, http.StatusSeeOther)
	if to := sent.header.Get("Location"); to != at {
		t.Fatalf("the form leads to %s, as if it had ended", to)
	}
	h.get(at).want(t, http.StatusOK, "Archive /html/one.zip", `class="running"`, "when you close this page", `hx-trigger="every 1s"`)
	soon(t, "it is not seen how far it is", func() bool { return strings.Contains(h.part(at).body, "Files so far: ") })
	soon(t, "it is not seen that the archive is made", func() bool { return strings.Contains(h.part(at).body, "The archive is made.") })
	if part := h.part(at).body; strings.Contains(part, "every 1s") || strings.Contains(part, "<html") || !strings.Contains(part, `class="done"`) {
		t.Errorf("what has ended is asked for again, or is a whole page: %s", part)
	}
	// What fails later says why, and what helps.
	if code := pack("two.zip").code; code != http.StatusSeeOther {
		t.Fatalf("status %d", code)
	}
	h.rules.Door.(*doortest.Street).Close()
	soon(t, "it is not seen that it failed", func() bool { return strings.Contains(h.part(at).body, `class="stalled"`) })
	h.get(at).want(t, http.StatusOK, "does not answer", "Try again in a minute")
}

// What is under way has a button that ends it, and leaves nothing half done.
func TestAFileJobIsCancelled(t *testing.T) {
	h, root := openFiles(t)
	hollow(t, root, "html/large", 1<<40)
	at := filesAt + "?path=%2Fhtml"
	h.post(at, url.Values{"do": {"pack"}, "file": {"large"}, "archive": {"one.zip"}}).want(t, http.StatusSeeOther)
	_, cancel, found := strings.Cut(h.part(at).body, `action="`)
	cancel, _, _ = strings.Cut(cancel, `"`)
	if !found || !strings.HasSuffix(cancel, "/cancel") {
		t.Fatalf("what is under way can't be cancelled: %s", h.part(at).body)
	}
	sent := h.post(cancel, nil)
	sent.want(t, http.StatusSeeOther)
	if to := sent.header.Get("Location"); to != at {
		t.Errorf("the button leads to %s", to)
	}
	soon(t, "it goes on", func() bool { return strings.Contains(h.part(at).body, "It was cancelled.") })
	soon(t, "a draft is left", func() bool { return drafts(t, root) == 0 })
	if part := h.part(at).body; !gone(root, "html/one.zip") || strings.Contains(part, "/cancel") {
		t.Errorf("what was cancelled is there, or can be cancelled again: %s", part)
	}
	h.post(filesAt+"/jobs/nothing/cancel", nil).want(t, http.StatusNotFound)
}
