package hosting

import (
	"context"
	"errors"
	"time"
)

// errEnough ends the reading of a log of which enough was seen.
var errEnough = errors.New("enough of the log was read")

// logOf returns a site whose log the actor may read, and what of it is wanted.
func (p *Provider) logOf(ctx context.Context, a Actor, name string, q LogQuery) (*OwnedSite, *filter, error) {
	s, err := p.site(ctx, a, RightSiteLogs, name)
	if err != nil {
		return nil, nil, err
	}
	if s.Domain == nil || s.Domain.Status.Namespace == "" {
		return nil, nil, &Error{Code: Conflict, Message: "The site is not there yet, so it has no log.", Mend: "Try again in a moment."}
	}
	f, err := q.filter(s.Domain)
	return s, f, err
}

// SourcesOfLog returns the logs that a site has.
func (p *Provider) SourcesOfLog(ctx context.Context, a Actor, name string) ([]LogSource, error) {
	s, err := p.site(ctx, a, RightSiteLogs, name)
	if err != nil || s.Domain == nil {
		return nil, err
	}
	return LogSources(s.Domain), nil
}

// CheckLog tells whether what a query asks of a site's log can be read, before it is.
func (p *Provider) CheckLog(ctx context.Context, a Actor, name string, q LogQuery) error {
	_, _, err := p.logOf(ctx, a, name, q)
	return err
}

// Log returns the newest lines of a site's log that are wanted.
func (p *Provider) Log(ctx context.Context, a Actor, name string, q LogQuery) (*Log, error) {
	s, f, err := p.logOf(ctx, a, name, q)
	if err != nil {
		return nil, err
	}
	size := q.Lines
	if size <= 0 {
		size = defaultLines
	}
	kept := &ring{size: min(size, maxLines)}
	ctx, stop := context.WithTimeoutCause(ctx, maxLogReading, &Error{Code: Timeout, Message: "The log is too long to be searched at once.",
		Mend: "Ask for a shorter time, or for a simpler text."})
	defer stop()
	err = p.Panel.Logs.ReadLog(ctx, f.place(s.Domain), func(at time.Time, text string) error {
		if !q.To.IsZero() && at.After(q.To) {
			return errEnough
		}
		if f.wants(at, text) {
			kept.add(LogLine{At: at, Text: text})
		}
		return context.Cause(ctx)
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	found := &Log{Lines: kept.lines(), Earlier: kept.lost}
	for i := range found.Lines {
		found.Lines[i].Level = levelOf(q.Source, found.Lines[i].Text)
	}
	return found, nil
}

// DownloadLog gives every line of a site's log that is wanted to see. That it was
// taken away stands in the trail.
func (p *Provider) DownloadLog(ctx context.Context, a Actor, name string, q LogQuery, see func(LogLine) error) error {
	s, f, err := p.logOf(ctx, a, name, q)
	if err != nil {
		return err
	}
	if err := p.recordSite(ctx, a, RightSiteLogs, s, map[string]any{"source": q.Source, "previous": q.Previous}); err != nil {
		return err
	}
	return p.Panel.Logs.ReadLog(ctx, f.place(s.Domain), func(at time.Time, text string) error {
		if !f.wants(at, text) {
			return nil
		}
		return see(LogLine{At: at, Text: text})
	})
}

// FollowLog gives the lines that are written from q.From on to see, until the program
// ends: whoever goes on following asks again, for what comes behind the last line.
func (p *Provider) FollowLog(ctx context.Context, a Actor, name string, q LogQuery, see func(LogLine) error) error {
	q.Previous, q.To = false, time.Time{}
	s, f, err := p.logOf(ctx, a, name, q)
	if err != nil {
		return err
	}
	place := f.place(s.Domain)
	place.Follow = true
	return p.Panel.Logs.ReadLog(ctx, place, func(at time.Time, text string) error {
		if !f.wants(at, text) {
			return nil
		}
		return see(LogLine{At: at, Text: text, Level: levelOf(q.Source, text)})
	})
}

// ring keeps the newest lines.
type ring struct {
	size, next int
	kept       []LogLine
	// lost says that there were more.
	lost bool
}

func (r *ring) add(l LogLine) {
	if len(r.kept) < r.size {
		r.kept = append(r.kept, l)
		return
	}
	r.lost = true
	r.kept[r.next] = l
	r.next = (r.next + 1) % r.size
}

// lines returns them in the order in which they came.
func (r *ring) lines() []LogLine {
	return append(r.kept[r.next:len(r.kept):len(r.kept)], r.kept[:r.next]...)
}
