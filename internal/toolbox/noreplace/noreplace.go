// Package noreplace moves a file or folder to a place that has to be free. Who looks first
// and renames then replaces, and so loses, what appears in between. It must never leave the
// root that it is given.
package noreplace

import (
	"errors"
	"os"
	"path"
	"syscall"

	"golang.org/x/sys/unix"
)

// Rename moves what is at from to the place to, both below the root, if nothing is there,
// not even a link that leads nowhere. Its error is an *os.LinkError, fs.ErrExist when
// something is there; then nothing is changed. As with the root's own Rename, links in the
// folders above are followed as far as they stay below the root, and last names never.
func Rename(root *os.Root, from, to string) error { return between(root, from, to, move) }

// between opens the folders of both places through the root, and has do move one name to
// the other, between what is open: whatever becomes of the paths, they are below the root.
func between(root *os.Root, from, to string, do func(source int, from string, target int, to string) error) error {
	source, err := folder(root, from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // only looked at
	target, err := folder(root, to)
	if err != nil {
		return err
	}
	defer func() { _ = target.Close() }() // only looked at
	if err := do(int(source.Fd()), path.Base(from), int(target.Fd()), path.Base(to)); err != nil {
		return &os.LinkError{Op: "renameat2", Old: from, New: to, Err: err}
	}
	return nil
}

// folder opens the one that a name is in.
func folder(root *os.Root, name string) (*os.File, error) {
	return root.OpenFile(path.Dir(name), os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0)
}

func move(source int, from string, target int, to string) error {
	err := unix.Renameat2(source, from, target, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) {
		// The file system has no such rename: NFS, CephFS. Or it is a folder into itself, and
		// then the steps say that too.
		return bySteps(source, from, target, to)
	}
	return err
}

// bySteps is for file systems that can't do it in one, so that files move there at all. It
// replaces nothing at to either. Who is killed in between leaves a file under both names,
// or an empty folder. What it can't see is another file that takes the moved one's name at
// from in between: that one is removed. A file system without hard links, such as FAT,
// refuses (EPERM): better no move than a loss.
func bySteps(source int, from string, target int, to string) error {
	var is unix.Stat_t
	if err := unix.Fstatat(source, from, &is, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if is.Mode&unix.S_IFMT != unix.S_IFDIR {
		if err := unix.Linkat(source, from, target, to, 0); err != nil {
			return err
		}
		return unix.Unlinkat(source, from, 0)
	}
	// A folder has one name only. But it may take the place of a folder, and only while that
	// is empty; this one is made here.
	if err := unix.Mkdirat(target, to, 0o700); err != nil {
		return err
	}
	err := unix.Renameat(source, from, target, to)
	if err != nil {
		_ = unix.Unlinkat(target, to, unix.AT_REMOVEDIR) // what is in it by now keeps it
	}
	return err
}
