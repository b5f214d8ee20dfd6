package hosting

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kubepanel.io/kubepanel/internal/orders"
)

// maxFindings is how many findings of one site are kept, some 40 MB of them, which a site
// that was broken into never has; maxPresent how many of files that are still there, since
// each is tried again in each turn. Whoever fills a site with more has them moved all the
// same, and the trail says how many.
const (
	maxFindings = 100_000
	maxPresent  = 1000
)

// What the trail says of harmful files: the panel's own doing, in the part of the site's
// owner.
const (
	didQuarantine Right = "file.quarantined"
	didFind       Right = "file.found"
)

// news is a finding that changed, and that nobody was told of yet.
type news struct {
	Finding

	kept  bool // the store has it
	gone  bool // it is there no more
	over  bool // it is still there, and more than that are kept of
	old   bool // that it is there was told before
	fresh bool // it was found in this walk
}

// part is what the file is called in quarantine.
func (f *Finding) part() string { return strings.ReplaceAll(string(f.ID), "-", "") }

// Shown is the path as a person can read it: nothing in it moves a terminal's cursor or
// turns the text around it.
func (f *Finding) Shown() string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return utf8.RuneError
		}
		return r
	}, showPath(string(f.Path)))
}

// retry goes on with harmful files that could not be moved, or that a panel that died was
// about to move.
func (w *sweep) retry(ctx context.Context) error {
	all, err := w.rules.Store.Findings(ctx, FindingQuery{Site: w.Site, State: FindingPresent, Limit: maxPresent})
	if err != nil {
		return err
	}
	count, err := w.rules.Store.CountFindings(ctx, []string{w.Site})
	if err != nil {
		return err
	}
	w.open, w.present = count[w.Site], map[string]Finding{}
	for _, f := range all {
		was := f
		there, err := w.move(ctx, &f)
		if err != nil {
			return err
		}
		if there && f.State == FindingPresent {
			w.present[string(f.Path)] = f
		}
		if !there || f.State != was.State || f.Fault != was.Fault {
			w.news = append(w.news, news{Finding: f, kept: true, gone: !there, old: f.State == FindingPresent})
		}
	}
	return nil
}

// move puts a harmful file into quarantine, or looks whether it is still there where
// harmful files stay. It returns false for one that is gone or changed: what it is now,
// the walk looks at.
func (w *sweep) move(ctx context.Context, f *Finding) (there bool, err error) {
	var code string
	if w.rules.Scanning.Report {
		code, err = w.order(ctx, orders.Order{Do: orders.Read, Octets: f.Path, Only: &f.Mark, Size: 1}, nil)
	} else {
		var thrown orders.Thrown
		code, err = w.ask(ctx, orders.Order{Do: orders.Quarantine, Octets: f.Path, Only: &f.Mark, Part: f.part()}, &thrown)
		if err == nil && code == "" {
			f.State, f.Until = FindingQuarantined, thrown.Until
		}
	}
	switch code {
	case orders.Missing, orders.Changed, orders.NotFolder, orders.NotFile:
		return false, err
	}
	f.Fault = code
	return true, err
}

// found takes a file that the scanner knows. It is written down before it is moved, so
// that whatever dies nothing lies in quarantine that nobody knows of.
func (w *sweep) found(ctx context.Context, file orders.ChangedFile, found, sum string) error {
	if was, known := w.present[string(file.Path)]; known && was.Mark == file.Mark {
		return nil // it was told, and can't be moved or is to stay
	}
	f := Finding{ID: NewID(), Site: w.Site, Path: file.Path, Found: found, Sum: sum, Mark: file.Mark, Mode: file.Mode,
		State: FindingPresent, FoundAt: w.rules.Now()}
	n := news{kept: w.open < maxFindings, fresh: true}
	if n.kept {
		if err := w.rules.Store.Write(ctx, func(tx Tx) error { return tx.InsertFinding(ctx, &f) }); err != nil {
			return err
		}
		w.open++
	}
	there, err := w.move(ctx, &f)
	n.Finding, n.gone = f, !there
	n.over = err == nil && there && f.State == FindingPresent && len(w.present) >= maxPresent
	w.news = append(w.news, n)
	if there {
		w.Found++
		w.swept.Found++
	}
	if there && f.State == FindingPresent && !n.over {
		w.present[string(f.Path)] = f
	}
	return err
}

// settle keeps what became of a finding.
func (w *sweep) settle(ctx context.Context, tx Tx, n *news) error {
	var err error
	switch {
	case !n.kept:
	case n.gone, n.over:
		err = tx.DeleteFinding(ctx, n.ID)
	default:
		err = tx.UpdateFinding(ctx, &n.Finding)
	}
	if CodeOf(err) == NotFound {
		return nil // somebody decided about it meanwhile
	}
	return err
}

// tell leaves a line in the trail for what was moved since the last note, and one for
// what was found and stays.
func (w *sweep) tell(ctx context.Context, tx Tx) error {
	if err := w.tellOf(ctx, tx, didQuarantine, FindingQuarantined); err != nil {
		return err
	}
	if err := w.tellOf(ctx, tx, didFind, FindingPresent); err != nil {
		return err
	}
	return w.mail(ctx, tx)
}

// harmfulMailLife is how long it is tried to tell an owner.
const harmfulMailLife = 3 * 24 * time.Hour

// mail tells the site's owner of what was found, once in a walk.
func (w *sweep) mail(ctx context.Context, tx Tx) error {
	var first int64
	for i := range w.news {
		if w.news[i].fresh && !w.news[i].gone {
			first++
		}
	}
	if !w.rules.Mails || first == 0 || w.Found > first {
		return nil
	}
	now := w.rules.Now()
	return tx.InsertMail(ctx, &Mail{ID: NewID(), Kind: MailHarmful, To: w.Site, User: w.site.Owner, CreatedAt: now, NextAt: now, ExpiresAt: now.Add(harmfulMailLife)})
}

func (w *sweep) tellOf(ctx context.Context, tx Tx, did Right, state FindingState) error {
	deed := FileDeed{Do: string(state)}
	var known []string
	for i := range w.news {
		n := &w.news[i]
		switch {
		case n.gone || n.old || n.State != state:
			continue
		case len(deed.Paths) == maxNoted:
			deed.More++
			continue
		}
		deed.Paths = append(deed.Paths, n.Shown())
		if !slices.Contains(known, n.Found) {
			known = append(known, n.Found)
		}
	}
	if len(deed.Paths) == 0 {
		return nil
	}
	deed.Found = strings.Join(known, ", ")
	return Record(ctx, tx, system(), w.rules.Now(), Deed{Did: string(did), Object: w.Site, On: w.site.On(), After: deed})
}
