package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"syscall"
	"time"

	"kubepanel.io/kubepanel/internal/orders"
)

const (
	// sweepFirst spreads the first looks of sites that start at once, as all do under a
	// new version; sweepEvery is how late what has had its time may go.
	sweepFirst = 10 * time.Minute
	sweepEvery = 6 * time.Hour
	// expired holds, in the trash, what is being removed for good. A name that is there
	// can no longer be restored, so a sweep that is killed leaves nothing that could come
	// back half; the next one goes on. GNOME's trash has such a folder too.
	expired = "expunged"
	// uploadLife is how long an upload that nobody goes on with is kept, draftLife how long
	// what an order makes: none takes longer than the hour that the panel gives it.
	uploadLife = 7 * 24 * time.Hour
	draftLife  = 24 * time.Hour
)

// draftName is what work.draft calls what it makes.
var draftName = regexp.MustCompile(`^\.[A-Z2-7]{12}\.part$`)

// Sweeper removes for good what has been in a site's trash for long enough, and uploads
// and drafts that nobody goes on with. Its fields are set once, before Run.
type Sweeper struct {
	Root *os.Root
	// After is how long things stay in the trash; 0 is for good.
	After time.Duration
	Log   *slog.Logger
}

// Run works until ctx ends.
func (s *Sweeper) Run(ctx context.Context) {
	for wait := rand.N(sweepFirst); ; wait = sweepEvery {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		removed, err := s.sweep(ctx, time.Now())
		if err != nil {
			s.Log.Error("remove what had its time: " + err.Error())
		}
		if removed > 0 {
			s.Log.Info("removed for good what had its time", "things", removed, "trash", s.After)
		}
	}
}

// sweep looks through uploads, trash and quarantine once.
func (s *Sweeper) sweep(ctx context.Context, now time.Time) (removed int, err error) {
	removed, err = s.sweepUploads(ctx, now)
	if s.After == 0 {
		return removed, err
	}
	for _, name := range []string{orders.TrashFolder, orders.QuarantineFolder} {
		gone, failed := s.sweepBin(ctx, name, now)
		removed, err = removed+gone, errors.Join(err, failed)
	}
	return removed, err
}

// sweepUploads looks through the folder of uploads, and touches there what the panel
// itself put there.
func (s *Sweeper) sweepUploads(ctx context.Context, now time.Time) (removed int, err error) {
	uploads, err := openItself(s.Root, orders.UploadFolder)
	if err != nil {
		return 0, ignoreGone(err)
	}
	defer func() { _ = uploads.Close() }()
	var failed error
	err = eachName(ctx, uploads, ".", func(name string) error {
		info, err := uploads.Lstat(name)
		if err != nil {
			return ignoreGone(err)
		}
		// When Linux last changed it: a copy has the time of what it is one of.
		age := now.Sub(thrownAt(time.Time{}, info))
		if had := draftName.MatchString(name) && age > draftLife || partName.MatchString(name) && age > uploadLife; !had {
			return nil
		}
		// What can't be removed keeps nothing else.
		if err := uploads.RemoveAll(name); err != nil {
			failed = errors.Join(failed, err)
			return nil
		}
		removed++
		return nil
	})
	return removed, errors.Join(failed, err)
}

// sweepBin looks through one of them. It reads a few names at a time, and touches
// nothing that is not below it: neither what a link there leads to, nor anything when
// it is itself a link.
func (s *Sweeper) sweepBin(ctx context.Context, name string, now time.Time) (removed int, err error) {
	bin, err := openItself(s.Root, name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = bin.Close() }()
	// What can't be removed, since somebody closed a folder of it, keeps nothing else.
	failed := bin.RemoveAll(expired)
	err = eachName(ctx, bin, binFiles, func(id string) error {
		gone, err := s.expire(bin, id, now)
		if gone {
			removed++
		}
		return err
	})
	if err == nil {
		err = eachName(ctx, bin, binInfo, func(name string) error { return s.forget(bin, name, now) })
	}
	return removed, errors.Join(failed, err, bin.RemoveAll(expired))
}

// expire removes one thing, with its note, if its time is over.
func (s *Sweeper) expire(bin *os.Root, id string, now time.Time) (gone bool, err error) {
	from, note := binFiles+"/"+id, binInfo+"/"+id+infoEnd
	info, err := bin.Lstat(from)
	if err != nil {
		return false, ignoreGone(err)
	}
	_, at, _ := readNote(bin, note) // thrownAt knows better then
	if now.Sub(thrownAt(at, info)) < s.After {
		return false, nil
	}
	if err := bin.Mkdir(expired, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	if err := bin.Rename(from, expired+"/"+id); err != nil {
		return false, ignoreGone(err)
	}
	return true, ignoreGone(bin.Remove(note))
}

// forget removes a note about nothing, which a process that was killed left, when its
// time is over: a new one is about something that is on its way.
func (s *Sweeper) forget(bin *os.Root, name string, now time.Time) error {
	id, is := strings.CutSuffix(name, infoEnd)
	if !is {
		return nil
	}
	note := binInfo + "/" + name
	info, err := bin.Lstat(note)
	if err != nil || now.Sub(thrownAt(time.Time{}, info)) < s.After {
		return ignoreGone(err)
	}
	if _, err := bin.Lstat(binFiles + "/" + id); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return ignoreGone(bin.Remove(note))
}

// thrownAt is when something came into the trash: what its note says, or else when
// Linux last changed its place or its owner. That a file itself is old says nothing.
func thrownAt(noted time.Time, info fs.FileInfo) time.Time {
	if !noted.IsZero() {
		return noted
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(stat.Ctim.Unix())
	}
	return info.ModTime()
}

// openItself opens a folder that is one itself and no link to one. Whatever takes its
// place afterwards, what is opened stays.
func openItself(in *os.Root, name string) (*os.Root, error) {
	is, err := in.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !is.IsDir() {
		return nil, fmt.Errorf("%s is no folder", name)
	}
	folder, err := in.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	opened, err := folder.Stat(".")
	if err == nil && !os.SameFile(is, opened) {
		err = fmt.Errorf("%s was replaced", name)
	}
	if err != nil {
		return nil, errors.Join(err, folder.Close())
	}
	return folder, nil
}

// eachName goes through a folder, a few names at a time. One that is not there has none.
func eachName(ctx context.Context, bin *os.Root, name string, do func(string) error) error {
	folder, err := bin.OpenFile(name, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return ignoreGone(err)
	}
	defer func() { _ = folder.Close() }() // only read
	for {
		names, err := folder.Readdirnames(someNames)
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := do(name); err != nil {
				return err
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// ignoreGone: what somebody else removed or restored meanwhile is no error.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
