package web

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/streams"
)

// tryAgain is how long a browser waits before it asks for more, in milliseconds.
const tryAgain = 2000

// followLog sends lines as they are written, as server-sent events (HTML, section
// 9.2): each with its time as its ID, with which the browser asks for the rest when
// the program, the pod or the panel was started anew.
func (s *Server) followLog(w http.ResponseWriter, r *http.Request) error {
	p, err := s.siteLogs(r)
	if err != nil {
		return err
	}
	// Before a stream begins: what is refused has a status of its own, and takes no place.
	if _, err := s.Rules.SiteFor(r.Context(), p.Actor, hosting.RightSiteLogs, p.Row.Name); err != nil {
		return err
	}
	end, err := s.streams.Take(p.Actor.ID)
	if err != nil {
		return err
	}
	defer end()
	p.Query.From = p.after(r)
	ctx, stop := context.WithTimeout(r.Context(), streams.Longest)
	defer stop()
	out := &events{w: w, to: http.NewResponseController(w)}
	if err := out.begin(); err != nil {
		return err
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		streams.WatchOver(ctx, stop, s.AskAgain, func() bool { return s.still(ctx, r, hosting.RightSiteLogs) && out.beat() == nil })
	}()
	err = s.Rules.FollowLog(ctx, p.Actor, p.Row.Name, p.Query, func(l hosting.LogLine) error {
		var html bytes.Buffer
		if err := p.line(l).Render(ctx, &html); err != nil {
			return fmt.Errorf("render a line: %w", err)
		}
		return out.send("", l.At.UTC().Format(time.RFC3339Nano), html.Bytes())
	})
	ended := ctx.Err() != nil
	stop()
	<-over // nobody else writes from here on
	e, _ := asError(err)
	switch code := hosting.CodeOf(err); {
	case ended:
		out.last(p.T("Following has ended: begin it again."))
	case e != nil && (code == hosting.Invalid || code == hosting.NotFound || code == hosting.Forbidden):
		out.last(words(p.Locale, e))
	case err != nil && code == hosting.Internal:
		s.Log.ErrorContext(r.Context(), "follow a log", "site", p.Row.Name, "err", err)
	}
	return nil // else the program has ended, and the browser asks again
}

// after is what the browser has already.
func (p siteLogs) after(r *http.Request) time.Time {
	for _, text := range []string{r.Header.Get("Last-Event-ID"), r.FormValue("after")} {
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return at.Add(1)
		}
	}
	return p.now
}

// while returns a context that ends when whoever sent a request is not signed in any more,
// or may not do something any more with its site; done ends it too.
func (s *Server) while(r *http.Request, do hosting.Right) (transfer context.Context, done func()) {
	return streams.While(r.Context(), s.AskAgain, func(ctx context.Context) bool { return s.still(ctx, r, do) })
}

// still tells whether whoever sent a request is signed in now, and may do something
// with its site.
func (s *Server) still(ctx context.Context, r *http.Request, do hosting.Right) bool {
	may := false
	again := &http.Request{Method: r.Method, URL: r.URL, Header: r.Header, Host: r.Host, RemoteAddr: r.RemoteAddr, Body: http.NoBody, Proto: r.Proto}
	fresh, stop := context.WithCancel(context.Background()) // nothing of what the first request was found to be
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	s.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, now *http.Request) {
		if a, ok := s.Who(now.Context()); ok {
			_, err := s.Rules.SiteFor(now.Context(), a, do, r.PathValue("site"))
			may = err == nil || hosting.CodeOf(err) == hosting.Unreachable
		}
	})).ServeHTTP(&unseen{header: http.Header{}}, again.WithContext(fresh))
	return may
}

// unseen is an answer that nobody gets.
type unseen struct{ header http.Header }

// Header implements http.ResponseWriter.
func (u *unseen) Header() http.Header { return u.header }

// Write implements http.ResponseWriter.
func (u *unseen) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader implements http.ResponseWriter.
func (u *unseen) WriteHeader(int) {}
