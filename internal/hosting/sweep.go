package hosting

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"kubepanel.io/kubepanel/internal/orders"
)

// SiteSweep is how far the panel came in looking through a site's files. Instants of the
// site's own clock are nanoseconds since 1970.
type SiteSweep struct {
	Site string
	// Holder looks through it until Leased; "" is nobody.
	Holder string
	Leased time.Time
	NextAt time.Time
	// Since: all that changed before was looked at, by the site's clock.
	Since int64
	// Began is when the walk under way began, by the site's clock; 0 for none. After is how
	// far it came, and Tries how often it failed there.
	Began int64
	After []byte
	Tries int64
	// Whole: the walk under way, or the next, looks at everything. Asked: somebody wants one
	// that does, after the one under way.
	Whole, Asked bool
	// WholeAt is when the last of those began, with what the scanner knew then.
	WholeAt    time.Time
	Signatures string
	// EndedAt is when the last walk ended; zero for never.
	EndedAt time.Time
	// Of the walk under way, or the last one: files that were looked at, that are harmful,
	// and that could not be looked at.
	Looked, Found, Skipped int64
	Fault                  SweepFault
}

// SweepFault is why a walk does not go on; "" for that it does.
type SweepFault string

// Faults of walks.
const (
	SweepScanner SweepFault = "scanner" // it can't be reached, or does not answer
	SweepSite    SweepFault = "site"    // the site's file server does not answer
	SweepClosed  SweepFault = "closed"  // the site is suspended, or SFTP is off
	SweepOld     SweepFault = "old"     // the site's tools know no walks
)

// SweepReader reads how far sites were looked through, and what was found.
type SweepReader interface {
	// SiteSweep returns the zero state of a site that was never looked at.
	SiteSweep(ctx context.Context, site string) (*SiteSweep, error)
	// DueSweeps returns sites that are to be looked through at a time and that nobody does,
	// those first that have waited longest.
	DueSweeps(ctx context.Context, at time.Time, limit int) ([]string, error)
	// Sweeping returns how many sites are being looked through.
	Sweeping(ctx context.Context, at time.Time) (int64, error)
	// SweepsBehind returns how many sites were to be looked through before a time.
	SweepsBehind(ctx context.Context, since time.Time) (int64, error)
	Finding(ctx context.Context, site string, id ID) (*Finding, error)
	// Findings returns those of a site, the newest first.
	Findings(ctx context.Context, q FindingQuery) ([]Finding, error)
	// Exempt tells whether somebody restored a file with that content.
	Exempt(ctx context.Context, site, sum string) (bool, error)
	// CountFindings returns how many there are of each site but for those that were restored.
	CountFindings(ctx context.Context, sites []string) (map[string]int64, error)
}

// SweepWriter writes them.
type SweepWriter interface {
	PutSweep(ctx context.Context, s *SiteSweep) error
	InsertFinding(ctx context.Context, f *Finding) error
	// UpdateFinding keeps State, Fault and Until.
	UpdateFinding(ctx context.Context, f *Finding) error
	DeleteFinding(ctx context.Context, id ID) error
	// ExpireFindings forgets those of a site that were removed from quarantine by now.
	ExpireFindings(ctx context.Context, site string, now time.Time) error
}

// FindingState is what became of a harmful file.
type FindingState string

// States of findings.
const (
	FindingPresent     FindingState = "present"     // it is still there
	FindingQuarantined FindingState = "quarantined" // it lies where nobody opens it
	FindingRestored    FindingState = "restored"    // somebody took it for harmless
)

// FindingQuery asks for a part of what was found in a site.
type FindingQuery struct {
	Site  string
	State FindingState // "" for any
	After ID           // the last of the page before; "" for the first
	Limit int
}

// Finding is a file that the scanner knows as harmful.
type Finding struct {
	ID   ID
	Site string
	// Path is octets, as Linux has them.
	Path []byte
	// Found is what the scanner calls it, Sum the SHA-256 of the content.
	Found, Sum string
	Mark       orders.Mark
	Mode       uint32
	State      FindingState
	// Fault is why it is still there; "" where it is to be.
	Fault   string
	FoundAt time.Time
	// Until is when it is removed from quarantine for good; zero: never by itself.
	Until time.Time
}

