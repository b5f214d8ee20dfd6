package rest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"unicode/utf8"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
)

// open are the addresses that need no token: they say what the API is, and nothing of
// what is in it.
func open(path string) bool {
	return path == Prefix+"/openapi.json" || path == Prefix+"/docs" || path == Prefix+"/docs.css"
}

// knock lets in who has a token and doesn't ask too often. A session's cookie opens
// nothing here.
func (s *Server) knock(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if open(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		r, err := s.Doors.Bearer(r)
		if err != nil {
			s.problem(r.Context(), "read a token", err).write(w)
			return
		}
		a, ok := auth.ActorOf(r.Context())
		who := string(a.ID)
		if !ok {
			who = auth.Neighbourhood(r.Context())
		}
		if wait := s.limits.take(who, s.Now()); wait > 0 {
			p := newProblem(hosting.Limited, "There were too many requests.")
			p.Mend, p.wait = "Ask less often: the header Retry-After says when to go on.", wait
			p.write(w)
			return
		}
		if !ok {
			p := newProblem(hosting.SignIn, "The request has no token, or one that does not count.")
			p.Mend = "Send the header Authorization: Bearer with a token; your provider prints one with panel token."
			p.write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// nowhere answers what no operation is for.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := s.mux.Handler(other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	p := newProblem(hosting.NotFound, "There is no such thing in this API.")
	p.Mend = "See what there is at " + Prefix + "/docs."
	if len(allowed) > 0 && !slices.Contains(allowed, r.Method) {
		p.Status, p.Title = http.StatusMethodNotAllowed, http.StatusText(http.StatusMethodNotAllowed)
		p.Code, p.Type = hosting.Invalid, Prefix+"/docs#"+string(hosting.Invalid)
		p.Detail = "That can't be asked of it."
		w.Header().Set("Allow", strings.Join(allowed, ", "))
	}
	p.write(w)
}

// catch makes a problem document of a panic, and refuses addresses that no database
// takes.
func (s *Server) catch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(cause)
			}
			s.problem(r.Context(), "panic", fmt.Errorf("%v\n%s", cause, debug.Stack())).write(w)
		}()
		query, err := url.QueryUnescape(r.URL.RawQuery)
		if text := r.URL.Path + query; err != nil || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			decoded(http.StatusBadRequest, "the address has characters that no name has").write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}
