package files

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"syscall"
	"time"

	"kubepanel.io/kubepanel/internal/orders"
)

const (
	newFile   = 0o644
	newFolder = 0o755
	// pieceEnds is how long a piece whose sender went away may take to end, each look
	// pieceLook after the one before.
	pieceEnds = 5 * time.Second
	pieceLook = 20 * time.Millisecond
)

// mkdir makes one folder.
func (w *work) mkdir() error { return w.root.Mkdir(local(w.Path), newFolder) }

// chmod changes permissions; no set-user-ID and the like.
func (w *work) chmod() error {
	name := local(w.Path)
	info, err := w.root.Lstat(name)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return refuse(orders.NotFile, w.Path)
	}
	return w.root.Chmod(name, fs.FileMode(w.Mode)&fs.ModePerm)
}

// save replaces a file by new content, if it still holds what its editor saw, or makes
// a new one. Readers see the old content or the new, and never a part of it.
func (w *work) save() error {
	name := local(w.Path)
	mode, err := w.unchanged(name)
	if err != nil {
		return err
	}
	draft, err := w.draft(name)
	if err != nil {
		return err
	}
	err = w.write(draft, mode)
	// Once more: the content may have taken long to come.
	if err == nil {
		_, err = w.unchanged(name)
	}
	if err == nil {
		err = w.take(draft, name, w.Sum != "") // a new file replaces none
	}
	if err != nil {
		_ = w.root.Remove(draft)
	}
	return err
}

// unchanged looks whether a file is what the order takes it for, and returns its
// permissions.
func (w *work) unchanged(name string) (fs.FileMode, error) {
	info, err := w.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && w.Sum == "":
		return newFile, nil
	case errors.Is(err, fs.ErrNotExist):
		return 0, refuse(orders.Changed, w.Path)
	case err != nil:
		return 0, err
	case w.Sum == "":
		return 0, refuse(orders.Exists, w.Path)
	case !info.Mode().IsRegular():
		return 0, refuse(orders.NotFile, w.Path)
	}
	file, _, err := w.openFile(name)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }() // only read
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return 0, fmt.Errorf("read a file: %w", err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != w.Sum {
		return 0, refuse(orders.Changed, w.Path)
	}
	return info.Mode().Perm(), nil
}

// draft is a new name for what takes a place when it is whole. It is in the folder of
// uploads, where a Sweeper finds what a toolbox that was killed left. That there is no
// folder for that place is told before anything is made.
func (w *work) draft(place string) (string, error) {
	folder, err := w.openFolder(path.Dir(place))
	if err != nil {
		return "", err
	}
	_ = folder.Close() // only looked at
	return below(orders.UploadFolder, "."+rand.Text()[:12]+".part"), w.uploads()
}

// write makes a new file of the order's content, and has it on the disk.
func (w *work) write(name string, mode fs.FileMode) error {
	file, err := w.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	w.size, err = io.Copy(file, w.in)
	if err == nil && w.size != w.Size {
		err = fmt.Errorf("the content ends after %d of %d octets", w.size, w.Size)
	}
	if err == nil {
		err = file.Chmod(mode) // whatever the umask is
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

var partName = regexp.MustCompile(`^[0-9a-f]{16,64}$`)

// part is where an upload grows.
func (w *work) part() (string, error) {
	if !partName.MatchString(w.Part) {
		return "", refuse(orders.Refused, w.Part)
	}
	return orders.UploadFolder + "/" + w.Part, nil
}

// offset tells how much of an upload is there.
func (w *work) offset() error {
	name, err := w.part()
	if err != nil {
		return err
	}
	file, err := w.root.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if w.finished.is(w) {
			w.size, w.entries = w.Size, 1
			return nil
		}
		return w.room(w.Size)
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	_ = alone(file)                     // else it tells how much there is until now
	info, err := file.Stat()
	if err != nil {
		return err
	}
	w.size = info.Size()
	return w.room(w.Size - w.size)
}

// room refuses what the site's storage can't hold, before it is full of a part of it.
func (w *work) room(octets int64) error {
	top, err := w.openFolder(".")
	if err != nil {
		return err
	}
	defer func() { _ = top.Close() }() // only looked at
	var has syscall.Statfs_t
	if err := syscall.Fstatfs(int(top.Fd()), &has); err != nil {
		return fmt.Errorf("look how much room there is: %w", err)
	}
	if octets > 0 && uint64(octets) > has.Bavail*uint64(has.Bsize) {
		return refuse(orders.Full, "")
	}
	return nil
}

// alone waits until nobody writes to an upload any more: a sender that was cut off comes
// back before the toolbox has noticed. Whoever still writes then, really does.
func alone(file *os.File) error {
	for began := time.Now(); ; time.Sleep(pieceLook) {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || time.Since(began) > pieceEnds {
			return err
		}
	}
}

// append adds to an upload, if that is as long as the sender believes. What came
// before the sender went away stays, for it to go on from there.
func (w *work) append() error {
	name, err := w.part()
	if err != nil {
		return err
	}
	if err := w.room(w.Size); err != nil {
		return err
	}
	flags := os.O_WRONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	if w.Offset == 0 {
		if err := w.uploads(); err != nil {
			return err
		}
		flags |= os.O_CREATE
	}
	file, err := w.root.OpenFile(name, flags, newFile)
	if errors.Is(err, fs.ErrNotExist) {
		return refuse(orders.Changed, w.Part) // nothing of it is there: the sender begins anew
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // Sync has told before
	busy := alone(file)
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if busy != nil || end != w.Offset { // two that send the same at once would mix
		w.size = end
		return refuse(orders.Changed, w.Part)
	}
	added, err := io.Copy(file, io.LimitReader(w.in, w.Size))
	w.size = end + added
	return errors.Join(err, file.Sync())
}

// uploads makes the folder of uploads.
func (w *work) uploads() error {
	if err := w.root.Mkdir(orders.UploadFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// drop forgets an upload.
func (w *work) drop() error {
	name, err := w.part()
	if err != nil {
		return err
	}
	return w.root.Remove(name)
}

// finish makes a whole upload the file that it is meant to be.
func (w *work) finish() error {
	name, err := w.part()
	if err != nil {
		return err
	}
	info, err := w.root.Lstat(name)
	if err != nil {
		return err
	}
	w.size = info.Size()
	if !info.Mode().IsRegular() || info.Size() != w.Size {
		return refuse(orders.Changed, w.Part)
	}
	to := local(w.To)
	if again, err := w.admit(name, to); err != nil || again {
		return err
	}
	// A folder that was dropped comes with those in it.
	if dir := path.Dir(to); strings.Contains(to, "/") {
		if err := w.root.MkdirAll(dir, newFolder); err != nil {
			return err
		}
	}
	if err := w.take(name, to, w.Replace); err != nil {
		return err
	}
	w.finished.keep(w)
	return nil
}

// admit tells whether an upload may take its place, and gives it the rights of the file
// whose place that is. One that took it before and was sent once more, since nobody heard
// the first answer, is removed; again is true then.
func (w *work) admit(upload, to string) (again bool, err error) {
	there, err := w.root.Lstat(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case w.finished.is(w):
		return true, w.root.Remove(upload)
	case !w.Replace || !there.Mode().IsRegular():
		return false, refuse(orders.Exists, w.To)
	}
	return false, w.root.Chmod(upload, there.Mode().Perm())
}
