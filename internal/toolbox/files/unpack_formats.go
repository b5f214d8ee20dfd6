package files

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"kubepanel.io/kubepanel/internal/orders"
)

const (
	// maxDirectory is how much of a zip is read to learn what is in it, in octets: the list
	// is held in memory, about five times as large, and the smallest toolbox has 24 MiB. It
	// is enough for some 20,000 entries.
	maxDirectory = 2 << 20
	// maxTarget is the longest target of a link.
	maxTarget = 4096
)

// broken says that an archive can't be read. What the volume or the sender did wrong
// stays that.
func (u *unpacking) broken(err error) error {
	if _, ok := errors.AsType[*refusal](err); ok || codeOf(err) != orders.Failed {
		return err
	}
	return fmt.Errorf("%w: %w", refuse(orders.Broken, u.Path), err)
}

// tar unpacks a tar, compressed by gzip or not.
func (u *unpacking) tar(archive *os.File) error {
	in := bufio.NewReaderSize(archive, 64<<10)
	var from io.Reader = in
	if magic, err := in.Peek(2); err == nil && bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return u.broken(err)
		}
		from = z
	}
	t := tar.NewReader(from)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return u.something()
		}
		if err != nil {
			return u.broken(err)
		}
		e := entry{name: h.Name, mode: h.FileInfo().Mode(), target: h.Linkname, content: t}
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeDir, tar.TypeSymlink:
		case tar.TypeLink:
			if err := u.link(h); err != nil {
				return err
			}
			continue
		default:
			continue // devices, pipes and remarks
		}
		if err := u.put(e); err != nil {
			return u.broken(err)
		}
	}
}

// link makes a second name of a file of the same archive.
func (u *unpacking) link(h *tar.Header) error {
	name, err := inside(h.Name)
	if err != nil {
		return err
	}
	target, err := inside(h.Linkname)
	if err != nil {
		return err
	}
	return within(u.into.Link(target, name), h.Name)
}

// something refuses an archive without anything in it: most often it is none.
func (u *unpacking) something() error {
	if u.entries == 0 {
		return refuse(orders.Broken, u.Path)
	}
	return nil
}

// zip unpacks a zip.
func (u *unpacking) zip(archive *os.File, size int64) error {
	// What an archive says of the length of its list can't be believed.
	from := &purse{ReaderAt: archive, left: maxDirectory}
	z, err := zip.NewReader(from, size)
	if from.left < 0 {
		return refuse(orders.TooMany, u.Path)
	}
	if err != nil {
		return u.broken(err)
	}
	from.full = true
	for _, f := range z.File {
		if err := u.zipped(f); err != nil {
			return u.broken(err)
		}
	}
	return u.something()
}

func (u *unpacking) zipped(f *zip.File) error {
	mode := f.Mode()
	if strings.HasSuffix(f.Name, "/") || strings.HasSuffix(f.Name, `\`) {
		mode = fs.ModeDir
	}
	if mode.IsDir() {
		return u.put(entry{name: f.Name, mode: mode})
	}
	content, err := f.Open()
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // only read
	e := entry{name: f.Name, mode: mode, content: content}
	if mode&fs.ModeSymlink != 0 {
		target, err := io.ReadAll(io.LimitReader(content, maxTarget))
		if err != nil {
			return err
		}
		e.target = string(target)
	}
	return u.put(e)
}

// purse is an archive of which only so much may be read, until it is full.
type purse struct {
	io.ReaderAt

	left int64
	full bool
}

// ReadAt reads, and refuses when too much was read.
func (p *purse) ReadAt(b []byte, offset int64) (int, error) {
	n, err := p.ReaderAt.ReadAt(b, offset)
	if p.left -= int64(n); p.left < 0 && !p.full {
		return 0, refuse(orders.TooMany, "/")
	}
	return n, err
}
