package hosting

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"kubepanel.io/kubepanel/internal/orders"
)

var (
	// errScanner marks what is the scanner's fault, errOldTools a site whose toolbox knows no
	// walks yet.
	errScanner  = errors.New("the scanner does not look")
	errOldTools = errors.New("the site's tools are older than the panel")
	errAnswer   = errors.New("the site's answer makes no sense")
)

// order has the site's toolbox do something. Its code is the toolbox's own answer; an
// error says that nobody can tell. One that goes on and on, as a hostile one may, keeps no
// other site from being looked through.
func (w *sweep) order(ctx context.Context, o orders.Order, out io.Writer) (code string, err error) {
	ctx, done := context.WithTimeout(ctx, fileTime)
	defer done()
	answer, err := w.rules.Door.Order(ctx, Visit{Site: w.Site}, o, nil, out)
	if err == nil && answer.Code == orders.Unknown {
		err = errOldTools
	}
	return answer.Code, err
}

// ask gives what an order gives as JSON, of which a site can't send more than fits.
func (w *sweep) ask(ctx context.Context, o orders.Order, into any) (code string, err error) {
	out := &bounded{left: maxStretchSize}
	code, err = w.order(ctx, o, out)
	if err != nil || code != "" {
		return code, err
	}
	return "", readAnswer(out.Bytes(), into)
}

// stretch looks at the next files that changed, and tells whether those were the last.
func (w *sweep) stretch(ctx context.Context) (ended bool, err error) {
	o := orders.Order{Do: orders.Walk, Since: w.Since, After: w.After, Limit: stretchFiles}
	if w.Whole {
		o.Since = 0
	}
	var s orders.Stretch
	code, err := w.ask(ctx, o, &s)
	switch {
	case err != nil:
		return false, err
	case code != "" || len(s.Last) > maxPath+maxFileName || w.Began == 0 && s.Now <= 0:
		return false, fmt.Errorf("%w: %q", errAnswer, code)
	}
	if w.Began == 0 {
		w.Began = s.Now
	}
	w.Skipped += int64(s.Skipped)
	w.swept.Skipped += int64(s.Skipped)
	for _, f := range s.Files {
		if w.rules.Now().After(w.until) {
			return false, nil
		}
		if err := w.file(ctx, f); err != nil {
			return false, err
		}
		w.After, w.Tries = bytes.TrimPrefix(f.Path, []byte("/")), 0
	}
	if w.After = s.Last; len(s.Last) > 0 {
		return false, nil
	}
	w.end()
	return true, nil
}

// skip counts a file that can't be looked at.
func (w *sweep) skip() {
	w.Skipped++
	w.swept.Skipped++
}

// file looks at one file. Its error says that the walk can't go on from here.
func (w *sweep) file(ctx context.Context, f orders.ChangedFile) error {
	switch {
	case len(f.Path) > maxPath+1:
		return errAnswer
	case w.rules.Scanning.Largest > 0 && f.Size > w.rules.Scanning.Largest:
		w.skip()
		return nil
	}
	found, sum, err := w.scan(ctx, f)
	switch {
	case errors.Is(err, ErrTooLargeToScan), errors.Is(err, errUnreadable):
		w.skip()
		return nil
	case errors.Is(err, errGone):
		return nil
	case errors.Is(err, errScanner) && w.Tries >= sweepTries:
		// Its version it tells, but at this file it fails: no file may keep the others from
		// being looked at.
		w.skip()
		return nil
	case err != nil:
		return err
	}
	w.Looked++
	w.swept.Looked++
	if found == "" {
		return nil
	}
	if exempt, err := w.rules.Store.Exempt(ctx, w.Site, sum); err != nil || exempt {
		return err
	}
	return w.found(ctx, f, found, sum)
}

var (
	// errGone says that a file is not any more what the walk named, so that the next walk
	// names it; errUnreadable that its rights forbid looking.
	errGone       = errors.New("the file is gone or changed")
	errUnreadable = errors.New("the file can't be read")
)

// scan has the scanner look at a file, of which a chunk at a time is held. It returns
// what was found, and the content's sum.
func (w *sweep) scan(ctx context.Context, f orders.ChangedFile) (found, sum string, err error) {
	ctx, done := context.WithTimeout(ctx, fileTime)
	defer done()
	content, into := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// The state that was named, and no other: whoever swaps files meanwhile hides nothing.
		code, err := w.order(ctx, orders.Order{Do: orders.Read, Octets: f.Path, Only: &f.Mark}, into)
		switch {
		case err != nil || code == "":
		case code == orders.Refused, code == orders.Failed:
			err = fmt.Errorf("%w: %s", errUnreadable, code)
		default:
			err = fmt.Errorf("%w: %s", errGone, code)
		}
		into.CloseWithError(err) // nil: the end
	}()
	hash := sha256.New()
	whole := &blamed{from: io.TeeReader(content, hash)}
	found, err = w.rules.Scanning.Scanner.Scan(ctx, whole)
	if err == nil && whole.err == nil {
		_, _ = io.Copy(io.Discard, whole) // a scanner that had enough: the sum is of all
	}
	_ = content.Close()
	<-ended
	switch {
	case whole.err != nil: // the site's, not the scanner's
		return "", "", whole.err
	case errors.Is(err, ErrTooLargeToScan):
		return "", "", err
	case err != nil:
		return "", "", fmt.Errorf("%w: %w", errScanner, err)
	}
	return clipFound(found), hex.EncodeToString(hash.Sum(nil)), nil
}

// clipFound makes a scanner's word for something harmful fit to be kept and shown. No
// character is cut in two: a database would refuse what is not UTF-8.
func clipFound(name string) string {
	const most = 200
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	return strings.ToValidUTF8(name[:min(len(name), most)], "")
}
