package sftpd

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/pkg/sftp"
	"golang.org/x/sys/unix"

	"kubepanel.io/kubepanel/internal/toolbox/noreplace"
)

// modeBits are all the bits a client may set: no set-user-ID and the like.
const modeBits = fs.ModePerm

// files answers one client's requests from below a root. The root itself
// refuses every path that leaves it, symbolic links included.
type files struct {
	root    *os.Root
	session *session
}

// local turns the client's path into one below the root.
func local(name string) string {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if name == "" {
		return "."
	}
	return filepath.FromSlash(name)
}

// answer turns an error into what clients understand. What the system did not
// say itself is the root's refusal to leave it.
func answer(err error) error {
	switch _, ok := errors.AsType[syscall.Errno](err); {
	case err == nil, ok, errors.Is(err, io.EOF), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrExist):
		return err
	default:
		return sftp.ErrSSHFxPermissionDenied
	}
}

// Fileread opens a file for reading.
func (f *files) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	return f.open(r, os.O_RDONLY)
}

// Filewrite opens a file for writing.
func (f *files) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	return f.open(r, os.O_WRONLY)
}

// OpenFile opens a file for both.
func (f *files) OpenFile(r *sftp.Request) (sftp.WriterAtReaderAt, error) {
	return f.open(r, os.O_RDWR)
}

func (f *files) open(r *sftp.Request, access int) (*handle, error) {
	flags := r.Pflags()
	for flag, set := range map[int]bool{os.O_CREATE: flags.Creat, os.O_TRUNC: flags.Trunc, os.O_EXCL: flags.Excl} {
		if set {
			access |= flag
		}
	}
	// Opening a FIFO would wait for its other end for ever.
	file, err := f.root.OpenFile(local(r.Filepath), access|syscall.O_NONBLOCK, newMode(r.Attrs))
	if err != nil {
		return nil, answer(err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = sftp.ErrSSHFxFailure
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	f.session.opened.Add(1)
	return &handle{file: file, append: flags.Append, session: f.session}, nil
}

// newMode is a new file's mode. The library does not pass on which attributes
// came with the request, but permissions are the only four bytes there are.
func newMode(attrs []byte) fs.FileMode {
	if len(attrs) != 4 {
		return 0o644
	}
	return fs.FileMode(binary.BigEndian.Uint32(attrs)) & modeBits
}

// Filecmd changes what is not a file's content.
func (f *files) Filecmd(r *sftp.Request) error {
	name, target := local(r.Filepath), local(r.Target)
	switch r.Method {
	case "Setstat":
		return answer(f.setstat(r, name))
	case "Rename":
		// SFTP version 3: a rename never overwrites.
		return answer(noreplace.Rename(f.root, name, target))
	case "Rmdir", "Remove":
		return f.remove(name, r.Method == "Rmdir")
	case "Mkdir":
		return answer(f.root.Mkdir(name, 0o755))
	case "Link":
		return answer(f.root.Link(name, target))
	case "Symlink":
		return f.symlink(r.Filepath, target)
	default:
		return sftp.ErrSSHFxOpUnsupported
	}
}

// PosixRename replaces what is there.
func (f *files) PosixRename(r *sftp.Request) error {
	return answer(f.root.Rename(local(r.Filepath), local(r.Target)))
}

func (f *files) remove(name string, folder bool) error {
	info, err := f.root.Lstat(name)
	switch {
	case err != nil:
		return answer(err)
	case name == ".":
		return sftp.ErrSSHFxPermissionDenied
	case info.IsDir() != folder:
		return sftp.ErrSSHFxFailure
	}
	if err := f.root.Remove(name); err != nil {
		return answer(err)
	}
	f.session.removed.Add(1)
	return nil
}

// symlink makes a link. An absolute target is what the client sees as one, so
// the link is made relative: then the site's programs, which see other
// absolute paths, follow it to the same place.
func (f *files) symlink(target, link string) error {
	if path.IsAbs(target) {
		relative, err := filepath.Rel(filepath.Join("/", filepath.Dir(link)), path.Clean(target))
		if err != nil {
			return sftp.ErrSSHFxFailure
		}
		target = relative
	} else if inside := filepath.Join(filepath.Dir(link), target); !filepath.IsLocal(inside) {
		return sftp.ErrSSHFxPermissionDenied
	}
	return answer(f.root.Symlink(target, link))
}

func (f *files) setstat(r *sftp.Request, name string) error {
	flags, to := r.AttrFlags(), r.Attributes()
	if to == nil {
		return sftp.ErrSSHFxBadMessage
	}
	if flags.UidGid && (int(to.UID) != os.Geteuid() || int(to.GID) != os.Getegid()) {
		return syscall.EPERM
	}
	if flags.Size {
		if err := f.truncate(name, int64(to.Size)); err != nil {
			return err
		}
	}
	if flags.Permissions {
		if err := f.root.Chmod(name, to.FileMode()&modeBits); err != nil {
			return err
		}
	}
	if flags.Acmodtime {
		return f.root.Chtimes(name, to.AccessTime(), to.ModTime())
	}
	return nil
}

func (f *files) truncate(name string, size int64) error {
	file, err := f.root.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Truncate(size), file.Close())
}

// StatVFS answers df: how much room the site has left.
func (f *files) StatVFS(r *sftp.Request) (*sftp.StatVFS, error) {
	file, err := f.root.OpenFile(local(r.Filepath), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, answer(err)
	}
	defer func() { _ = file.Close() }()
	var s unix.Statfs_t
	if err := unix.Fstatfs(int(file.Fd()), &s); err != nil {
		return nil, err
	}
	return &sftp.StatVFS{
		Bsize: uint64(s.Bsize), Frsize: uint64(s.Frsize), Blocks: s.Blocks, Bfree: s.Bfree, Bavail: s.Bavail,
		Files: s.Files, Ffree: s.Ffree, Favail: s.Ffree, Namemax: uint64(s.Namelen),
	}, nil
}
