// Package asset holds the panel's files for browsers: style, script, font and
// icons. Each is served under a name that has a digest of its content in it, so a
// browser keeps it for good and never shows an old one; texts are compressed once,
// when they are first asked for. It must never hold what depends on who asks.
package asset

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed static
var files embed.FS

// Prefix is where the files are served.
const Prefix = "/static/"

// forever is what RFC 8246 and browsers take for one year and no question.
const forever = "public, max-age=31536000, immutable"

var types = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".webp": "image/webp", ".woff2": "font/woff2",
}

// file is one of them as it goes out.
type file struct {
	kind  string
	plain []byte
	// smaller compresses it, once; nil where gzip gains nothing.
	smaller func() []byte
}

// Set is all files under the names that they are served by.
type Set struct {
	byName map[string]string // panel.css → /static/panel.1a2b….css
	served map[string]file
}

// Load reads all files; it takes some milliseconds.
func Load() (*Set, error) {
	s := &Set{byName: map[string]string{}, served: map[string]file{}}
	entries, err := fs.ReadDir(files, "static")
	if err != nil {
		return nil, fmt.Errorf("list the static files: %w", err)
	}
	contents := map[string][]byte{}
	for _, e := range entries {
		if contents[e.Name()], err = files.ReadFile("static/" + e.Name()); err != nil {
			return nil, fmt.Errorf("read a static file: %w", err)
		}
		if path.Ext(e.Name()) != ".css" {
			s.Add(e.Name(), contents[e.Name()])
		}
	}
	// A style names fonts, so its own name has to follow theirs.
	for name, content := range contents {
		if path.Ext(name) == ".css" {
			s.Add(name, s.link(content))
		}
	}
	return s, nil
}

// link puts the served names into url("…").
func (s *Set) link(style []byte) []byte {
	for name, served := range s.byName {
		style = bytes.ReplaceAll(style, []byte(`url("`+name+`")`), []byte(`url("`+served+`")`))
	}
	return style
}

// Add has a file served, and returns its address. It must not be called while the set
// serves.
func (s *Set) Add(name string, content []byte) string {
	digest := sha256.Sum256(content)
	ext := path.Ext(name)
	served := Prefix + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(digest[:6]) + ext
	s.byName[name] = served
	f := file{kind: types[ext], plain: content}
	if ext != ".woff2" && ext != ".webp" { // they are compressed
		f.smaller = sync.OnceValue(func() []byte { return compress(content) })
	}
	s.served[served] = f
	return served
}

func compress(content []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil
	}
	// A buffer takes everything.
	_, _ = w.Write(content)
	_ = w.Close()
	return out.Bytes()
}

// URL returns the address of a file; a name that there is none of is a mistake in
// a page, which its test shows.
func (s *Set) URL(name string) string { return s.byName[name] }

// ServeHTTP answers with a file.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := s.served[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", forever)
	body := f.plain
	if f.smaller != nil {
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body = f.smaller()
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		w.Write(body) //nolint:errcheck // a browser that went away
	}
}
