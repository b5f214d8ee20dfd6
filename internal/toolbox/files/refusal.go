package files

import (
	"errors"
	"io/fs"
	"syscall"

	"kubepanel.io/kubepanel/internal/orders"
)

// refusal is an error that the panel has a sentence for.
type refusal struct{ code, path string }

func (r *refusal) Error() string { return r.code + ": " + r.path }

func refuse(code, path string) error { return &refusal{code, path} }

// answer turns how an order ended into the last line about it.
func (w *work) answer(err error) orders.Answer {
	a := orders.Answer{Done: true, Size: w.size, Entries: w.entries}
	if err == nil {
		return a
	}
	a.Cause = err.Error()
	if r, ok := errors.AsType[*refusal](err); ok {
		a.Code, a.Path = r.code, r.path
		return a
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		a.Path = "/" + local(p.Path)
	}
	a.Code = codeOf(err)
	return a
}

// codeOf reads what the system said. What it did not say itself is the root's
// refusal to leave it.
func codeOf(err error) string {
	errno, system := errors.AsType[syscall.Errno](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return orders.Missing
	case errors.Is(err, fs.ErrExist), errno == syscall.ENOTEMPTY:
		return orders.Exists
	case errno == syscall.ENOSPC, errno == syscall.EDQUOT:
		return orders.Full
	case errno == syscall.ENOTDIR:
		return orders.NotFolder
	case errno == syscall.EISDIR, errno == syscall.ENXIO:
		return orders.NotFile
	case errno == syscall.EINVAL && system:
		return orders.Inside
	case errors.Is(err, fs.ErrPermission), errno == syscall.EROFS, errno == syscall.ELOOP, errno == syscall.EXDEV:
		return orders.Refused
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok && !system {
		return orders.Refused
	}
	return orders.Failed
}