const (
	// sweepsAtOnce is how many sites are looked through at once, by all panels together. Each
	// has one file with the scanner, whose four places are people's first.
	sweepsAtOnce = 2
	// sweepSlice is how long one site is looked through before others have their turn, and
	// sweepLease how long its panel has before another takes it for dead: longer than a slice
	// with a last file.
	sweepSlice = 5 * time.Minute
	sweepLease = 15 * time.Minute
	fileTime   = 6 * time.Minute
	// sweepAgain is when what failed is tried again.
	sweepAgain = 5 * time.Minute
	// sweepOverlap is how far behind the beginning of a walk the next one looks. It covers a
	// clock that another node has, a program that writes through a mapping (Linux notes that
	// some seconds late), and a folder that is unpacked in one place and moved to another
	// while a walk is between them.
	sweepOverlap = 10 * time.Minute
	// wholeEvery is how often everything is looked at anew, if the scanner has learned since:
	// ClamAV's signatures change daily, and each time all files of all sites are read.
	wholeEvery = 7 * 24 * time.Hour
	// sweepTries is how often a file that the scanner fails at is tried before it is passed.
	sweepTries = 3
	// stretchFiles is how many files one order names.
	stretchFiles = 100
	// maxStretchSize bounds what a site may answer then, in octets: more than that many paths take.
	maxStretchSize = 4 << 20
)

// Swept is what one turn of looking through sites came to.
type Swept struct {
	Site                   string
	Looked, Found, Skipped int64
}

// Sweep looks through the files of one site that is due, for at most some minutes, and
// moves what is harmful into quarantine. It returns nil when no site is due, and does
// nothing where no files are looked at. It may run anywhere any number of times: one
// panel at a time has a site.
func (p *Provider) Sweep(ctx context.Context) (*Swept, error) {
	if p.Scanning == nil || p.Scanning.Every <= 0 || p.Door == nil {
		return nil, nil //nolint:nilnil // nothing to do
	}
	// Most of the time there is none, which costs no transaction.
	if due, err := p.Store.DueSweeps(ctx, p.Now(), 1); err != nil || len(due) == 0 {
		return nil, err
	}
	signatures, err := p.Scanning.Scanner.Version(ctx)
	if err != nil { // nothing is begun that could not go on
		return nil, fmt.Errorf("ask the scanner what it knows: %w", err)
	}
	state, err := p.claimSweep(ctx)
	if err != nil || state == nil {
		return nil, err
	}
	w := &sweep{SiteSweep: state, rules: p, signatures: signatures, until: p.Now().Add(sweepSlice)}
	err = w.run(ctx)
	// What was done is noted also when the panel is told to stop.
	after, done := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer done()
	return &w.swept, errors.Join(err, w.leave(after))
}

// SweepsBehind returns how many sites have waited for longer than the time between two
// looks.
func (p *Provider) SweepsBehind(ctx context.Context) (int64, error) {
	return p.Store.SweepsBehind(ctx, p.Now().Add(-p.Scanning.Every))
}

// claimSweep takes a site that is due; nil for none.
func (p *Provider) claimSweep(ctx context.Context) (*SiteSweep, error) {
	var taken *SiteSweep
	err := p.Store.Write(ctx, func(tx Tx) error {
		taken = nil
		now := p.Now()
		if n, err := tx.Sweeping(ctx, now); err != nil || n >= sweepsAtOnce {
			return err
		}
		due, err := tx.DueSweeps(ctx, now, 1)
		if err != nil || len(due) == 0 {
			return err
		}
		s, err := tx.SiteSweep(ctx, due[0])
		if err != nil {
			return err
		}
		if err := tx.ExpireFindings(ctx, s.Site, now); err != nil {
			return err
		}
		s.Holder, s.Leased = rand.Text(), now.Add(sweepLease)
		if s.Began == 0 && s.Asked { // the walk that begins now is the one
			s.Whole, s.Asked = true, false
		}
		taken = s
		return tx.PutSweep(ctx, s)
	})
	return taken, err
}

// sweep is one turn at one site.
type sweep struct {
	*SiteSweep

	rules      *Provider
	site       *OwnedSite
	signatures string
	until      time.Time // when others have their turn
	swept      Swept
	present    map[string]Finding // harmful files that are still there, by path
	open       int64              // how many findings the site has
	news       []news
}

