package files

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"

	"kubepanel.io/kubepanel/internal/orders"
)

// packer is an archive that grows.
type packer interface {
	// add begins an entry; content takes a file's.
	add(name string, info fs.FileInfo, target string) (content io.Writer, err error)
	Close() error
}

// pack puts names of a folder into an archive: the order's output, or a file that
// appears when it is whole.
func (w *work) pack() error {
	if w.To == "" {
		return w.packInto(w.out)
	}
	to := local(w.To)
	if _, err := w.root.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(refuse(orders.Exists, w.To), err)
	}
	draft, err := w.draft(to)
	if err != nil {
		return err
	}
	file, err := w.root.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, newFile)
	if err != nil {
		return err
	}
	err = errors.Join(w.packInto(file), file.Close())
	if err == nil {
		err = w.rename(draft, to)
	}
	if err != nil {
		_ = w.root.Remove(draft)
	}
	return err
}

func (w *work) packInto(out io.Writer) error {
	var p packer
	switch w.Format {
	case orders.Zip:
		p = zipPacker{zip.NewWriter(out)}
	case orders.TarGz:
		z, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
		if err != nil {
			return err
		}
		p = tarPacker{tar.NewWriter(z), z}
	default:
		return refuse(orders.Unknown, w.Format)
	}
	folder := local(w.Path)
	for _, name := range w.Paths {
		if name != base(name) || name == "." {
			return refuse(orders.Missing, name)
		}
		if err := w.packTree(p, folder, below(folder, name)); err != nil {
			return err
		}
	}
	return p.Close()
}

func (w *work) packTree(p packer, folder, from string) error {
	return w.walk(from, func(name string, _ fs.FileMode) error {
		if err := w.did(0, 1); err != nil {
			return err
		}
		info, err := w.root.Lstat(name)
		if err != nil {
			return err
		}
		inside := name
		if folder != "." {
			inside = name[len(folder)+1:]
		}
		switch kindOf(info.Mode()) {
		case orders.KindFolder:
			_, err = p.add(inside+"/", info, "")
		case orders.KindLink:
			var target string
			if target, err = w.root.Readlink(name); err == nil {
				_, err = p.add(inside, info, target)
			}
		case orders.KindFile:
			err = w.packFile(p, name, inside)
		}
		return err
	})
}

func (w *work) packFile(p packer, name, inside string) error {
	file, info, err := w.openFile(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	content, err := p.add(inside, info, "")
	if err != nil {
		return err
	}
	// One that grows meanwhile must not be longer than the archive says.
	return w.pieces(content, io.LimitReader(file, info.Size()))
}

type tarPacker struct {
	*tar.Writer

	z *gzip.Writer
}

func (p tarPacker) add(name string, info fs.FileInfo, target string) (io.Writer, error) {
	h, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return nil, err
	}
	// Owners are numbers of this pod, which mean nothing elsewhere.
	h.Name, h.Uid, h.Gid, h.Uname, h.Gname = name, 0, 0, "", ""
	return p.Writer, p.WriteHeader(h)
}

// Close writes the end of the archive.
func (p tarPacker) Close() error { return errors.Join(p.Writer.Close(), p.z.Close()) }

type zipPacker struct{ *zip.Writer }

func (p zipPacker) add(name string, info fs.FileInfo, target string) (io.Writer, error) {
	h, err := zip.FileInfoHeader(info)
	if err != nil {
		return nil, err
	}
	h.Name, h.Method = name, zip.Deflate
	content, err := p.CreateHeader(h)
	if err == nil && target != "" {
		_, err = io.WriteString(content, target)
	}
	return content, err
}
