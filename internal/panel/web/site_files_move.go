package web

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/orders"
	"kubepanel.io/kubepanel/internal/panel/httpstatus"
	"kubepanel.io/kubepanel/internal/panel/streams"
)

const (
	// maxPiece is the largest piece of an upload, in octets. What is cut off is sent again
	// from where it was cut, so a piece is no loss.
	maxPiece = 16 << 20
	// maxTextBody is a form with a text, each octet of which a browser may write as three.
	maxTextBody = 3*hosting.MaxText + maxBody
	// stall is how long a browser may neither send nor take anything.
	stall = time.Minute
)

// bounded bounds what a request may send: a form, or what pages about files take.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := int64(maxBody)
		switch {
		case strings.HasSuffix(r.URL.Path, "/files/upload"):
			limit = maxPiece
		case strings.HasSuffix(r.URL.Path, "/files/edit"):
			limit = maxTextBody
		case r.URL.Path == logoURL:
			limit = maxLogoBody
		}
		http.MaxBytesHandler(next, limit).ServeHTTP(w, r)
	})
}

// patient reads and writes for as long as something moves: the server's own limits are
// for pages.
type patient struct {
	w   http.ResponseWriter
	in  io.Reader
	to  *http.ResponseController
	put time.Time
}

func patiently(w http.ResponseWriter, r *http.Request) *patient {
	return &patient{w: w, in: r.Body, to: http.NewResponseController(w)}
}

// extend puts both deadlines off, once a second at most.
func (p *patient) extend() {
	now := time.Now()
	if now.Sub(p.put) < time.Second {
		return
	}
	p.put = now
	_ = p.to.SetReadDeadline(now.Add(stall)) // a test's recorder has none
	_ = p.to.SetWriteDeadline(now.Add(stall))
}

// waitForDeed is how long a form waits for what is done to files before it shows that it
// goes on.
const waitForDeed = 1500 * time.Millisecond

// longest is how long a page waits for what is done to files: packing or copying all that
// is in a site.
const longest = 10 * time.Minute

// lingering puts the bounds of a request off for what may take so long. Its reading has
// one too: net/http goes on reading to notice who goes away.
func lingering(w http.ResponseWriter) {
	to, until := http.NewResponseController(w), time.Now().Add(longest)
	_ = to.SetReadDeadline(until) // a test's recorder has none
	_ = to.SetWriteDeadline(until)
}

// Keep puts them off while the browser waits for an answer.
func (p *patient) Keep() { p.extend() }

// Read reads what the browser sends.
func (p *patient) Read(b []byte) (int, error) {
	p.extend()
	return p.in.Read(b)
}

// Write gives something to the browser.
func (p *patient) Write(b []byte) (int, error) {
	p.extend()
	return p.w.Write(b)
}

// downloadFile gives a file, or a folder as an archive. It never is a page of ours,
// whatever is in it.
func (s *Server) downloadFile(w http.ResponseWriter, r *http.Request) error {
	files, err := s.Rules.Files(r.Context(), actor(r.Context()), r.PathValue("site"))
	if err != nil {
		return err
	}
	at, err := hosting.ParsePath(r.URL.Query().Get("path"))
	if err != nil {
		return err
	}
	file, err := files.Stat(r.Context(), at)
	if err != nil {
		return err
	}
	name := path.Base(at)
	if at == "/" {
		name = r.PathValue("site")
	}
	ctx, done := s.while(r, hosting.RightSiteFiles)
	defer done()
	h, out := w.Header(), patiently(w, r)
	h.Set("Content-Type", "application/octet-stream")
	if file.Kind == orders.KindFolder {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name + ".tar.gz"}))
		err = files.Download(ctx, at, out)
	} else {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		h.Set("Content-Length", strconv.FormatInt(file.Size, 10))
		err = files.Read(ctx, at, out)
	}
	if err = streams.Why(ctx, err); err != nil && !out.put.IsZero() {
		// A part went out: only a broken connection tells that it is not the whole.
		s.Log.WarnContext(r.Context(), "download cut", "err", err)
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		for _, name := range []string{"Content-Type", "Content-Disposition", "Content-Length"} {
			h.Del(name)
		}
	}
	return err
}

// upload tells how much of an upload is there (HEAD), takes a piece of it (PATCH) at the
// offset that its header names, or forgets it (DELETE). All name the upload by the file's
// path, size and time. Answers are sentences for the page's script.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) error {
	there, err := s.uploadPiece(w, r)
	h := w.Header()
	h.Set("Upload-Offset", strconv.FormatInt(there, 10))
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	e, ok := asError(err)
	if !ok || e.Code == hosting.Internal {
		return err
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(httpstatus.Of(e.Code))
	io.WriteString(w, words(s.locales.Of(r), e)) //nolint:errcheck // a browser that went away
	return nil
}

func (s *Server) uploadPiece(w http.ResponseWriter, r *http.Request) (int64, error) {
	files, err := s.Rules.Files(r.Context(), actor(r.Context()), r.PathValue("site"))
	if err != nil {
		return 0, err
	}
	query := r.URL.Query()
	size, err := strconv.ParseInt(query.Get("size"), 10, 64)
	if err != nil {
		return 0, &hosting.Error{Code: hosting.Invalid, Message: "The upload has no size.", Err: err}
	}
	u := hosting.Upload{Path: query.Get("path"), Size: size, Modified: query.Get("modified"), Replace: query.Has("replace"), Sender: query.Get("sender")}
	switch r.Method {
	case http.MethodHead:
		return files.Uploaded(r.Context(), u)
	case http.MethodDelete:
		return 0, files.CancelUpload(r.Context(), u)
	}
	offset, err := strconv.ParseInt(r.Header.Get("Upload-Offset"), 10, 64)
	if err != nil || offset < 0 {
		return 0, &hosting.Error{Code: hosting.Invalid, Message: "The piece does not say where it belongs.", Err: fmt.Errorf("read Upload-Offset: %w", err)}
	}
	ctx, done := s.while(r, hosting.RightSiteFiles)
	defer done()
	there, err := files.Upload(ctx, u, offset, patiently(w, r))
	return there, streams.Why(ctx, err)
}
