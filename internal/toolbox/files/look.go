package files

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"kubepanel.io/kubepanel/internal/orders"
)

const (
	// maxNames is how many names of one folder are held in memory, about 100 octets
	// each: the smallest toolbox has 24 MiB.
	maxNames = 100_000
	// maxPage bounds a listing.
	maxPage = 1000
	// someNames are read at once.
	someNames = 4096
)

// named is an entry of a folder before anybody looks at it more closely.
type named struct {
	name   string
	folder bool
}

// list gives one part of a folder. Only that part's files are looked at, so a page of
// a folder with many files costs the same as that of one with few, but for the names.
func (w *work) list() error {
	name := local(w.Path)
	all, err := w.names(name)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b named) int {
		if a.folder != b.folder {
			if a.folder {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)), strings.Compare(a.name, b.name))
	})
	from := min(max(int(w.Offset), 0), len(all))
	to := min(from+min(max(w.Limit, 1), maxPage), len(all))
	listing := orders.Listing{Total: len(all), Files: make([]orders.File, 0, to-from)}
	for _, n := range all[from:to] {
		f, err := w.look(below(name, n.name))
		if err != nil {
			continue // gone since
		}
		listing.Files = append(listing.Files, f)
	}
	return w.give(listing)
}

// names reads what a folder holds, but for the panel's own folders.
func (w *work) names(name string) ([]named, error) {
	folder, err := w.openFolder(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = folder.Close() }() // only read
	var all []named
	for {
		some, err := folder.ReadDir(someNames)
		for _, e := range some {
			if name == "." && own(e.Name()) {
				continue
			}
			all = append(all, named{e.Name(), e.IsDir()})
		}
		switch {
		case err == io.EOF:
			return all, nil
		case err != nil:
			return nil, err
		case len(all) > maxNames:
			return nil, refuse(orders.TooMany, "/"+name)
		}
	}
}

func (w *work) openFolder(name string) (*os.File, error) {
	folder, err := w.root.OpenFile(name, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return folder, nil
}

// below joins a folder's path with a name in it.
func below(folder, name string) string {
	if folder == "." {
		return name
	}
	return folder + "/" + name
}

// look describes a name itself, links too.
func (w *work) look(name string) (orders.File, error) {
	info, err := w.root.Lstat(name)
	if err != nil {
		return orders.File{}, err
	}
	f := orders.File{Name: []byte(base(name)), Kind: kindOf(info.Mode()), Size: info.Size(), Mode: uint32(info.Mode().Perm()), Modified: info.ModTime()}
	if f.Kind == orders.KindLink {
		target, err := w.root.Readlink(name)
		if err != nil {
			return f, err
		}
		f.Target = []byte(target)
	}
	return f, nil
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return orders.KindFile
	case mode.IsDir():
		return orders.KindFolder
	case mode&fs.ModeSymlink != 0:
		return orders.KindLink
	}
	return orders.KindOther
}

// stat describes what a path leads to, inside the site.
func (w *work) stat() error {
	name := local(w.Path)
	f, err := w.look(name)
	if err == nil && f.Kind == orders.KindLink {
		var info fs.FileInfo
		if info, err = w.root.Stat(name); err == nil {
			f.Kind, f.Size, f.Mode, f.Modified = kindOf(info.Mode()), info.Size(), uint32(info.Mode().Perm()), info.ModTime()
		}
	}
	if err != nil {
		return err
	}
	return w.give(f)
}

// read gives a file's content, from an offset on.
func (w *work) read() error {
	file, info, err := w.openFile(local(w.Path))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	if err := w.only(info); err != nil {
		return err
	}
	if _, err := file.Seek(w.Offset, io.SeekStart); err != nil {
		return err
	}
	var from io.Reader = file
	if w.Size > 0 {
		from = io.LimitReader(file, w.Size)
	}
	if w.size, err = io.Copy(w.out, from); err != nil {
		return err
	}
	if info, err = file.Stat(); err != nil {
		return err
	}
	return w.only(info)
}

// only refuses a file that is not in the state that the order is about, if it names one.
func (w *work) only(info fs.FileInfo) error {
	if w.Only != nil && markOf(info) != *w.Only {
		return refuse(orders.Changed, w.Path)
	}
	return nil
}

func markOf(info fs.FileInfo) orders.Mark {
	m := orders.Mark{Size: info.Size()}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		m.Inode, m.Changed = stat.Ino, stat.Ctim.Nano()
	}
	return m
}

// openFile opens a regular file for reading. A FIFO would wait for its other end.
func (w *work) openFile(name string) (*os.File, fs.FileInfo, error) {
	file, err := w.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = refuse(orders.NotFile, "/"+name)
	}
	if err != nil {
		_ = file.Close()
		return nil, nil, fmt.Errorf("open a file: %w", err)
	}
	return file, info, nil
}
