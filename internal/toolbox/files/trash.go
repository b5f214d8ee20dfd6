package files

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"kubepanel.io/kubepanel/internal/orders"
)

// The trash is laid out as the Trash specification of freedesktop.org has it: what
// was thrown away in files, and for each a note of where it was in info.
const (
	binFiles   = "files"
	binInfo    = "info"
	trashFiles = orders.TrashFolder + "/" + binFiles
	trashInfo  = orders.TrashFolder + "/" + binInfo
	infoEnd    = ".trashinfo"
	dateFormat = "2006-01-02T15:04:05"
	// maxInfo is more than a path of 4,096 octets takes with each octet written as three.
	maxInfo = 16 << 10
)

// trash moves files into the trash. The note is written first, so that whatever
// happens nothing lies there that can't go back.
func (w *work) trash() error {
	for _, folder := range []string{trashFiles, trashInfo} {
		if err := w.root.MkdirAll(folder, 0o700); err != nil {
			return err
		}
	}
	for _, p := range w.Paths {
		name := local(p)
		if name == "." || own(name) || strings.HasPrefix(name, orders.TrashFolder+"/") {
			return refuse(orders.Refused, p)
		}
		if _, err := w.root.Lstat(name); err != nil {
			return err
		}
		// A full volume must not keep anybody from making room; without a note it lies there.
		id := clipName(base(name)) + "." + rand.Text()[:8]
		err := w.note(trashInfo+"/"+id+infoEnd, name)
		if err != nil {
			return err
		}
		if err := w.root.Rename(name, trashFiles+"/"+id); err != nil {
			return errors.Join(err, w.root.Remove(trashInfo+"/"+id+infoEnd))
		}
		w.entries++
	}
	return nil
}

// note writes where a file was into a new note.
func (w *work) note(note, name string) error {
	text := "[Trash Info]\nPath=" + (&url.URL{Path: "/" + name}).EscapedPath() + "\nDeletionDate=" + time.Now().UTC().Format(dateFormat) + "\n"
	file, err := w.root.OpenFile(note, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, text)
	return errors.Join(err, file.Close())
}

// clipName leaves room for what is added to a name; Linux takes 255 octets.
func clipName(name string) string { return name[:min(len(name), 200)] }

// trashed gives what is in the trash, the newest first.
func (w *work) trashed() error {
	all := []orders.Thrown{}
	folder, err := w.openFolder(trashFiles)
	if errors.Is(err, fs.ErrNotExist) {
		return w.give(all)
	}
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }() // only read
	names, err := folder.Readdirnames(maxPage)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for _, name := range names {
		info, err := w.root.Lstat(trashFiles + "/" + name)
		if err != nil {
			continue // gone since
		}
		from, at, err := w.noted(name)
		if err != nil {
			from, at = "", time.Time{}
		}
		thrown := orders.Thrown{Name: []byte(name), From: []byte(from), Kind: kindOf(info.Mode()), Size: info.Size(), At: thrownAt(at, info)}
		if w.trashFor > 0 {
			thrown.Until = thrown.At.Add(w.trashFor)
		}
		all = append(all, thrown)
	}
	slices.SortFunc(all, func(a, b orders.Thrown) int { return b.At.Compare(a.At) })
	return w.give(all)
}

// noted reads where a file in the trash was, and when it came there.
func (w *work) noted(id string) (from string, at time.Time, err error) {
	return readNote(w.root, trashInfo+"/"+id+infoEnd)
}

func readNote(root *os.Root, name string) (from string, at time.Time, err error) {
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", at, err
	}
	defer func() { _ = file.Close() }() // only read
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", at, errors.Join(refuse(orders.Missing, ""), err) // a pipe would never end
	}
	return parseInfo(io.LimitReader(file, maxInfo))
}

// parseInfo reads a note.
func parseInfo(text io.Reader) (from string, at time.Time, err error) {
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, maxInfo)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), "=")
		switch key {
		case "Path":
			if from, err = url.PathUnescape(value); err != nil {
				return "", at, fmt.Errorf("read where it was: %w", err)
			}
		case "DeletionDate":
			at, _ = time.Parse(dateFormat, value) // without it, see thrownAt
		}
	}
	if err := lines.Err(); err != nil {
		return "", at, fmt.Errorf("read where it was: %w", err)
	}
	if from == "" {
		return "", at, refuse(orders.Missing, "")
	}
	return "/" + local(from), at, nil
}

// restore puts things back where they were; none replaces what is there now.
func (w *work) restore() error {
	for _, id := range w.Paths {
		if path.Base("/"+id) != id {
			return refuse(orders.Missing, id)
		}
		from, _, err := w.noted(id)
		if err != nil {
			return err
		}
		to := local(from)
		if _, err := w.root.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(refuse(orders.Exists, from), err)
		}
		if err := w.parent(to); err != nil {
			return err
		}
		if err := w.rename(trashFiles+"/"+id, to); err != nil {
			return err
		}
		_ = w.root.Remove(trashInfo + "/" + id + infoEnd) // a note without a file is nothing
		w.entries++
	}
	return nil
}

// empty removes all that is in the trash, for good: one thing after the other leaves the
// trash and is removed then. So what is cancelled, or killed, leaves the others as they
// were, and nothing that could come back half; a Sweeper goes on with what it was at. What
// can't be removed, since somebody closed a folder of it, keeps nothing else.
func (w *work) empty() error {
	bin, err := openItself(w.root, orders.TrashFolder)
	if err != nil {
		return ignoreGone(err)
	}
	defer func() { _ = bin.Close() }()
	failed := w.remove(bin, expired) // what somebody who was killed left
	err = eachName(context.Background(), bin, binFiles, func(id string) error {
		if w.deaf != nil {
			return w.deaf
		}
		failed = errors.Join(failed, w.expunge(bin, id))
		return nil
	})
	if err = errors.Join(w.deaf, failed, err); err != nil {
		return err
	}
	return errors.Join(bin.RemoveAll(expired), bin.RemoveAll(binInfo))
}

// expunge removes one thing, with its note.
func (w *work) expunge(bin *os.Root, id string) error {
	if err := bin.Mkdir(expired, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	err := bin.Rename(binFiles+"/"+id, expired+"/"+id)
	if errors.Is(err, fs.ErrPermission) { // a folder that was closed; an empty one can go
		err = bin.RemoveAll(binFiles + "/" + id)
	}
	if err != nil {
		return ignoreGone(err)
	}
	return errors.Join(ignoreGone(bin.Remove(binInfo+"/"+id+infoEnd)), w.remove(bin, expired+"/"+id))
}

// remove removes a thing with all that is in it, and tells how far that is.
func (w *work) remove(in *os.Root, name string) error {
	info, err := in.Lstat(name)
	if err != nil {
		return ignoreGone(err)
	}
	size := int64(0)
	switch {
	case info.Mode().IsRegular():
		size = info.Size()
	case info.IsDir():
		var failed error
		err := eachName(context.Background(), in, name, func(n string) error {
			failed = errors.Join(failed, w.remove(in, name+"/"+n))
			return w.deaf
		})
		if err = errors.Join(failed, err); err != nil {
			return err
		}
	}
	if err := in.Remove(name); err != nil {
		return ignoreGone(err)
	}
	return w.did(size, 1)
}
