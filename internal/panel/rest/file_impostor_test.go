package rest_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/door/doortest"
	"kubepanel.io/kubepanel/internal/panel/rest"
)

// A tenant with a shell can stand in the toolbox's place and answer whatever they like. The
// panel, which everybody's sites share, holds a bounded part of it, says that the site does
// not answer, and takes it for no fault of its own.
func TestASitesAnswerIsBounded(t *testing.T) {
	const much = 48 << 20
	for name, answer := range map[string]func(io.Writer) error{
		"octets": func(w io.Writer) error {
			_, err := io.Copy(w, io.MultiReader(strings.NewReader(`{"files":null,"total":0`), io.LimitReader(spaces{}, much), strings.NewReader("}")))
			return err
		},
		// Three octets each, which become a hundred in memory.
		"parts": func(w io.Writer) error {
			_, err := io.WriteString(w, `{"files":[{}`+strings.Repeat(",{}", 2<<20)+`],"total":0}`)
			return err
		},
		"nonsense": func(w io.Writer) error {
			_, err := io.WriteString(w, "<html>")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			var whole atomic.Bool
			street := doortest.New(t)
			street.Impostor("jo.example", func(c ssh.Channel, requests <-chan *ssh.Request, _ func()) {
				_ = (<-requests).Reply(true, nil)
				go ssh.DiscardRequests(requests)
				if answer(c) == nil {
					whole.Store(true)
				}
				_, _ = io.WriteString(c.Stderr(), `{"done":true}`+"\n")
				_ = c.Close()
			})
			h.door.once.Do(func() { h.door.door = street })
			if p := read[rest.Problem](t, h.jo.get(filesAt+"?path=/").want(t, http.StatusServiceUnavailable)); p.Code != hosting.Unreachable {
				t.Errorf("an answer of %s = %+v, want that the site does not answer", name, p)
			}
			if logged := h.log.String(); strings.Contains(logged, "level=ERROR") {
				t.Errorf("an answer of %s is logged as a fault of ours: %s", name, logged)
			}
			if name == "octets" && whole.Load() {
				t.Error("the panel took all of it")
			}
		})
	}
}

// spaces is white space without an end.
type spaces struct{}

// Read implements io.Reader.
func (spaces) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}
