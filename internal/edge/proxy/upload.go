package proxy

import (
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

// boundUpload ends the reading of r's body when the visitor sends nothing for too
// long. The returned function belongs at the end of the request; it bounds what
// net/http then still reads of the body.
//
// Caddy's server would do it by itself, but puts its reader into the request that
// net/http holds. There net/http looks whether a body was given up midway, and
// must see its own type: else it takes what is left of an upload that a site
// refused for the visitor's next requests. Here r is a copy already.
func (f *Front) boundUpload(w http.ResponseWriter, r *http.Request) (done func()) {
	if r.Body == nil || r.Body == http.NoBody {
		return func() {}
	}
	body := &caddyhttp.IdleTimeoutReader{
		ReadCloser: r.Body,
		Ctrl:       http.NewResponseController(w),
		Deadline:   caddyhttp.IdleDeadline{Start: time.Now(), Timeout: f.stall()},
		Logger:     zap.NewNop(),
		// A deadline on HTTP/1 stays for the rest that net/http reads after us; on
		// HTTP/2 it would strike while the pod is slow to take the body.
		DrainDeadline:     r.ProtoMajor == 1,
		ClearBetweenReads: r.ProtoMajor == 2,
	}
	r.Body = body
	return body.HandlerDone
}

func (f *Front) stall() time.Duration {
	if f.Stall > 0 {
		return f.Stall
	}
	return stallTimeout
}
