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
	"io"
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

// Content is a file's: one that is part of the program is read there whenever it is asked
// for, so that there is no copy of it in the heap.
type Content interface {
	io.ReaderAt
	Size() int64
}

// Embedded returns the content of a file that is part of the program.
func Embedded(from embed.FS, name string) (Content, error) {
	opened, err := from.Open(name)
	if err != nil {
		return nil, err
	}
	at, ok := opened.(io.ReaderAt) // as embed.FS promises; its Close does nothing
	if !ok {
		return nil, fmt.Errorf("read %s: it is no file", name)
	}
	about, err := opened.Stat()
	if err != nil {
		return nil, err
	}
	return io.NewSectionReader(at, 0, about.Size()), nil
}

// file is one of them as it goes out.
type file struct {
	kind  string
	plain Content
	// smaller compresses it, once; nil where gzip gains nothing.
	smaller func() Content
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
	var styles []string
	for _, e := range entries {
		if path.Ext(e.Name()) == ".css" {
			styles = append(styles, e.Name())
			continue
		}
		content, err := Embedded(files, "static/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("read a static file: %w", err)
		}
		if _, err := s.Add(e.Name(), content); err != nil {
			return nil, err
		}
	}
	// A style names fonts, so its own name has to follow theirs.
	for _, name := range styles {
		content, err := files.ReadFile("static/" + name)
		if err != nil {
			return nil, fmt.Errorf("read a style: %w", err)
		}
		if _, err := s.Add(name, bytes.NewReader(s.link(content))); err != nil {
			return nil, err
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
func (s *Set) Add(name string, content Content) (string, error) {
	digest := sha256.New()
	if _, err := io.Copy(digest, whole(content)); err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	ext := path.Ext(name)
	served := Prefix + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(digest.Sum(nil)[:6]) + ext
	s.byName[name] = served
	f := file{kind: types[ext], plain: content}
	if ext != ".woff2" && ext != ".webp" { // they are compressed
		f.smaller = sync.OnceValue(func() Content { return compress(content) })
	}
	s.served[served] = f
	return served, nil
}

func whole(c Content) io.Reader { return io.NewSectionReader(c, 0, c.Size()) }

func compress(content Content) Content {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return bytes.NewReader(nil) // never: gzip knows this level
	}
	// It was read before, and a buffer takes everything.
	_, _ = io.Copy(w, whole(content))
	_ = w.Close()
	return bytes.NewReader(bytes.Clone(out.Bytes())) // without the room that the buffer grew by
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
	h.Set("Content-Length", strconv.FormatInt(body.Size(), 10))
	if r.Method != http.MethodHead {
		io.Copy(w, whole(body)) //nolint:errcheck // a browser that went away
	}
}
