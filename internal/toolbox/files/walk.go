package files

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/orders"
)

const (
	// maxStretch is how many files a stretch names, of at most 4,000 octets each.
	maxStretch = 200
	// stretchTime is about how long a stretch takes at most, so that a walk through a million
	// files gives way to what people order.
	stretchTime = 4 * time.Second
	// maxWalked is the longest path that is walked, in octets: no program can open a longer
	// one by its path (PATH_MAX), nor does the panel.
	maxWalked = 4000

	// chunkNames is how many names of one folder are held, and heldNames how many octets of
	// names of all folders together: the smallest toolbox has 24 MiB of memory.
	chunkNames = 8192
	heldNames  = 3 << 20
	// perName is what a name takes beside its octets.
	perName = 16
)

// changed gives a stretch of the plain files that changed since an instant.
func (w *work) changed() error {
	now := time.Now()
	k := &walker{work: w, end: now.Add(stretchTime), limit: min(max(w.Limit, 1), maxStretch)}
	k.stretch = orders.Stretch{Now: now.UnixNano(), Files: []orders.ChangedFile{}}
	k.enter(string(w.After))
	if err := k.walk(); err != nil {
		return err
	}
	return w.give(k.stretch)
}

// walker goes through all folders of a site in the order of their names. Whatever
// somebody built there, it holds a bounded number of names: of a folder with more it
// reads the next ones when it has passed the first, and those of folders that it is
// deep in are forgotten when they are too many, and read again.
type walker struct {
	*work

	levels  []*level // of the folder that it is in, the site's top first
	held    int      // octets of names in all levels
	last    string   // the path that was passed last
	limit   int
	end     time.Time
	stretch orders.Stretch
}

// level is a folder on the way.
type level struct {
	path string
	last string   // the name that was passed last; "" for none
	next []string // some of those behind it, in order
	more bool     // there may be others behind those
}

func (l *level) size() (octets int) {
	for _, name := range l.next {
		octets += len(name) + perName
	}
	return octets
}

// enter goes on behind a path, whatever it is by now. A folder is passed before what it
// holds.
func (k *walker) enter(after string) {
	l := &level{path: ".", more: true}
	k.levels = []*level{l}
	if k.last = local(after); k.last == "." {
		return
	}
	for name := range strings.SplitSeq(k.last, "/") {
		l.last = name
		l = &level{path: below(l.path, name), more: true}
		k.levels = append(k.levels, l) // what is no folder holds nothing, see fill
	}
}

// walk goes on until all is passed or the stretch is long enough.
func (k *walker) walk() error {
	for len(k.levels) > 0 {
		l := k.levels[len(k.levels)-1]
		switch {
		case len(l.next) > 0:
			if len(k.stretch.Files) == k.limit || k.stretch.Seen > 0 && time.Now().After(k.end) {
				k.stretch.Last = []byte(k.last)
				return nil
			}
			name := l.next[0]
			l.last, l.next = name, l.next[1:]
			k.held -= len(name) + perName
			k.last = below(l.path, name)
			k.pass(k.last)
			if err := k.did(0, 1); err != nil {
				return err
			}
		case l.more:
			if err := k.fill(l); err != nil {
				return err
			}
		default:
			k.levels = k.levels[:len(k.levels)-1]
		}
	}
	return nil
}

// pass looks at one name.
func (k *walker) pass(name string) {
	k.stretch.Seen++
	info, err := k.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist): // gone since
	case err != nil:
		k.stretch.Skipped++
	case info.IsDir() && len(name) > maxWalked:
		k.stretch.Skipped++
	case info.IsDir():
		k.levels = append(k.levels, &level{path: name, more: true})
	case k.wanted(name, info):
		k.stretch.Files = append(k.stretch.Files, orders.ChangedFile{Mark: markOf(info), Path: []byte("/" + name), Mode: uint32(info.Mode().Perm())})
	}
}

// wanted tells what has something to look at that is new. What lies in quarantine, and
// nobody opened again, was looked at before.
func (k *walker) wanted(name string, info fs.FileInfo) bool {
	const readable = 0o400
	if path.Dir(name) == quarantineFiles && info.Mode()&readable == 0 {
		return false
	}
	return info.Mode().IsRegular() && info.Size() > 0 && len(name) <= maxWalked && markOf(info).Changed >= k.Since
}

// fill reads the next names of a folder. What is none, or can't be read, holds none: a
// link to a folder neither.
func (k *walker) fill(l *level) error {
	l.more = false
	info, err := k.root.Lstat(l.path)
	if err != nil || !info.IsDir() {
		return nil //nolint:nilerr // it is gone since
	}
	folder, err := k.openFolder(l.path)
	if err != nil {
		if codeOf(err) != orders.Missing {
			k.stretch.Skipped++
		}
		return nil
	}
	defer func() { _ = folder.Close() }() // only read
	var behind []string
	for {
		some, err := folder.Readdirnames(someNames)
		for _, name := range some {
			if name > l.last {
				behind = append(behind, name)
			}
		}
		if len(behind) >= 2*chunkNames {
			l.more = true
			behind = first(behind)
		}
		if gone := k.did(0, 0); gone != nil {
			return gone
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			k.stretch.Skipped++
			break
		}
	}
	l.more = l.more || len(behind) > chunkNames
	l.next = first(behind)
	k.held += l.size()
	k.forget(l)
	return nil
}

// first returns the first names, in their order.
func first(names []string) []string {
	slices.SortFunc(names, cmp.Compare[string])
	return names[:min(len(names), chunkNames)]
}

// forget drops names of folders farther up until few enough are held.
func (k *walker) forget(but *level) {
	for _, l := range k.levels {
		if k.held <= heldNames || l == but {
			return
		}
		if len(l.next) > 0 {
			k.held -= l.size()
			l.next, l.more = nil, true
		}
	}
}
