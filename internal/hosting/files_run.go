package hosting

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"kubepanel.io/kubepanel/internal/orders"
)

const (
	// jobLook is how often a panel looks whether somebody wants its job to end, jobNote how
	// often at most it writes down how far that is, and jobBeat how often at least.
	jobLook = time.Second
	jobNote = 2 * time.Second
	jobBeat = 10 * time.Second
	// jobTries is how often it is tried to write down how a job ended.
	jobTries = 5
)

// Causes for which a job is ended before it is done.
var (
	errCancelled = errors.New("somebody cancelled it")
	errTooLong   = errors.New("it took too long")
	errReplaced  = errors.New("its panel ends")
)

// Who waits for a job and who carries it out find out by this which of them is first.
const (
	jobWaited int32 = iota
	jobLeft         // nobody waits any more
	jobOver         // it ended while somebody waited
)

// fileRun is a job on the panel that carries it out.
type fileRun struct {
	*FileJob

	files *SiteFiles
	end   context.CancelCauseFunc
	turn  atomic.Int32

	// over is closed at the end; what came of it can be read then.
	over   chan struct{}
	answer orders.Answer
	err    error

	mu      sync.Mutex
	size    int64
	entries int
}

// late does an order to its end, whoever goes away, within longestDeed. Who waits for it
// hears how it ended, or after f.Wait that it goes on: Going. With NoWait that is said even
// of one that is over by then, so that who asked always finds it in the same place.
func (f *SiteFiles) late(ctx context.Context, o orders.Order, deed FileDeed) (orders.Answer, error) {
	job, err := f.begin(ctx, deed)
	if err != nil {
		return orders.Answer{}, err
	}
	begun := *job
	bound, done := context.WithTimeoutCause(context.WithoutCancel(ctx), longestDeed, errTooLong)
	whole, end := context.WithCancelCause(bound)
	r := &fileRun{FileJob: job, files: f, end: end, over: make(chan struct{})}
	left := f.Wait == NoWait
	if left {
		r.turn.Store(jobLeft)
	}
	f.rules.FileRuns.add(r)
	go func() {
		defer done()
		defer end(nil)
		defer f.rules.FileRuns.remove(r)
		r.run(whole, o)
	}()
	if left {
		return orders.Answer{}, &Going{begun}
	}
	return r.await(ctx, &Going{begun})
}

// await waits for the end, as long as who asked does.
func (r *fileRun) await(ctx context.Context, going *Going) (orders.Answer, error) {
	var late <-chan time.Time
	if r.files.Wait > 0 {
		timer := time.NewTimer(r.files.Wait)
		defer timer.Stop()
		late = timer.C
	}
	var left error
	select {
	case <-r.over:
		return r.answer, r.err
	case <-late:
		left = going
	case <-ctx.Done():
		left = ctx.Err()
	}
	if r.turn.CompareAndSwap(jobWaited, jobLeft) {
		return orders.Answer{}, left
	}
	<-r.over // it ended just now
	return r.answer, r.err
}

// run carries the order out, and notes how it ended.
func (r *fileRun) run(ctx context.Context, o orders.Order) {
	defer close(r.over)
	visit := *r.files
	visit.visit.Hear = r.hear
	watching, enough := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { r.watch(watching) })
	answer, err := visit.order(ctx, o, nil, nil)
	enough()
	watch.Wait()
	r.hear(answer)
	r.answer, r.err = answer, early(ctx, err)
	waited := r.turn.CompareAndSwap(jobWaited, jobOver)
	fault := r.note(context.WithoutCancel(ctx), waited)
	if !waited && r.err != nil && CodeOf(r.err) == Internal {
		fault = errors.Join(r.err, fault)
	}
	if tell := r.files.rules.FileFault; fault != nil && tell != nil {
		tell(r.Site, fault)
	}
}

// early says why a job ended that was not let go on to its end.
func early(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case err == nil:
		return nil
	case errors.Is(cause, errCancelled):
		return &Error{Code: Conflict, Message: "It was cancelled.", Mend: "What was whole by then stays, and nothing half done.", Err: cause}
	case errors.Is(cause, errReplaced):
		return died(cause)
	case errors.Is(cause, errTooLong):
		return &Error{Code: Timeout, Message: "It took longer than an hour, and was ended.", Mend: "Do it in parts, or over SSH.", Err: cause}
	}
	return err
}

// hear keeps how far it is.
func (r *fileRun) hear(a orders.Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.size, r.entries = max(r.size, a.Size), max(r.entries, a.Entries)
}

// heard takes over how far it is, and tells whether that is further than before.
func (r *fileRun) heard() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	further := r.size != r.Size || r.entries != r.Entries
	r.Size, r.Entries = r.size, r.entries
	return further
}

// watch writes down how far the job is, and ends it when somebody wants that, until ctx
// ends. A database that is away keeps no job from its end.
func (r *fileRun) watch(ctx context.Context) {
	look := time.NewTicker(jobLook)
	defer look.Stop()
	rules, noted := r.files.rules, time.Now().Add(-jobNote) // the first look tells of it
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		now, err := rules.Store.FileJob(ctx, r.Site, r.ID)
		if CodeOf(err) == NotFound || err == nil && now.Cancel {
			r.end(errCancelled) // also by who deleted the site
			return
		}
		since := time.Since(noted)
		if since < jobNote || !r.heard() && since < jobBeat {
			continue
		}
		r.Beat = rules.Now()
		if rules.Store.Write(ctx, func(tx Tx) error { return tx.UpdateFileJob(ctx, r.FileJob) }) == nil {
			noted = time.Now()
		}
	}
}

// note keeps how a job ended, or forgets one whose end somebody waited for.
func (r *fileRun) note(ctx context.Context, waited bool) error {
	r.heard()
	rules := r.files.rules
	r.Ended, r.State = rules.Now(), JobDone
	r.Beat = r.Ended
	if r.err != nil {
		r.State, r.Problem = JobFailed, &Error{Code: Internal}
	}
	if e, ok := asAnswer(r.err); ok {
		r.Problem = e
	}
	if errors.Is(r.err, errCancelled) {
		r.State = JobCancelled
	}
	put := func(ctx context.Context) error {
		within, done := context.WithTimeout(ctx, noteTimeout)
		defer done()
		return rules.Store.Write(within, func(tx Tx) error {
			if waited {
				return tx.DeleteFileJob(within, r.ID)
			}
			return tx.UpdateFileJob(within, r.FileJob)
		})
	}
	for try := 1; ; try++ {
		err := put(ctx)
		switch {
		case err == nil, CodeOf(err) == NotFound: // it went with its site
			return nil
		case try == jobTries:
			return err
		}
		time.Sleep(jobLook)
	}
}
