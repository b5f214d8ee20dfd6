package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"kubepanel.io/kubepanel/internal/orders"
	"kubepanel.io/kubepanel/internal/toolbox/noreplace"
)

// places says where each of an order's paths goes, and refuses before anything is
// done what can't be: a name that is taken, a folder into itself.
func (w *work) places() (map[string]string, error) {
	to := local(w.To)
	if w.Rename && len(w.Paths) != 1 {
		return nil, refuse(orders.Exists, w.To)
	}
	if !w.Rename {
		folder, err := w.openFolder(to)
		if err != nil {
			return nil, err
		}
		_ = folder.Close()
	}
	places, taken := map[string]string{}, map[string]bool{}
	for _, p := range w.Paths {
		from := local(p)
		place := to
		if !w.Rename {
			place = below(to, base(from))
		}
		_, err := w.root.Lstat(place)
		switch {
		case from == "." || own(from) || place == from || strings.HasPrefix(place, from+"/"):
			return nil, refuse(orders.Inside, p)
		case err == nil || taken[place]:
			return nil, refuse(orders.Exists, "/"+place)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
		if _, err := w.root.Lstat(from); err != nil {
			return nil, err
		}
		places[from], taken[place] = place, true
	}
	return places, nil
}

// own tells whether a path is one of the panel's folders.
func own(name string) bool {
	return name == orders.TrashFolder || name == orders.UploadFolder || name == orders.QuarantineFolder
}

// move gives files other places; none replaces what is there.
func (w *work) move() error {
	places, err := w.places()
	if err != nil {
		return err
	}
	for _, p := range w.Paths {
		from := local(p)
		if err := w.rename(from, places[from]); err != nil {
			return fmt.Errorf("move a file: %w", err)
		}
		w.entries++
	}
	return nil
}

// rename moves something to a place that is free, and refuses when something has appeared
// there since that was looked at.
func (w *work) rename(from, to string) error {
	err := noreplace.Rename(w.root, from, to)
	if errors.Is(err, fs.ErrExist) {
		return refuse(orders.Exists, "/"+to)
	}
	return err
}

// take moves a draft to its place, and replaces what is there if that was asked for.
func (w *work) take(draft, place string, replace bool) error {
	if replace {
		return w.root.Rename(draft, place)
	}
	return w.rename(draft, place)
}

// copy copies files with all that is below them; links stay links. Each appears in
// its place when it is whole.
func (w *work) copy() error {
	places, err := w.places()
	if err != nil {
		return err
	}
	for _, p := range w.Paths {
		from := local(p)
		draft, err := w.draft(places[from])
		if err != nil {
			return err
		}
		err = w.copyTree(from, draft)
		if err == nil {
			err = w.rename(draft, places[from])
		}
		if err != nil {
			return errors.Join(err, w.root.RemoveAll(draft))
		}
	}
	return nil
}

func (w *work) copyTree(from, to string) error {
	return w.walk(from, func(name string, mode fs.FileMode) error {
		if err := w.did(0, 1); err != nil {
			return err
		}
		place := to + strings.TrimPrefix(name, from)
		switch kindOf(mode) {
		case orders.KindFolder:
			return w.root.Mkdir(place, mode.Perm()|0o700)
		case orders.KindLink:
			target, err := w.root.Readlink(name)
			if err != nil {
				return err
			}
			return w.root.Symlink(target, place)
		case orders.KindFile:
			return w.copyFile(name, place)
		}
		return nil // a socket or a pipe is its program's
	})
}

// walk shows a path and all that is below it, folders before what they hold. It
// follows no link.
func (w *work) walk(name string, see func(name string, mode fs.FileMode) error) error {
	info, err := w.root.Lstat(name)
	if err != nil {
		return err
	}
	if err := see(name, info.Mode()); err != nil || !info.IsDir() {
		return err
	}
	held, err := w.names(name)
	if err != nil {
		return err
	}
	slices.SortFunc(held, func(a, b named) int { return strings.Compare(a.name, b.name) })
	for _, n := range held {
		if err := w.walk(below(name, n.name), see); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) copyFile(from, to string) error {
	source, info, err := w.openFile(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // only read
	file, err := w.root.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	// The kernel copies, on btrfs without a byte being read.
	err = w.pieces(file, source)
	return errors.Join(err, file.Close())
}

// pieces copies, giving a sign of life between pieces.
func (w *work) pieces(to io.Writer, from io.Reader) error {
	const piece = 32 << 20
	for {
		n, err := io.CopyN(to, from, piece)
		if gone := w.did(n, 0); gone != nil {
			return gone
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// parent makes the folders above a path.
func (w *work) parent(name string) error {
	if dir := path.Dir(name); dir != "." {
		return w.root.MkdirAll(dir, newFolder)
	}
	return nil
}