// errTaken says that another panel has the site.
var errTaken = errors.New("it took longer than its lease")

// run looks through a site until all is looked at, or others have their turn. What it
// can't go on for is in Fault.
func (w *sweep) run(ctx context.Context) (err error) {
	w.swept.Site = w.Site
	if w.site, err = w.rules.Store.OwnedSite(ctx, w.Site); err == nil {
		err = w.rules.look(ctx, w.site)
	}
	if err != nil {
		return w.fail(ctx, err)
	}
	if closed(w.site.Domain) != nil {
		w.Fault, w.NextAt = SweepClosed, w.rules.Now().Add(w.every())
		return nil
	}
	w.NextAt = w.rules.Now() // behind others that are due
	w.Fault = ""
	if w.Began == 0 {
		w.begin()
	}
	if err := w.retry(ctx); err != nil {
		return w.fail(ctx, err)
	}
	for {
		ended, err := w.stretch(ctx)
		if err != nil {
			return w.fail(ctx, err)
		}
		if err := w.note(ctx); err != nil {
			return err
		}
		if ended || w.rules.Now().After(w.until) {
			return nil
		}
	}
}

// begin starts a new walk.
func (w *sweep) begin() {
	learned := w.signatures != w.Signatures && w.rules.Now().Sub(w.WholeAt) >= wholeEvery
	w.Whole = w.Whole || w.WholeAt.IsZero() || learned
	w.After, w.Tries = nil, 0
	w.Looked, w.Found, w.Skipped = 0, 0, 0
	if w.Whole {
		w.WholeAt, w.Signatures = w.rules.Now(), w.signatures
	}
}

// end closes a walk that saw everything.
func (w *sweep) end() {
	w.Since, w.Began, w.After, w.Whole = w.Began-int64(sweepOverlap), 0, nil, false
	w.EndedAt = w.rules.Now()
	w.NextAt = w.EndedAt.Add(w.every())
}

// every is the time up to the next walk: a little longer or shorter for each site, so that
// they spread and stay so.
func (w *sweep) every() time.Duration {
	const parts, tenth = 1 << 10, 10
	h := fnv.New32a()
	_, _ = h.Write([]byte(w.Site)) // never fails
	every := w.rules.Scanning.Every
	return every - every/tenth + 2*every/tenth*time.Duration(h.Sum32()%parts)/parts
}

// fail notes why a walk does not go on, and when it is to.
func (w *sweep) fail(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil // the panel ends: the site is due at once
	}
	w.NextAt = w.rules.Now().Add(sweepAgain)
	switch {
	case errors.Is(err, errOldTools):
		w.Fault, w.NextAt = SweepOld, w.rules.Now().Add(w.every())
	case errors.Is(err, errScanner):
		w.Fault = SweepScanner
		w.Tries++
	default:
		w.Fault = SweepSite
	}
	return fmt.Errorf("look through the files of %s: %w", w.Site, err)
}

// note keeps how far the walk came, and what was found since, in one transaction.
func (w *sweep) note(ctx context.Context) error {
	return w.save(ctx, w.Holder, w.Leased)
}

// leave gives the site back.
func (w *sweep) leave(ctx context.Context) error {
	err := w.save(ctx, "", time.Time{})
	if errors.Is(err, errTaken) {
		return nil // what was found meanwhile is found again by who has it now
	}
	return err
}

func (w *sweep) save(ctx context.Context, holder string, leased time.Time) error {
	err := w.rules.Store.Write(ctx, func(tx Tx) error {
		now, err := tx.SiteSweep(ctx, w.Site)
		if err != nil {
			return err
		}
		if now.Holder != w.Holder {
			return errTaken
		}
		for i := range w.news {
			if err := w.settle(ctx, tx, &w.news[i]); err != nil {
				return err
			}
		}
		if err := w.tell(ctx, tx); err != nil {
			return err
		}
		state := *w.SiteSweep
		state.Holder, state.Leased = holder, leased
		if state.Asked = now.Asked; state.Asked && state.Began == 0 { // meanwhile
			state.NextAt = w.rules.Now()
		}
		return tx.PutSweep(ctx, &state)
	})
	if err == nil {
		w.news = nil
	}
	return err
}
