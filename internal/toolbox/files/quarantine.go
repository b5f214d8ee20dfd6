package files

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"kubepanel.io/kubepanel/internal/orders"
)

// The quarantine is laid out as the trash is, and emptied as it is. What lies there has
// no permissions: nobody opens it by mistake.
const (
	quarantineFiles = orders.QuarantineFolder + "/" + binFiles
	quarantineInfo  = orders.QuarantineFolder + "/" + binInfo
)

// kept is where something lies in quarantine, and its note.
func (w *work) kept() (file, note string, err error) {
	if !partName.MatchString(w.Part) {
		return "", "", refuse(orders.Refused, w.Part)
	}
	return quarantineFiles + "/" + w.Part, quarantineInfo + "/" + w.Part + infoEnd, nil
}

// quarantine moves a file there if it is still in the state that was looked at. Ordered
// twice, it is done once.
func (w *work) quarantine() error {
	to, note, err := w.kept()
	if err != nil {
		return err
	}
	name := local(w.Path)
	info, err := w.root.Lstat(name)
	meant := err == nil && w.meant(info)
	if _, err := w.root.Lstat(to); err == nil {
		if meant { // something else was put there, which is not to be taken for it
			return refuse(orders.Refused, w.Path)
		}
		return w.tell(to, note)
	}
	if err != nil {
		return err
	}
	if !meant {
		return refuse(orders.Changed, w.Path)
	}
	for _, folder := range []string{quarantineFiles, quarantineInfo} {
		if err := w.root.MkdirAll(folder, 0o700); err != nil {
			return err
		}
	}
	// A note that is there already is one of a try that was cut off. A full volume keeps
	// nothing harmful where it is: without a note the panel knows where it was.
	if err := w.note(note, name); err != nil && !errors.Is(err, fs.ErrExist) && codeOf(err) != orders.Full {
		return err
	}
	if err := w.root.Rename(name, to); err != nil {
		return errors.Join(err, ignoreGone(w.root.Remove(note)))
	}
	if err := w.lock(to); err != nil {
		// Something else had taken its place in that moment. It goes back, unless its place is taken.
		back := w.root.Link(to, name)
		if back == nil {
			back = errors.Join(w.root.Remove(to), ignoreGone(w.root.Remove(note)))
		}
		return errors.Join(err, back)
	}
	return w.tell(to, note)
}

// meant tells whether a file is in the state that was looked at.
func (w *work) meant(info fs.FileInfo) bool {
	return w.Only != nil && info.Mode().IsRegular() && markOf(info) == *w.Only
}

// lock takes the permissions of what was moved, if that is the file that was meant.
func (w *work) lock(name string) error {
	file, err := w.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	// A root follows a link all the same: of one that leads to the file, the file stayed.
	itself, err := w.root.Lstat(name)
	if err != nil {
		return err
	}
	if is := markOf(info); is.Inode != w.Only.Inode || is.Size != w.Only.Size || !os.SameFile(itself, info) {
		return refuse(orders.Changed, w.Path)
	}
	return file.Chmod(0)
}

// tell gives what lies in quarantine, and until when.
func (w *work) tell(file, note string) error {
	info, err := w.root.Lstat(file)
	if err != nil {
		return err
	}
	from, at, err := readNote(w.root, note)
	if err != nil {
		from = ""
	}
	thrown := orders.Thrown{Name: []byte(w.Part), From: []byte(from), Kind: kindOf(info.Mode()), Size: info.Size(), At: thrownAt(at, info)}
	if w.trashFor > 0 {
		thrown.Until = thrown.At.Add(w.trashFor)
	}
	return w.give(thrown)
}

// release puts a file back, with its permissions; it replaces nothing.
func (w *work) release() error {
	from, note, err := w.kept()
	if err != nil {
		return err
	}
	name := local(w.Path)
	info, err := w.root.Lstat(from)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return refuse(orders.NotFile, w.Path)
	}
	if err := w.parent(name); err != nil {
		return err
	}
	if err := w.root.Link(from, name); err != nil {
		return err
	}
	if err := w.root.Remove(from); err != nil {
		return err
	}
	// Last, so that it never has permissions while it is in quarantine.
	if err := w.root.Chmod(name, fs.FileMode(w.Mode)&fs.ModePerm); err != nil {
		return err
	}
	return ignoreGone(w.root.Remove(note))
}

// discard removes a file from quarantine for good. One that is gone is as it should be.
func (w *work) discard() error {
	file, note, err := w.kept()
	if err != nil {
		return err
	}
	return errors.Join(ignoreGone(w.root.Remove(file)), ignoreGone(w.root.Remove(note)))
}
