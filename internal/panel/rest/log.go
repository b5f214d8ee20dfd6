package rest

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/streams"
)

func (s *Server) logs() {
	handle(s, operation{method: http.MethodGet, path: "/sites/{site}/logs", id: "listLogs", summary: "List the logs that a site has", scope: hosting.RightSiteLogs}, s.listLogs)
	handle(s, operation{method: http.MethodGet, path: "/sites/{site}/logs/{source}", id: "searchLog", summary: "Show the newest lines of a log that are wanted",
		scope: hosting.RightSiteLogs, says: "They stand in the order in which they were written; next leads to those before them. A log ends with the program's pod."}, s.searchLog)
	handle(s, operation{method: http.MethodGet, path: "/sites/{site}/logs/{source}/download", id: "downloadLog", summary: "Write out all lines of a log that are wanted",
		scope: hosting.RightSiteLogs, stream: true, says: "As text, each line behind its time. That it was taken away stands in the audit trail."}, s.downloadLog)
	handle(s, operation{method: http.MethodGet, path: "/sites/{site}/logs/{source}/follow", id: "followLog", summary: "Send lines as they are written",
		scope: hosting.RightSiteLogs, stream: true, says: "One JSON object a line (application/x-ndjson), a LogLine each, and an empty line now and then. It ends with the program, after half an hour, " +
			"or when the token does not count any more: ask again with from behind the last line."}, s.followLog)
}

// Log names one of a site's logs.
type Log struct {
	Source hosting.LogSource `json:"source" enum:"app,access,error" doc:"app: what the program says; access and error: what the web server does."`
}

// LogLine is one line of a log.
type LogLine struct {
	At    time.Time        `json:"at"`
	Text  string           `json:"text"`
	Level hosting.LogLevel `json:"level,omitempty" enum:"debug,info,warning,error" doc:"How grave it is, where the line tells."`
}

func logLineOf(l *hosting.LogLine) LogLine { return LogLine{At: l.At, Text: l.Text, Level: l.Level} }

// linesOfLog are a part of a log; next leads to what is before it.
func linesOfLog(l *hosting.Log) List[LogLine] {
	p := List[LogLine]{Items: make([]LogLine, 0, len(l.Lines))}
	for i := range l.Lines {
		p.Items = append(p.Items, logLineOf(&l.Lines[i]))
	}
	if l.Earlier && len(l.Lines) > 0 {
		p.Next = cursor(l.Lines[0].At.UTC().Format(time.RFC3339Nano))
	}
	return p
}

// LogPath is an operation on one log.
type LogPath struct {
	SitePath
	Source hosting.LogSource `path:"source" enum:"app,access,error"`
	Search string            `query:"q" maxLength:"200" doc:"A part of the line, whatever its case."`
	// Pattern and the rest narrow what is wanted.
	Pattern  bool      `query:"pattern" doc:"q is a regular expression (RE2)."`
	From     time.Time `query:"from" doc:"Only what was written from then on."`
	To       time.Time `query:"to" doc:"Only what was written until then."`
	Previous bool      `query:"previous" doc:"Of the program that ran in the pod before its last restart."`
}

func (p LogPath) query() hosting.LogQuery {
	return hosting.LogQuery{Source: p.Source, Search: p.Search, Pattern: p.Pattern, From: p.From, To: p.To, Previous: p.Previous}
}

func (s *Server) listLogs(ctx context.Context, a hosting.Actor, in *SitePath) (*answer[List[Log]], error) {
	found, err := s.Rules.SourcesOfLog(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	return whole(found, func(source *hosting.LogSource) Log { return Log{*source} }), nil
}

func (s *Server) searchLog(ctx context.Context, a hosting.Actor, in *struct {
	LogPath
	Cursor string `query:"cursor" maxLength:"1000" doc:"The next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"300" doc:"How many lines a page has."`
}) (*answer[List[LogLine]], error) {
	q := in.query()
	q.Lines = in.Limit
	last, err := Paging{Cursor: in.Cursor}.after()
	if err != nil {
		return nil, err
	}
	if last != "" {
		at, err := time.Parse(time.RFC3339Nano, last)
		if err != nil {
			return nil, noCursor()
		}
		if at = at.Add(-1); q.To.IsZero() || at.Before(q.To) {
			q.To = at
		}
	}
	found, err := s.Rules.Log(ctx, a, in.Site, q)
	if err != nil {
		return nil, err
	}
	l := linesOfLog(found)
	return &answer[List[LogLine]]{l}, nil
}

func (s *Server) downloadLog(ctx context.Context, a hosting.Actor, in *LogPath) (*stream, error) {
	q := in.query()
	if err := s.Rules.CheckLog(ctx, a, in.Site, q); err != nil {
		return nil, err
	}
	return &stream{ContentType: "text/plain; charset=utf-8", Body: func(to huma.Context) {
		f := flowing(to)
		ctx, done := s.while(ctx, f.request, hosting.RightSiteLogs, in.Site)
		defer done()
		out := bufio.NewWriterSize(f, sentAtOnce)
		err := s.Rules.DownloadLog(ctx, a, in.Site, q, func(l hosting.LogLine) error {
			_, err := fmt.Fprintf(out, "%s %s\n", l.At.UTC().Format(time.RFC3339Nano), l.Text)
			return err
		})
		if err == nil {
			err = out.Flush()
		}
		s.end(ctx, f, "download a log", streams.Why(ctx, err))
	}}, nil
}
