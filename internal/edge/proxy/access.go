package proxy

import (
	"log/slog"
	"net"
	"net/http"
	"time"
)

// log writes the access log's line. Query strings carry passwords and tokens of
// sites, so neither the query nor the referrer is in it.
func (h *handler) log(rec *recorder, r *http.Request, path string, took time.Duration) {
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = r.RemoteAddr
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	h.front.AccessLog.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("client", client),
		slog.String("method", r.Method),
		slog.String("scheme", scheme),
		slog.String("host", r.Host),
		slog.String("path", path),
		slog.String("proto", r.Proto),
		slog.Int("status", rec.status),
		slog.Int64("bytes", rec.size),
		slog.Float64("seconds", took.Seconds()),
		slog.String("agent", r.UserAgent()),
		slog.Bool("cut", rec.cut),
	)
}
