package sftpd

import (
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

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
	folder, err := f.root.Open(name)
	if err != nil {
		return nil, answer(err)
	}
	defer func() { _ = folder.Close() }()
	infos, err := folder.Readdir(-1)
	if err != nil {
		return nil, answer(err)
	}
	slices.SortFunc(infos, func(a, b fs.FileInfo) int { return strings.Compare(a.Name(), b.Name()) })
	return listing(infos), nil
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

// listing is what a folder held when it was opened.
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
