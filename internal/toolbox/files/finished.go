package files

import (
	"sync"
	"time"

	"kubepanel.io/kubepanel/internal/orders"
)

const (
	// finishedLife is how long an upload that became a file is known, finishedMost how many
	// are, of some 200 octets each.
	finishedLife = 10 * time.Minute
	finishedMost = 1000
)

// finished are the uploads that became files just now, so that a sender who was not told
// so hears it when it asks again. A nil one knows none.
type finished struct {
	mu  sync.Mutex
	all map[string]finishedUpload
}

type finishedUpload struct {
	at         time.Time
	to, sender string
	mark       orders.Mark
}

// keep knows an upload that has just become what the order says.
func (f *finished) keep(w *work) {
	to := local(w.To)
	info, err := w.root.Lstat(to)
	if f == nil || w.Sender == "" || err != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil {
		f.all = map[string]finishedUpload{}
	}
	for part, u := range f.all {
		if time.Since(u.at) > finishedLife {
			delete(f.all, part)
		}
	}
	if len(f.all) < finishedMost {
		f.all[w.Part] = finishedUpload{time.Now(), to, w.Sender, markOf(info)}
	}
}

// is tells whether an order's upload became the file that it is meant to be, by the same
// sender, and nobody has touched that since.
func (f *finished) is(w *work) bool {
	if f == nil || w.Sender == "" {
		return false
	}
	f.mu.Lock()
	u, known := f.all[w.Part]
	f.mu.Unlock()
	to := local(w.To)
	if !known || u.to != to || u.sender != w.Sender || time.Since(u.at) > finishedLife {
		return false
	}
	info, err := w.root.Lstat(to)
	return err == nil && markOf(info) == u.mark
}
