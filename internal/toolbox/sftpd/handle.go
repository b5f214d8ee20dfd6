package sftpd

import (
	"os"
	"sync"
)

// handle is an open file that counts what moves through it.
type handle struct {
	file    *os.File
	append  bool
	mu      sync.Mutex // orders what is appended
	session *session
}

// ReadAt reads from an offset.
func (h *handle) ReadAt(p []byte, offset int64) (int, error) {
	n, err := h.file.ReadAt(p, offset)
	h.session.read.Add(int64(n))
	return n, err
}

// WriteAt writes at an offset, or at the end when the client opened the file
// for appending.
func (h *handle) WriteAt(p []byte, offset int64) (int, error) {
	n, err := h.write(p, offset)
	h.session.written.Add(int64(n))
	return n, err
}

func (h *handle) write(p []byte, offset int64) (int, error) {
	if !h.append {
		return h.file.WriteAt(p, offset)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	info, err := h.file.Stat()
	if err != nil {
		return 0, err
	}
	return h.file.WriteAt(p, info.Size())
}

// Close closes the file.
func (h *handle) Close() error { return h.file.Close() }
