package web

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"time"

	"github.com/a-h/templ"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/orders"
)

// fileJobs is the part of a page that shows what is done to a site's files just now.
type fileJobs struct {
	sitePage

	Jobs []hosting.FileJob
}

// jobsOf is that part of a page.
func jobsOf(page sitePage, jobs []hosting.FileJob) templ.Component {
	return fileJobs{page, jobs}.view()
}

// jobShown is how long a page shows how a job ended; the API tells of it for a day.
const jobShown = 10 * time.Minute

// shownJobs are the jobs that are under way, and those that ended lately.
func shownJobs(ctx context.Context, files *hosting.SiteFiles, now time.Time) ([]hosting.FileJob, error) {
	all, err := files.Jobs(ctx)
	return slices.DeleteFunc(all, func(j hosting.FileJob) bool { return !j.Ended.IsZero() && now.Sub(j.Ended) > jobShown }), err
}

// fileJobs is that part alone, which asks for itself again while something is under way.
func (s *Server) fileJobs(w http.ResponseWriter, r *http.Request) error {
	page, files, why, err := s.filesOf(r)
	if err != nil {
		return err
	}
	p := fileJobs{sitePage: page}
	if why == nil {
		if p.Jobs, err = shownJobs(r.Context(), files, s.Now()); err != nil {
			return err
		}
	}
	return show(w, r, http.StatusOK, p.view())
}

// cancelFileJob has what is under way end, and shows where it would have led.
func (s *Server) cancelFileJob(w http.ResponseWriter, r *http.Request) error {
	j, err := s.Rules.CancelFileJob(r.Context(), actor(r.Context()), r.PathValue("site"), hosting.ID(r.PathValue("change")))
	if err != nil {
		return err
	}
	switch j.Do {
	case orders.Copy:
		return seeOther(w, r, filesURL(j.Site, "", j.To))
	case orders.Empty:
		return seeOther(w, r, filesURL(j.Site, "/trash", "/"))
	}
	return seeOther(w, r, filesURL(j.Site, "", path.Dir(j.To)))
}

// Moving tells whether something is under way.
func (p fileJobs) Moving() bool {
	return slices.ContainsFunc(p.Jobs, func(j hosting.FileJob) bool { return j.Ended.IsZero() })
}

// state is how a job is, as steps show it.
func (fileJobs) state(j hosting.FileJob) hosting.State {
	switch {
	case j.Ended.IsZero():
		return hosting.StateRunning
	case j.Problem != nil:
		return hosting.StateStalled
	}
	return hosting.StateDone
}

// name says what a job does.
func (p fileJobs) name(j hosting.FileJob) string {
	switch j.Do {
	case orders.Copy:
		return p.T("Copy into %s", j.To)
	case orders.Pack:
		return p.T("Archive %s", j.To)
	case orders.Unpack:
		return p.T("Unpack %s", j.Paths[0])
	}
	return p.T("Empty the trash")
}

// said tells how far a job is, or how it ended.
func (p fileJobs) said(j hosting.FileJob) string {
	switch {
	case j.Ended.IsZero() && j.Cancel:
		return p.T("It is being cancelled.")
	case j.Ended.IsZero() && j.Size == 0 && j.Entries == 0:
		return ""
	case j.Ended.IsZero():
		return p.T("Files so far: %d, %s", j.Entries, bytesText(j.Size))
	case j.Problem == nil:
		return p.deed(map[string]string{orders.Copy: "copied", orders.Pack: "packed", orders.Unpack: "unpacked", orders.Empty: "emptied"}[j.Do])
	}
	if j.Problem.Code != hosting.Internal {
		return words(p.Locale, j.Problem)
	}
	return p.T("It failed, and the panel's log says why. Look at what is there, and try again.")
}

// leads is where a job's outcome is.
func (p fileJobs) leads(j hosting.FileJob) string {
	switch j.Do {
	case orders.Pack:
		return filesURL(p.Row.Name, "", path.Dir(j.To))
	case orders.Empty:
		return filesURL(p.Row.Name, "/trash", "/")
	}
	return filesURL(p.Row.Name, "", j.To)
}

// lasted is how long a job took until now, or in all: minutes and seconds.
func (p fileJobs) lasted(j hosting.FileJob) string {
	const minute = 60
	seconds := int(j.Lasted(p.now).Seconds())
	return fmt.Sprintf("%d:%02d", seconds/minute, seconds%minute)
}
