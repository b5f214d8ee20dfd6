package proxy

import (
	"io"
	"net/http"
)

// recorder remembers what was answered, for metrics and the log. Caddy's own
// counts the bytes of a connection that was taken over (a web socket) as well,
// from several goroutines at once without a lock.
type recorder struct {
	http.ResponseWriter
	status int
	size   int64
	// cut tells that the answer did not end as it should: its backend or its
	// visitor went away midway.
	cut bool
}

// Unwrap lets http.ResponseController reach what the connection can do.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// WriteHeader remembers the final status: 1xx only announces (RFC 9110 section
// 15.2), but for 101, after which nothing follows.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	r.implied()
	n, err := r.ResponseWriter.Write(p)
	r.size += int64(n)
	return n, err
}

// ReadFrom keeps the way open on which net/http copies without a buffer of ours.
func (r *recorder) ReadFrom(src io.Reader) (int64, error) {
	r.implied()
	n, err := io.Copy(r.ResponseWriter, src)
	r.size += n
	return n, err
}

// implied is the status of an answer that begins with its body.
func (r *recorder) implied() {
	if r.status == 0 {
		r.status = http.StatusOK
	}
}
