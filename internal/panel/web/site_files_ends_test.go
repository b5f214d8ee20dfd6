package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/paneltest"
)

// seatings are the ways in which Jo may not have any more what she began.
var seatings = map[string]hosting.Actor{
	"signed out":    {},
	"right is gone": {ID: "eve", Role: hosting.Customer},
}

// A download that is under way ends when whoever began it is signed out or may not have it
// any more, and not as if it were whole.
func TestADownloadEndsWithTheRight(t *testing.T) {
	for name, other := range seatings {
		for what, path := range map[string]string{"a file": "/html/large", "a folder": "/html"} {
			t.Run(what+", "+name, func(t *testing.T) {
				h, root := openFiles(t)
				hollow(t, root, "html/large", 1<<40)
				answer := h.begin(http.MethodGet, filesAt+"/download?path="+path, nil)
				if _, err := io.ReadFull(answer.Body, make([]byte, 1000)); err != nil || answer.StatusCode != http.StatusOK {
					t.Fatalf("the download answers %d and begins with %v", answer.StatusCode, err)
				}
				h.seat(other)
				if _, err := io.Copy(io.Discard, answer.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("the download ended with %v, want %v", err, io.ErrUnexpectedEOF)
				}
			})
		}
	}
}

// An upload that is under way ends too, and says why.
func TestAnUploadEndsWithTheRight(t *testing.T) {
	for name, other := range seatings {
		t.Run(name, func(t *testing.T) {
			h, _ := openFiles(t)
			const at = filesAt + "/upload?path=/html/up.bin&size=10485760"
			over := make(chan struct{})
			go func() {
				defer close(over)
				for h.ask(httptest.NewRequest(http.MethodHead, at, nil)).header.Get("Upload-Offset") == "0" {
					time.Sleep(time.Millisecond)
				}
				h.seat(other) // a part is there
			}()
			answer := h.begin(http.MethodPatch, at, paneltest.Trickle{})
			<-over
			if answer.StatusCode != http.StatusUnauthorized {
				t.Errorf("the upload is answered %d, want %d", answer.StatusCode, http.StatusUnauthorized)
			}
		})
	}
}

// begin sends a request whose answer, or whose body of ten MiB, goes on for longer than a
// test waits.
func (h *house) begin(method, path string, body io.Reader) *http.Response {
	h.t.Helper()
	server := httptest.NewServer(h.handler)
	h.t.Cleanup(server.Close)
	ctx, stop := context.WithTimeout(h.t.Context(), 30*time.Second)
	h.t.Cleanup(stop)
	r, err := http.NewRequestWithContext(ctx, method, server.URL+path, body)
	h.must(err)
	if body != nil {
		r.Header.Set("Upload-Offset", "0")
		r.ContentLength = 10 << 20
	}
	answer, err := server.Client().Do(r)
	h.must(err)
	h.t.Cleanup(func() { answer.Body.Close() })
	return answer
}
