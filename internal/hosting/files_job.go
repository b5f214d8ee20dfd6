package hosting

import (
	"context"
	"slices"
	"time"

	"kubepanel.io/kubepanel/internal/orders"
)

const (
	// jobsAtOnce bounds the jobs that are under way in one site, and of one account, on all
	// panels together. The door takes some more orders, so that files can be looked at
	// meanwhile.
	jobsAtOnce = 3
	// FileJobsKept is how long it can be read how a job ended, jobsKept how many of a site.
	FileJobsKept = 24 * time.Hour
	jobsKept     = 10
	// jobDead is how long a job without a sign of life is taken for one that goes on: some
	// beats, and what clocks of nodes may differ by.
	jobDead = 45 * time.Second
)

// JobState is how a job is.
type JobState string

// States of jobs.
const (
	JobRunning   JobState = "running"
	JobDone      JobState = "done"
	JobFailed    JobState = "failed"
	JobCancelled JobState = "cancelled"
)

// FileJob is a change of a site's files that may take long: what is done, how far it is,
// and in the end how it went. Every panel sees it; one carries it out, and it ends with
// that one.
type FileJob struct {
	ID   ID
	Site string
	// Account is whose it counts as.
	Account ID
	// Do, Paths and To are the order's; see package orders. Of many paths there are the
	// first.
	Do    string
	Paths []string
	To    string
	// Began and Ended are when; Ended is zero while it is under way. Beat is its last sign
	// of life.
	Began, Beat, Ended time.Time
	State              JobState
	// Cancel: somebody wants it to end.
	Cancel bool
	// Size is how many octets were moved so far, Entries how many files.
	Size    int64
	Entries int
	// Problem is what went wrong; nil for nothing. One that is Internal says no more.
	Problem *Error
}

// Lasted is how long a job took until now, or in all.
func (j *FileJob) Lasted(now time.Time) time.Duration {
	if !j.Ended.IsZero() {
		now = j.Ended
	}
	return max(now.Sub(j.Began), 0)
}

// FileJobReader reads jobs.
type FileJobReader interface {
	FileJob(ctx context.Context, site string, id ID) (*FileJob, error)
	// FileJobs returns those of a site, the newest first.
	FileJobs(ctx context.Context, site string) ([]FileJob, error)
	// CountFileJobs returns how many are under way in a site, and how many of an account
	// anywhere; what gave its last sign of life before since is not.
	CountFileJobs(ctx context.Context, site string, account ID, since time.Time) (inSite, own int64, err error)
}

// FileJobWriter writes jobs.
type FileJobWriter interface {
	InsertFileJob(ctx context.Context, j *FileJob) error
	// UpdateFileJob keeps Beat, Ended, State, Size, Entries and Problem.
	UpdateFileJob(ctx context.Context, j *FileJob) error
	// CancelFileJob has the panel that carries it out end it.
	CancelFileJob(ctx context.Context, id ID) error
	DeleteFileJob(ctx context.Context, id ID) error
	// PruneFileJobs forgets jobs of a site that ended, or died before dead, but for the
	// newest.
	PruneFileJobs(ctx context.Context, site string, keep int, dead time.Time) error
}

// Going says that a change goes on although who asked waits no longer.
type Going struct{ Job FileJob }

// Error implements error.
func (*Going) Error() string { return "the change of files goes on" }

// lengthy tells whether an order may take long.
func lengthy(o orders.Order) bool {
	return slices.Contains([]string{orders.Copy, orders.Pack, orders.Unpack, orders.Empty}, o.Do)
}

// FileJobs are the long changes of a site's files that are under way on any panel, and
// those that ended within a day without somebody waiting for them; the newest first.
func (p *Provider) FileJobs(ctx context.Context, a Actor, site string) ([]FileJob, error) {
	s, err := p.site(ctx, a, RightSiteFiles, site)
	if err != nil {
		return nil, err
	}
	return p.fileJobs(ctx, s.Name)
}

