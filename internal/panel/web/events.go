package web

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"
	"time"

	"kubepanel.io/kubepanel/internal/panel/streams"
)

// events is an answer of server-sent events.
type events struct {
	w  http.ResponseWriter
	to *http.ResponseController
	mu sync.Mutex
}

// begin sends the head of the answer. The server's own bounds of time are lifted: each
// event has one of its own.
func (e *events) begin() error {
	h := e.w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // a proxy in front hands each event on at once
	e.w.WriteHeader(http.StatusOK)
	if err := e.to.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("lift the bound of a request: %w", err)
	}
	return e.write(fmt.Appendf(nil, "retry: %d\n\n", tryAgain))
}

// send sends one event. A kind of "" is a message, and an id of "" leaves the last one.
func (e *events) send(kind, id string, data []byte) error {
	var b bytes.Buffer
	if kind != "" {
		fmt.Fprintf(&b, "event: %s\n", kind)
	}
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	for line := range bytes.Lines(data) {
		b.WriteString("data: ")
		b.Write(bytes.Trim(line, "\r\n"))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return e.write(b.Bytes())
}

// beat sends nothing that the page sees, to find out whether anybody is there.
func (e *events) beat() error { return e.write([]byte(":\n\n")) }

// last sends why nothing more comes.
func (e *events) last(text string) {
	e.send("end", "", []byte(text)) //nolint:errcheck // whoever went away need not know
}

func (e *events) write(b []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.to.SetWriteDeadline(time.Now().Add(streams.SendTimeout)); err != nil {
		return fmt.Errorf("bound an event: %w", err)
	}
	if _, err := e.w.Write(b); err != nil {
		return fmt.Errorf("send an event: %w", err)
	}
	if err := e.to.Flush(); err != nil {
		return fmt.Errorf("send an event: %w", err)
	}
	return nil
}
