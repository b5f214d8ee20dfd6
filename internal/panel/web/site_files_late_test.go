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
func hollow(t *testing.T, root, name string) {
	t.Helper()
	put(t, root, name, "")
	if err := os.Truncate(filepath.Join(root, name), 1<<30); err != nil {
		t.Fatal(err)
	}
}

// drafts are what the toolbox has under way in a folder.
func drafts(t *testing.T, root, folder string) int {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(root, folder, ".*.part"))
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
	hollow(t, root, "html/large")
	ctx, leave := context.WithCancel(t.Context())
	form := url.Values{"do": {"pack"}, "file": {"large"}, "archive": {"all.zip"}}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, filesAt+"?path=/html", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		h.handler.ServeHTTP(httptest.NewRecorder(), r)
	}()
	soon(t, "no archive began", func() bool { return drafts(t, root, "html") == 1 })
	leave()
	soon(t, "the archive never ended", func() bool { return drafts(t, root, "html") == 0 })
	<-answered
	if gone(root, "html/all.zip") {
		t.Error("the archive ended with its page")
	}
}

// A page that waits for the toolbox is not cut by the server's bound, which is for short ones.
func TestAnArchiveMayTakeLongerThanAPage(t *testing.T) {
	h, root := openFiles(t)
	hollow(t, root, "html/large")
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
	hollow(t, root, "html/large")
	answered := make(chan answer)
	go func() {
		answered <- h.post(filesAt+"?path=/html", url.Values{"do": {"pack"}, "file": {"large"}, "archive": {"all.zip"}})
	}()
	soon(t, "no archive began", func() bool { return drafts(t, root, "html") == 1 })
	h.rules.Door.(*doortest.Street).Close()
	soon(t, "what was begun stays", func() bool { return drafts(t, root, "html") == 0 })
	if !gone(root, "html/all.zip") {
		t.Error("half an archive has its name")
	}
	(<-answered).want(t, http.StatusServiceUnavailable, "does not answer")
}
