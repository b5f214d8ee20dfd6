package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"kubepanel.io/kubepanel/internal/panel/streams"
)

// sentAtOnce is how much of a long answer is gathered before it is sent, in octets.
const sentAtOnce = 32 << 10

// stall is how long a client may send nothing of a body.
const stall = time.Minute

// flow is a request that is read, or an answer that is sent, as it comes. The server's
// own bounds of time, which are for short ones, are put off with each piece.
type flow struct {
	request *http.Request
	w       http.ResponseWriter
	to      *http.ResponseController

	mu   sync.Mutex
	sent bool // something was
}

// flowing begins one.
func flowing(c huma.Context) *flow {
	r, w := humago.Unwrap(c)
	return &flow{request: r, w: w, to: http.NewResponseController(w)}
}

// Read reads a piece of the request's body.
func (f *flow) Read(b []byte) (int, error) {
	until := time.Now().Add(stall)
	if err := errors.Join(f.to.SetReadDeadline(until), f.to.SetWriteDeadline(until)); err != nil {
		return 0, fmt.Errorf("bound a piece of a request: %w", err)
	}
	return f.request.Body.Read(b)
}

// Keep puts the bounds off while the client waits for an answer.
func (f *flow) Keep() {
	until := time.Now().Add(stall)
	_ = errors.Join(f.to.SetReadDeadline(until), f.to.SetWriteDeadline(until)) // a test's recorder has none
}

// Write sends a piece.
func (f *flow) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := errors.Join(f.to.SetReadDeadline(time.Time{}), f.to.SetWriteDeadline(time.Now().Add(streams.SendTimeout)))
	if err != nil {
		return 0, fmt.Errorf("bound a piece of an answer: %w", err)
	}
	f.sent = true
	return f.w.Write(b)
}

// push sends a piece, and all before it, at once.
func (f *flow) push(b []byte) error {
	if _, err := f.Write(b); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.to.Flush()
}

// end ends an answer that was sent as it was made. What went wrong before anything was
// sent is a problem document; else a broken connection tells that it is not the whole.
func (s *Server) end(ctx context.Context, f *flow, doing string, err error) {
	switch {
	case err == nil && !f.sent:
		f.w.WriteHeader(http.StatusOK)
	case err == nil:
	case !f.sent:
		s.problem(ctx, doing, err).write(f.w)
	default:
		if ctx.Err() == nil {
			s.Log.WarnContext(ctx, "an answer was cut", "operation", doing, "err", err)
		}
		panic(http.ErrAbortHandler)
	}
}
