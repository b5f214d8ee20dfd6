package rest

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/streams"
)

func (s *Server) followLog(ctx context.Context, a hosting.Actor, in *LogPath) (*stream, error) {
	q := in.query()
	if q.From.IsZero() {
		q.From = s.Now()
	}
	if err := s.Rules.CheckLog(ctx, a, in.Site, q); err != nil {
		return nil, err
	}
	give, err := s.streams.Take(a.ID)
	if err != nil {
		return nil, err
	}
	return &stream{ContentType: "application/x-ndjson", Body: func(to huma.Context) {
		defer give()
		ctx, stop := context.WithTimeout(ctx, streams.Longest)
		defer stop()
		f := flowing(to)
		if f.push([]byte("\n")) != nil {
			return // a client that went away
		}
		over := make(chan struct{})
		go func() {
			defer close(over)
			streams.WatchOver(ctx, stop, s.AskAgain, func() bool {
				return s.still(ctx, f.request, hosting.RightSiteLogs, in.Site) && f.push([]byte("\n")) == nil
			})
		}()
		err := s.Rules.FollowLog(ctx, a, in.Site, q, func(l hosting.LogLine) error {
			line, err := json.Marshal(logLineOf(&l))
			if err != nil {
				return err
			}
			return f.push(append(line, '\n'))
		})
		ended := ctx.Err() != nil
		stop()
		<-over // nobody else writes from here on
		if code := hosting.CodeOf(err); err != nil && !ended && code == hosting.Internal {
			s.end(to.Context(), f, "follow a log", err)
		}
	}}, nil
}

// while returns a context that ends when a request's token does not count any more, or is
// not good any more for something with a site; done ends it too.
func (s *Server) while(ctx context.Context, r *http.Request, do hosting.Right, site string) (transfer context.Context, done func()) {
	return streams.While(ctx, s.AskAgain, func(ctx context.Context) bool { return s.still(ctx, r, do, site) })
}

// still tells whether a request's token counts now, and is good for something with a site.
func (s *Server) still(ctx context.Context, r *http.Request, do hosting.Right, site string) bool {
	again, err := s.Doors.Bearer(r.Clone(ctx))
	if err != nil {
		return hosting.CodeOf(err) == hosting.Unreachable
	}
	a, ok := auth.ActorOf(again.Context())
	if !ok {
		return false
	}
	_, err = s.Rules.SiteFor(ctx, a, do, site)
	return err == nil || hosting.CodeOf(err) == hosting.Unreachable
}
