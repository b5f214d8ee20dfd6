package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"kubepanel.io/kubepanel/internal/orders"
)

// Bounds of what an archive may become: a small file must not fill a volume or the
// toolbox's memory. Honest archives of texts come to ratios of twenty.
const (
	maxEntries = 200_000
	maxDepth   = 64
	maxRatio   = 200
	freeSize   = 64 << 20 // octets that no ratio counts for
)

// entry is one thing in an archive, whatever its format.
type entry struct {
	name string
	mode fs.FileMode
	// target is where a link leads.
	target  string
	content io.Reader
}

// unpacking is an archive on its way into a folder of its own.
type unpacking struct {
	*work

	into    *os.Root
	allowed int64 // octets
}

// unpack unpacks an archive into a new folder elsewhere, through a root of its own which
// nothing in it can leave, and gives that its place when all of it is there.
func (w *work) unpack() error {
	archive, info, err := w.openFile(local(w.Path))
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }() // only read
	to := local(w.To)
	if own(to) {
		return refuse(orders.Refused, w.To)
	}
	if _, err := w.root.Lstat(to); !w.Merge && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(refuse(orders.Exists, w.To), err)
	}
	place := to
	if w.Merge {
		place = below(to, "x")
	}
	draft, err := w.draft(place)
	if err != nil {
		return err
	}
	if err := w.root.Mkdir(draft, newFolder); err != nil {
		return err
	}
	into, err := w.root.OpenRoot(draft)
	if err == nil {
		u := &unpacking{work: w, into: into, allowed: max(freeSize, info.Size()*maxRatio)}
		err = errors.Join(u.all(archive, info.Size()), into.Close())
	}
	if err == nil && w.Merge {
		err = w.merge(draft, to)
	} else if err == nil {
		err = w.rename(draft, to)
	}
	if err != nil || w.Merge {
		err = errors.Join(err, w.root.RemoveAll(draft))
	}
	return err
}

// merge moves what was unpacked into a folder that is there. It looks first whether a
// name is taken, and takes back what it moved when something fails after all.
func (w *work) merge(draft, to string) error {
	names, err := w.names(draft)
	if err != nil {
		return err
	}
	for _, n := range names {
		if own(below(to, n.name)) { // nobody's archive is a trash, or leads one elsewhere
			return refuse(orders.BadEntry, n.name)
		}
		if _, err := w.root.Lstat(below(to, n.name)); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(refuse(orders.Exists, "/"+below(to, n.name)), err)
		}
	}
	for i, n := range names {
		if err := w.rename(below(draft, n.name), below(to, n.name)); err != nil {
			for _, back := range names[:i] {
				err = errors.Join(err, w.root.Rename(below(to, back.name), below(draft, back.name)))
			}
			return err
		}
	}
	return nil
}

func (u *unpacking) all(archive *os.File, size int64) error {
	if strings.HasSuffix(strings.ToLower(u.Path), ".zip") {
		return u.zip(archive, size)
	}
	return u.tar(archive)
}

// put makes one entry of the archive a file, a folder or a link.
func (u *unpacking) put(e entry) error {
	name, err := inside(e.name)
	if err != nil || name == "." {
		return err
	}
	if u.entries >= maxEntries {
		return refuse(orders.TooMany, u.Path)
	}
	if err := u.did(0, 1); err != nil {
		return err
	}
	if dir := path.Dir(name); dir != "." {
		if err := u.into.MkdirAll(dir, newFolder); err != nil {
			return within(err, e.name)
		}
	}
	switch kindOf(e.mode) {
	case orders.KindFolder:
		err = u.into.MkdirAll(name, newFolder)
	case orders.KindLink:
		if err = leadsInside(name, e.target); err == nil {
			err = u.into.Symlink(e.target, name)
		}
	case orders.KindFile:
		err = u.file(name, e)
	}
	return within(err, e.name) // devices and pipes are left out
}

func (u *unpacking) file(name string, e entry) error {
	// Owners can always write, or the next version could not be unpacked over it.
	file, err := u.into.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, e.mode.Perm()|0o600)
	if err != nil {
		return err
	}
	before := u.size
	err = u.pieces(file, io.LimitReader(e.content, u.allowed+1))
	u.allowed -= u.size - before
	if err == nil && u.allowed < 0 {
		err = refuse(orders.TooLarge, u.Path)
	}
	return errors.Join(err, file.Close())
}

// within says which entry an error of the system is about; that it leads out of the
// archive's folder is the root's own word.
func within(err error, name string) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*refusal](err); ok {
		return err
	}
	switch code := codeOf(err); code {
	case orders.Refused, orders.NotFolder, orders.Exists:
		return fmt.Errorf("%w: %w", refuse(orders.BadEntry, name), err)
	}
	return err
}

// inside turns an entry's name into a path below the archive's folder. A name that is
// absolute or leads upwards is no mistake of an honest program.
func inside(name string) (string, error) {
	clean := strings.ReplaceAll(name, `\`, "/") // as programs on Windows write it
	parts := strings.Split(clean, "/")
	if clean == "" || strings.HasPrefix(clean, "/") || strings.ContainsRune(clean, 0) || len(parts) > maxDepth || len(clean) > 4000 {
		return "", refuse(orders.BadEntry, name)
	}
	for i, part := range parts {
		if part == ".." || len(part) > 255 || i == 0 && len(part) == 2 && part[1] == ':' {
			return "", refuse(orders.BadEntry, name)
		}
	}
	return path.Clean(clean), nil
}

// leadsInside refuses a link that leads out of the archive's folder.
func leadsInside(name, target string) error {
	to := path.Join(path.Dir(name), target)
	if target == "" || path.IsAbs(target) || to == ".." || strings.HasPrefix(to, "../") {
		return refuse(orders.BadEntry, name+" → "+target)
	}
	return nil
}
