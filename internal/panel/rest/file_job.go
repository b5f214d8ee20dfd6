package rest

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// FileJob is a change of a site's files that may take long.
type FileJob struct {
	ID    hosting.ID `json:"id"`
	Do    string     `json:"do" enum:"copy,pack,unpack,empty"`
	Paths []string   `json:"paths" doc:"What it is about; of many the first twenty."`
	To    string     `json:"to,omitempty" doc:"Where it leads."`
	State string     `json:"state" enum:"running,done,failed,cancelled"`
	// Cancelling is of one that is under way.
	Cancelling bool       `json:"cancelling,omitempty" doc:"Somebody cancelled it, and it is about to end."`
	Began      time.Time  `json:"began"`
	Ended      *time.Time `json:"ended,omitempty"`
	Seconds    int64      `json:"seconds" doc:"How long it took until now, or in all."`
	Size       int64      `json:"size" doc:"Octets so far."`
	Entries    int        `json:"entries" doc:"Files so far."`
	Problem    *Problem   `json:"problem,omitempty" doc:"Why it was not done."`
}

func (s *Server) fileJob(j *hosting.FileJob) FileJob {
	shown := FileJob{ID: j.ID, Do: j.Do, Paths: j.Paths, To: j.To, State: string(j.State), Cancelling: j.Cancel && j.State == hosting.JobRunning,
		Began: j.Began, Seconds: int64(j.Lasted(s.Now()).Seconds()), Size: j.Size, Entries: j.Entries}
	if shown.Paths == nil {
		shown.Paths = []string{}
	}
	if !j.Ended.IsZero() {
		shown.Ended = &j.Ended
	}
	if e := j.Problem; e != nil {
		shown.Problem = newProblem(e.Code, e.Message)
		shown.Problem.Mend = e.Mend
		if e.Code == hosting.Internal {
			shown.Problem.Detail, shown.Problem.Mend = "It failed, and the panel's log says why.", "Look at what is there, and try again."
		}
	}
	return shown
}

// FileJobPath is an operation on one of them.
type FileJobPath struct {
	SitePath
	Change hosting.ID `path:"change" maxLength:"100" doc:"The id of a long change of files."`
}

func (s *Server) listFileJobs(ctx context.Context, a hosting.Actor, in *SitePath) (*answer[List[FileJob]], error) {
	all, err := s.rules(ctx).FileJobs(ctx, a, in.Site)
	if err != nil {
		return nil, err
	}
	return whole(all, s.fileJob), nil
}

func (s *Server) getFileJob(ctx context.Context, a hosting.Actor, in *FileJobPath) (*answer[FileJob], error) {
	return s.oneFileJob(s.rules(ctx).FileJob(ctx, a, in.Site, in.Change))
}

func (s *Server) cancelFileJob(ctx context.Context, a hosting.Actor, in *FileJobPath) (*answer[FileJob], error) {
	return s.oneFileJob(s.rules(ctx).CancelFileJob(ctx, a, in.Site, in.Change))
}

func (s *Server) oneFileJob(j *hosting.FileJob, err error) (*answer[FileJob], error) {
	if err != nil {
		return nil, err
	}
	return &answer[FileJob]{s.fileJob(j)}, nil
}

// LateDeed is a change of a site's files that may take long.
type LateDeed struct {
	SitePath
	Prefer string `header:"Prefer" maxLength:"1000" doc:"respond-async answers at once with 202 and where its progress is shown, or after as many seconds as wait=N says (RFC 7240); otherwise the answer comes at its end." example:"respond-async, wait=5"`
}

// patience is how long the end is waited for; see [hosting.SiteFiles].
func (d LateDeed) patience() time.Duration {
	async, wait := preferences(d.Prefer)
	if !async {
		return 0
	}
	if wait == 0 {
		return hosting.NoWait
	}
	return wait
}

// preferences reads those of a header Prefer that are known here; the first of a name
// counts, and what can't be read is as if it were not there (RFC 7240 section 2).
func preferences(header string) (async bool, wait time.Duration) {
	waits := false
	for one := range strings.SplitSeq(header, ",") {
		name, _, _ := strings.Cut(one, ";") // no parameter means something here
		name, value, _ := strings.Cut(name, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "respond-async":
			async = true
		case "wait":
			seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31)
			if !waits && err == nil {
				waits, wait = true, min(time.Duration(seconds)*time.Second, longest)
			}
		}
	}
	return async, wait
}

// accepted is the answer to who does not wait for the end of what goes on. The library
// takes answers with a status of their own for errors.
type accepted struct {
	FileJob

	site string
}

func (s *Server) accepted(g *hosting.Going) *accepted {
	return &accepted{s.fileJob(&g.Job), g.Job.Site}
}

// Error implements error.
func (*accepted) Error() string { return "it goes on" }

// GetStatus implements huma.StatusError.
func (*accepted) GetStatus() int { return http.StatusAccepted }

// GetHeaders implements huma.HeadersError.
func (a *accepted) GetHeaders() http.Header {
	return http.Header{
		"Location":           {Prefix + "/sites/" + url.PathEscape(a.site) + "/files/jobs/" + url.PathEscape(string(a.ID))},
		"Preference-Applied": {"respond-async"},
	}
}
