package hosting

import (
	"context"
	"errors"
	"io"
	"time"

	"kubepanel.io/kubepanel/internal/orders"
)

// Scanner looks for what is known to be harmful.
type Scanner interface {
	// Scan reads content to its end and returns the name of what it found in it, "" for
	// nothing. Its error says that nobody could look: ErrTooLargeToScan for what is larger
	// than it takes.
	Scan(ctx context.Context, content io.Reader) (found string, err error)
	// Version names the program and what it knows: another text when it has learned.
	Version(ctx context.Context) (string, error)
}

// ErrTooLargeToScan says that a file is larger than the scanner takes.
var ErrTooLargeToScan = errors.New("the file is larger than the scanner takes")

// Scanning says how uploads, and files that are there, are looked at.
type Scanning struct {
	Scanner Scanner
	// Lenient takes uploads that nobody could look at; they are refused otherwise.
	Lenient bool
	// Every is how often each site's files are looked through; 0: never.
	Every time.Duration
	// Report leaves what is harmful where it is, and tells of it alone.
	Report bool
	// Largest is the size of the largest file that is looked at then, in octets; 0: the
	// scanner says.
	Largest int64

	glance glance
}

// awakeEvery is how often a sender that waits is kept.
const awakeEvery = 5 * time.Second

// scan has a whole upload looked at before it becomes the file, and refuses what is
// harmful. It is read back from the site, so that one that came in pieces over days is
// looked at as one, and the panel holds a chunk of it at a time.
func (f *SiteFiles) scan(ctx context.Context, u Upload, piece io.Reader) error {
	s := f.rules.Scanning
	if s == nil {
		return nil
	}
	defer keep(piece)()
	content, into := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		_, err := f.order(ctx, orders.Order{Do: orders.Read, Path: "/" + orders.UploadFolder + "/" + f.part(u)}, nil, into)
		into.CloseWithError(err) // nil: the end
		ended <- err
	}()
	whole := &blamed{from: content}
	found, err := s.Scanner.Scan(ctx, whole)
	_ = content.Close() // a scanner that had enough
	<-ended
	switch {
	case whole.err != nil: // the site's, not the scanner's
		return whole.err
	case err == nil && found == "":
		return nil
	case err == nil:
		return f.harmful(ctx, u, found)
	case ctx.Err() != nil:
		return ctx.Err()
	case s.Lenient:
		return f.rules.noteDeed(ctx, f.actor, f.site, RightSiteFiles, Deed{After: FileDeed{Do: "unscanned", To: u.Path, Size: u.Size}})
	case errors.Is(err, ErrTooLargeToScan):
		return &Error{Code: Invalid, Message: "The file is larger than the virus scanner takes, so it was not taken.", Mend: "Ask your provider how to bring it in.", Err: err}
	}
	return &Error{Code: Unreachable, Message: "The virus scanner can't look at the file now, so it was not taken yet.", Mend: "Try again in a few minutes: what was sent is kept for a week.", Err: err}
}

// harmful removes an upload in which something was found, notes that and refuses it, in
// that order: of a panel that dies there is left all of it, which is found again when it
// is sent again or looked through, or nothing. So nobody is told twice.
func (f *SiteFiles) harmful(ctx context.Context, u Upload, found string) error {
	refused := &Error{Code: Invalid, Message: "The file was refused: the virus scanner knows it as " + found + ".", Mend: "Look for harmful programs on the computer that it came from."}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer done()
	answer, err := f.order(ctx, orders.Order{Do: orders.Drop, Part: f.part(u)}, nil, nil)
	switch {
	case err == nil:
	case answer.Code == orders.Missing: // whoever took it tells of it
		return refused
	case answer.Code == orders.Unknown: // the toolbox of a release before leaves it to the next walk
	default:
		return err
	}
	if err := f.rules.noteDeed(ctx, f.actor, f.site, RightSiteFiles, Deed{After: FileDeed{Do: "harmful", To: u.Path, Size: u.Size, Found: found}}); err != nil {
		return err
	}
	return refused
}

// keep has a sender that can be kept waiting told now and then that it is not forgotten,
// until the returned function is called.
func keep(sender any) (stop func()) {
	s, ok := sender.(interface{ Keep() })
	if !ok {
		return func() {}
	}
	over, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(awakeEvery)
		defer tick.Stop()
		for {
			s.Keep()
			select {
			case <-tick.C:
			case <-over:
				return
			}
		}
	}()
	return func() { close(over); <-gone }
}

// blamed is a reader that remembers why it could not be read.
type blamed struct {
	from io.Reader
	err  error
}

// Read implements io.Reader.
func (r *blamed) Read(b []byte) (int, error) {
	count, err := r.from.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return count, err
}
