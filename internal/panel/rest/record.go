package rest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

// recorder keeps an answer instead of sending it.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

// record returns what a handler answers.
func record(r *http.Request, h http.Handler) kept {
	rec := &recorder{header: http.Header{}}
	h.ServeHTTP(rec, r)
	k := kept{Status: rec.status, Header: map[string]string{}, Body: rec.body.String()}
	for name := range rec.header {
		k.Header[name] = rec.header.Get(name)
	}
	return k
}

// tagOctets of a digest are enough that two answers never have one tag.
const tagOctets = 12

// tagged gives every answer with a representation its entity tag (RFC 9110 section
// 8.8.3), and leaves out what the client has. A tag is the version of what can be changed,
// a dot, and a digest of all that is shown: If-Match compares the version alone, so that
// a status that moves by itself refuses nobody's change.
func (s *Server) tagged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := s.mux.Handler(r); s.facts[pattern].stream {
			next.ServeHTTP(w, r)
			return
		}
		k := record(r, next)
		version := strings.Trim(k.Header["Etag"], `"`)
		if k.Status < http.StatusMultipleChoices && k.Status != http.StatusNoContent && (r.Method == http.MethodGet || version != "") {
			k.Header["Etag"] = tag(version, k.Body)
			k.Header["Cache-Control"] = "private, no-cache" // keep it, and ask whether it is still so
			if r.Method == http.MethodGet && matches(r.Header.Values("If-None-Match"), k.Header["Etag"]) {
				k.Status, k.Body = http.StatusNotModified, ""
				delete(k.Header, "Content-Type")
			}
		}
		k.write(w)
	})
}

// tag is the entity tag of a body that shows a version.
func tag(version, body string) string {
	sum := sha256.Sum256([]byte(body))
	return `"` + version + "." + hex.EncodeToString(sum[:tagOctets]) + `"`
}

// matches compares a tag with those of a header, weakly (RFC 9110 section 8.8.3.2).
func matches(headers []string, tag string) bool {
	for _, header := range headers {
		for _, one := range strings.Split(header, ",") {
			one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
			if one == tag || one == "*" {
				return true
			}
		}
	}
	return false
}

// Condition is what a change can depend on.
type Condition struct {
	IfMatch string `header:"If-Match" maxLength:"200" doc:"The ETag of what was read: the change is refused (412) when somebody else changed it since."`
}

// version is the part of the tag that stands for what can be changed; "" for none asked.
func (c Condition) version() string {
	tag := strings.Trim(strings.TrimPrefix(strings.TrimSpace(c.IfMatch), "W/"), `"`)
	if tag == "*" || tag == "" {
		return ""
	}
	version, _, _ := strings.Cut(tag, ".")
	if version == "" {
		return tag // no tag of ours, so it matches nothing
	}
	return version
}

// versioned is a representation of what can be changed.
type versioned[T any] struct {
	ETag     string `header:"ETag" doc:"Names what was read, for If-Match and If-None-Match."`
	Location string `header:"Location" doc:"Where what was made is."`
	Body     T
}

func versionedAs[T any](version string, body T) *versioned[T] {
	return &versioned[T]{ETag: `"` + version + `"`, Body: body}
}
