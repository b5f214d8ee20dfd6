package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/a-h/templ"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/httpstatus"
	"kubepanel.io/kubepanel/internal/panel/metrics"
	"kubepanel.io/kubepanel/internal/panel/web/locale"
)

// page makes a handler one of HTTP. It is the only place that knows what becomes of
// an error.
func (s *Server) page(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		metrics.Route(r.Context(), r.Pattern)
		w.Header().Set("Cache-Control", "no-store")
		a, _ := s.Who(r.Context())
		r = r.WithContext(context.WithValue(r.Context(), actorKey{}, a))
		if err := s.Doors.Reads(r.Context(), s.locales.Of(r).Tag); err != nil {
			s.Log.WarnContext(r.Context(), "note the language of somebody", "err", err)
		}
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// signedIn lets nobody through who is not.
func (s *Server) signedIn(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if actor(r.Context()).ID == "" {
			s.toSignIn(w, r)
			return nil
		}
		return h(w, r)
	}
}

// toSignIn asks who it is, and remembers where to go then. A part of a page that is
// asked for in the background makes the browser go there as a whole.
func (s *Server) toSignIn(w http.ResponseWriter, r *http.Request) {
	to, next := "/sign-in", "/"
	if r.Method == http.MethodGet && !partial(r) {
		next = r.URL.RequestURI()
	}
	if auth.StageOf(r.Context()) == auth.MustEnrol {
		to = enrolAt(next)
	} else if next != "/" {
		to += "?" + url.Values{"next": {next}}.Encode()
	}
	if partial(r) {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// partial tells whether a page's script asks for a part of it.
func partial(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// fault is the page of an error.
type fault struct {
	*frame

	Status            int
	Message, Mend, ID string
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody is there to read it
	}
	code := hosting.CodeOf(err)
	s.Doors.Refused(r.Context(), s.Log, actor(r.Context()), r.Pattern, err)
	p := fault{frame: s.frame(r, placeNone), Status: httpstatus.Of(code)}
	p.Title = p.T("That did not work")
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		p.Status, p.Message = http.StatusRequestEntityTooLarge, p.T("That is more than %d kB, which no form here takes.", tooLarge.Limit>>10)
	} else if e, ok := errors.AsType[*hosting.Error](err); ok && code != hosting.Internal {
		p.Message, p.Mend = words(p.Locale, e), ""
		if e.Message != "" && len(e.Fields) == 0 {
			p.Message, p.Mend = p.Answer(e.Message), p.Answer(e.Mend)
		}
		if code == hosting.NotFound {
			p.Title = p.T("Nothing here")
		}
	} else {
		// The person gets a number to quote; the log gets the cause.
		p.ID = rand.Text()[:8]
		s.Log.ErrorContext(r.Context(), "request failed", "id", p.ID, "route", r.Pattern, "err", err)
		p.Message = p.T("Something broke on our side.")
		p.Mend = p.T("Try again; if it stays, tell your provider the number %s.", p.ID)
	}
	if err := show(w, r, p.Status, p.view()); err != nil {
		s.Log.ErrorContext(r.Context(), "show an error", "err", err)
	}
}

func (s *Server) nowhere(http.ResponseWriter, *http.Request) error {
	return &hosting.Error{Code: hosting.NotFound, Message: "There is no such page.", Mend: "Look for it in the list at the side."}
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// show writes a page once it is whole, so that an error on the way can still become
// a page of its own.
func show(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	b, _ := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if err := page.Render(r.Context(), b); err != nil {
		return fmt.Errorf("render a page: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	w.Write(b.Bytes()) //nolint:errcheck // a browser that went away
	return nil
}

// seeOther sends the browser to a page after something was done.
func seeOther(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// actorKey is where page puts who asks.
type actorKey struct{}

// actor is who asks; the zero Actor is nobody.
func actor(ctx context.Context) hosting.Actor {
	a, _ := ctx.Value(actorKey{}).(hosting.Actor)
	return a
}

// asked returns the faults of a request that its form can show, in the language of
// who asks, or passes err on. Of no error there are none, and the page is well. A form may
// show more codes than all forms do.
func (s *Server) asked(r *http.Request, err error, more ...hosting.Code) (faults, error) {
	if err == nil {
		return faults{Status: http.StatusOK}, nil
	}
	e, ok := errors.AsType[*hosting.Error](err)
	if !ok || !slices.Contains([]hosting.Code{hosting.Invalid, hosting.OverQuota, hosting.Conflict, hosting.Limited, hosting.SignIn}, e.Code) && !slices.Contains(more, e.Code) {
		return faults{}, err
	}
	in := s.locales.Of(r)
	f := faults{fields: map[string]string{}, Status: httpstatus.Of(e.Code)}
	for _, field := range e.Fields {
		if _, ok := f.fields[field.Name]; !ok {
			f.fields[field.Name] = in.Answer(field.Message)
		}
	}
	if e.Message != "" {
		f.fields[""] = strings.TrimSpace(in.Answer(e.Message) + " " + in.Answer(e.Mend))
	}
	return f, nil
}

// unreadable is the answer to a form that is none.
func unreadable(err error) error {
	return &hosting.Error{Code: hosting.Invalid, Message: "The form can't be read.", Err: err}
}

// words are all sentences of an answer.
func words(in *locale.Locale, e *hosting.Error) string {
	parts := make([]string, 0, len(e.Fields)+2)
	parts = append(parts, in.Answer(e.Message))
	for _, f := range e.Fields {
		parts = append(parts, in.Answer(f.Message))
	}
	return strings.TrimSpace(strings.Join(append(parts, in.Answer(e.Mend)), " "))
}

// faults are what is wrong with a form, by field; "" is the whole.
type faults struct {
	fields map[string]string
	Status int
}

// Of returns the fault of a field.
func (f faults) Of(field string) string { return f.fields[field] }

// move gives a field's fault to another, where a page has the field twice.
func (f faults) move(from, to string) {
	if text := f.fields[from]; text != "" {
		f.fields[to] = text
		delete(f.fields, from)
	}
}

// any tells whether there is a fault.
func (f faults) any() bool { return len(f.fields) > 0 }

// Rest returns the faults of what the form has no field for.
func (f faults) Rest(fields ...string) []string {
	var rest []string
	for name, text := range f.fields {
		if !slices.Contains(fields, name) {
			rest = append(rest, text)
		}
	}
	slices.Sort(rest)
	return rest
}
