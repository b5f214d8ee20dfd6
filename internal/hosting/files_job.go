package hosting

import (
	"context"
	"slices"
	"sync"
	"time"

	"kubepanel.io/kubepanel/internal/orders"
)

const (
	// jobsAtOnce bounds the jobs that are under way in one site, and of one account. The
	// door takes some more orders, so that files can be looked at meanwhile.
	jobsAtOnce = 3
	// jobKept is how long it can be seen how a job ended, jobsKept how many of a site can.
	jobKept  = 10 * time.Minute
	jobsKept = 10
)

// FileJob is a change of a site's files that may take long: what is done, how far it is,
// and in the end how it went.
type FileJob struct {
	ID ID
	// Do, Paths and To are the order's; see package orders.
	Do    string
	Paths []string
	To    string
	// Began and Ended are when; Ended is zero while it is under way.
	Began, Ended time.Time
	// Size is how many octets were moved so far, Entries how many files.
	Size    int64
	Entries int
	// Err is what went wrong.
	Err error

	account ID
}

// Going says that a change goes on although who asked waits no longer.
type Going struct{ Job ID }

// Error implements error.
func (*Going) Error() string { return "the change of files goes on" }

// FileJobs are those of this panel: another one does not know them, and they end with it.
type FileJobs struct {
	// Fault hears of a job that failed for a reason that is nobody's but ours, once nobody
	// waits for it.
	Fault func(site string, err error)

	mu    sync.Mutex
	sites map[string][]*FileJob // by the site's object, the newest first
}

// lengthy tells whether an order may take long.
func lengthy(o orders.Order) bool {
	return slices.Contains([]string{orders.Copy, orders.Pack, orders.Unpack, orders.Empty}, o.Do)
}

// begin enters a job, unless there are too many.
func (j *FileJobs) begin(object string, job *FileJob) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	inSite, own := 0, 0
	for at, jobs := range j.sites {
		for _, other := range jobs {
			if !other.Ended.IsZero() {
				continue
			}
			if at == object {
				inSite++
			}
			if other.account == job.account {
				own++
			}
		}
	}
	if max(inSite, own) >= jobsAtOnce {
		return &Error{Code: Limited, Message: "Three long changes of files are under way already, in this site or of yours.", Mend: "Wait until one of them has ended, and try again."}
	}
	if j.sites == nil {
		j.sites = map[string][]*FileJob{}
	}
	for at := range j.sites {
		j.forget(at, job.Began)
	}
	j.sites[object] = append([]*FileJob{job}, j.sites[object]...)
	return nil
}

// forget leaves out a site's jobs that ended long ago, or that are too many.
func (j *FileJobs) forget(object string, now time.Time) {
	ended := 0
	kept := slices.DeleteFunc(j.sites[object], func(job *FileJob) bool {
		if job.Ended.IsZero() {
			return false
		}
		ended++
		return ended > jobsKept || now.Sub(job.Ended) > jobKept
	})
	if len(kept) == 0 {
		delete(j.sites, object)
		return
	}
	j.sites[object] = kept
}

// change changes a job while nobody reads it.
func (j *FileJobs) change(do func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	do()
}

// drop forgets a job.
func (j *FileJobs) drop(object string, job *FileJob) {
	j.change(func() {
		j.sites[object] = slices.DeleteFunc(j.sites[object], func(other *FileJob) bool { return other == job })
	})
}

// Jobs are the long changes of the site's files that this panel has under way, and those
// that ended in the last ten minutes without somebody waiting for them; the newest first.
func (f *SiteFiles) Jobs() []FileJob {
	j := f.rules.FileJobs
	if j == nil {
		return nil
	}
	var all []FileJob
	j.change(func() {
		j.forget(f.site.Object, f.rules.Now())
		for _, job := range j.sites[f.site.Object] {
			all = append(all, *job)
		}
	})
	return all
}

// late does an order to its end, whoever goes away, within longestDeed. Who waits for it
// hears how it ended, or after f.Wait that it goes on: Going.
func (f *SiteFiles) late(ctx context.Context, o orders.Order, deed FileDeed) (orders.Answer, error) {
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestDeed)
	j := f.rules.FileJobs
	if j == nil || !lengthy(o) {
		defer cancel()
		return f.order(whole, o, nil, nil)
	}
	job := &FileJob{ID: NewID(), Do: deed.Do, Paths: deed.Paths, To: deed.To, Began: f.rules.Now(), account: f.visit.Account}
	if err := j.begin(f.site.Object, job); err != nil {
		cancel()
		return orders.Answer{}, err
	}
	var answer orders.Answer
	ended := make(chan struct{})
	left := make(chan bool, 1) // whether nobody waits any more
	visit := *f
	visit.visit.Hear = func(a orders.Answer) { j.change(func() { job.Size, job.Entries = a.Size, a.Entries }) }
	go func() {
		defer cancel()
		a, err := visit.order(whole, o, nil, nil)
		j.change(func() {
			answer = a
			job.Size, job.Entries, job.Err, job.Ended = max(job.Size, a.Size), max(job.Entries, a.Entries), err, f.rules.Now()
		})
		close(ended)
		if <-left && err != nil && CodeOf(err) == Internal && j.Fault != nil {
			j.Fault(f.site.Name, err)
		}
	}()
	var over <-chan time.Time
	if f.Wait > 0 {
		timer := time.NewTimer(f.Wait)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-ended:
		left <- false
		j.drop(f.site.Object, job)
		return answer, job.Err
	case <-over:
		left <- true
		return orders.Answer{}, &Going{job.ID}
	case <-ctx.Done():
		left <- true
		return orders.Answer{}, ctx.Err()
	}
}
