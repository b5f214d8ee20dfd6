package rest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
	"kubepanel.io/kubepanel/internal/panel/rest"
)

// piece is the length of a body that is sent in part, in octets.
const piece = 10 << 20

// begin sends a request whose answer, or whose body, goes on for longer than a test waits.
func (a *account) begin(method, path string, body io.Reader) *http.Response {
	h := a.house
	h.t.Helper()
	ctx, stop := context.WithTimeout(h.t.Context(), 30*time.Second)
	h.t.Cleanup(stop)
	req, err := http.NewRequestWithContext(ctx, method, h.http.URL+rest.Prefix+path, body)
	h.must(err)
	req.Header.Set("Authorization", "Bearer "+a.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/octet-stream")
		req.ContentLength = piece
	}
	resp, err := h.http.Client().Do(req)
	h.must(err)
	h.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// endings are the ways in which jo may not have any more what she began.
var endings = map[string]func(h *house, t *testing.T){
	"the token is revoked": func(h *house, t *testing.T) {
		t.Helper()
		h.jo.ask(request{method: http.MethodDelete, path: "/account/token"}).want(t, http.StatusNoContent)
	},
	"the token expires": func(h *house, _ *testing.T) { h.pass(2 * time.Hour) },
	"the account is suspended": func(h *house, t *testing.T) {
		t.Helper()
		h.must(h.rules.SuspendUser(t.Context(), h.actor(h.boss), h.jo.user.ID, true))
	},
}

// A download that is under way ends when its token does not count any more, and not as if it were whole.
func TestADownloadEndsWithTheToken(t *testing.T) {
	for name, end := range endings {
		for what, path := range map[string]string{"a file": contentAt("/html/large"), "a folder": filesAt + "/archive?path=/html"} {
			t.Run(what+", "+name, func(t *testing.T) {
				h := newHouse(t, func(o *rest.Options) { o.AskAgain = time.Millisecond })
				h.door.open()
				h.hollow("html/large")
				resp := h.jo.begin(http.MethodGet, path, nil)
				if _, err := io.ReadFull(resp.Body, make([]byte, 1000)); err != nil || resp.StatusCode != http.StatusOK {
					t.Fatalf("the download answers %d and begins with %v", resp.StatusCode, err)
				}
				end(h, t)
				if _, err := io.Copy(io.Discard, resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("the download ended with %v, want %v", err, io.ErrUnexpectedEOF)
				}
			})
		}
	}
}

// An upload that is under way ends too, and says why.
func TestAnUploadEndsWithTheToken(t *testing.T) {
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, func(o *rest.Options) { o.AskAgain = time.Millisecond })
			h.door.open()
			at := fmt.Sprintf("/sites/jo.example/uploads?path=%s&size=%d", url.QueryEscape("/html/up.bin"), piece)
			over := make(chan struct{})
			go func() {
				defer close(over)
				for bytes.Contains(h.jo.get(at).body, []byte(`"offset":0,`)) {
					time.Sleep(time.Millisecond)
				}
				end(h, t) // a part is there
			}()
			resp := h.jo.begin(http.MethodPatch, at+"&offset=0", paneltest.Trickle{})
			<-over
			text, err := io.ReadAll(resp.Body)
			h.must(err)
			reply{resp.StatusCode, resp.Header, text}.want(t, http.StatusUnauthorized, "This may not go on").problem(t, http.StatusUnauthorized, hosting.SignIn, "")
		})
	}
}