// Jobs are the same for who has the site's files open.
func (f *SiteFiles) Jobs(ctx context.Context) ([]FileJob, error) {
	return f.rules.fileJobs(ctx, f.site.Name)
}

func (p *Provider) fileJobs(ctx context.Context, site string) ([]FileJob, error) {
	all, err := p.Store.FileJobs(ctx, site)
	now := p.Now()
	for i := range all {
		all[i].bury(now)
	}
	return all, err
}

// FileJob is one of them.
func (p *Provider) FileJob(ctx context.Context, a Actor, site string, id ID) (*FileJob, error) {
	s, err := p.site(ctx, a, RightSiteFiles, site)
	if err != nil {
		return nil, err
	}
	return p.fileJob(ctx, p.Store, s.Name, id)
}

func (p *Provider) fileJob(ctx context.Context, from FileJobReader, site string, id ID) (*FileJob, error) {
	j, err := from.FileJob(ctx, site, id)
	if CodeOf(err) == NotFound {
		return nil, &Error{Code: NotFound, Message: "There is no such change of files.", Mend: "Of what has ended the last ten are kept, for a day."}
	}
	if err != nil {
		return nil, err
	}
	j.bury(p.Now())
	return j, nil
}

// CancelFileJob has a job end, whichever panel carries it out, and returns how it is: it
// goes on for a second or two. One that has ended stays as it is.
func (p *Provider) CancelFileJob(ctx context.Context, a Actor, site string, id ID) (*FileJob, error) {
	s, err := p.site(ctx, a, RightSiteFiles, site)
	if err != nil {
		return nil, err
	}
	var job *FileJob
	err = p.write(ctx, a, func(tx Tx) (change, error) {
		if job, err = p.fileJob(ctx, tx, s.Name, id); err != nil || job.State != JobRunning || job.Cancel {
			return change{}, err
		}
		job.Cancel = true
		return change{did: RightSiteFiles, object: s.Name, on: s.On(), after: FileDeed{Do: "cancel-" + job.Do, Paths: job.Paths, To: job.To}}, tx.CancelFileJob(ctx, id)
	})
	return job, err
}

// bury tells of a job that gives no more signs of life that its panel died with it. The
// toolbox heard of that at once, and removed what was half done.
func (j *FileJob) bury(now time.Time) {
	if j.State == JobRunning && now.Sub(j.Beat) > jobDead {
		j.State, j.Ended = JobFailed, j.Beat
		j.Problem = died(nil)
	}
}

// died says of a job that its panel is no more.
func died(cause error) *Error {
	return &Error{Code: Unreachable, Message: "It ended with the panel that did it, which was replaced or died.",
		Mend: "Nothing half done was left. Look at what is there, and begin it again.", Err: cause}
}

// begin enters a job in the transaction that notes it in the trail, unless there are too
// many.
func (f *SiteFiles) begin(ctx context.Context, deed FileDeed) (*FileJob, error) {
	now := f.rules.Now()
	job := &FileJob{ID: NewID(), Site: f.site.Name, Account: f.visit.Account, Do: deed.Do, Paths: deed.Paths, To: deed.To, Began: now, Beat: now, State: JobRunning}
	return job, f.rules.write(ctx, f.actor, func(tx Tx) (change, error) {
		inSite, own, err := tx.CountFileJobs(ctx, job.Site, job.Account, now.Add(-jobDead))
		if err != nil {
			return change{}, err
		}
		if max(inSite, own) >= jobsAtOnce {
			return change{}, &Error{Code: Limited, Message: "Three long changes of files are under way already, in this site or of yours.", Mend: "Wait until one of them has ended, or cancel one, and try again."}
		}
		if err := tx.PruneFileJobs(ctx, job.Site, jobsKept, now.Add(-jobDead)); err != nil {
			return change{}, err
		}
		return change{did: RightSiteFiles, object: f.site.Name, on: f.site.On(), after: deed}, tx.InsertFileJob(ctx, job)
	})
}
