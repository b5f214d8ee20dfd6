package sftpd

import (
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/pkg/sftp"
)

// Filelist lists a folder, or describes what a name leads to.
func (f *files) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	name := local(r.Filepath)
	if r.Method == "Stat" {
		info, err := f.root.Stat(name)
		if err != nil {
			return nil, answer(err)
		}
		return listing{info}, nil
	}
	// What is no folder is refused by the system: a FIFO would wait for its other end.
	opened, err := f.root.OpenFile(name, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, answer(err)
	}
	return &folder{file: opened}, nil
}

// Lstat describes a name itself, if it is a link, too.
func (f *files) Lstat(r *sftp.Request) (sftp.ListerAt, error) {
	info, err := f.root.Lstat(local(r.Filepath))
	if err != nil {
		return nil, answer(err)
	}
	return listing{info}, nil
}

// Readlink tells where a link leads.
func (f *files) Readlink(name string) (string, error) {
	target, err := f.root.Readlink(local(name))
	return filepath.ToSlash(target), answer(err)
}

// RealPath makes a path absolute. Links stay: resolving them would show paths
// that the client can't use.
func (f *files) RealPath(name string) (string, error) { return path.Clean("/" + name), nil }

// folder is a folder that is being listed, in the system's order: a site may have one with
// more names than the toolbox has memory for.
type folder struct {
	mu   sync.Mutex
	file *os.File
}

// ListAt copies the next entries; the library asks for one part after the other.
func (f *folder) ListAt(into []fs.FileInfo, _ int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	infos, err := f.file.Readdir(len(into))
	return copy(into, infos), answer(err)
}

// Close closes the folder.
func (f *folder) Close() error { return f.file.Close() }

// listing is what one name is.
type listing []fs.FileInfo

// ListAt copies entries from an offset on.
func (l listing) ListAt(into []fs.FileInfo, offset int64) (int, error) {
	if offset < 0 || offset >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(into, l[offset:])
	if n < len(into) {
		return n, io.EOF
	}
	return n, nil
}
