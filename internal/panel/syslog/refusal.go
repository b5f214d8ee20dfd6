package syslog

import (
	"sync"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// mostRefusals bounds what is held of refusals, some hundred octets each.
const mostRefusals = 1000

// Refusal is what somebody was refused. It stands in no trail, which is for what was done.
type Refusal struct {
	At    time.Time
	Actor hosting.Actor
	Code  hosting.Code
	// Doing is the route or operation that was asked for.
	Doing string
}

// refusals are those that wait for the log server, in memory: they end with the panel, and
// of more than it holds the newest are counted alone.
type refusals struct {
	mu     sync.Mutex
	wait   []Refusal
	missed int64
}

// Refused notes a refusal for the next turn. It holds nobody up.
func (s *Sender) Refused(r Refusal) {
	q := &s.refused
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.wait) == mostRefusals {
		q.missed++
		return
	}
	q.wait = append(q.wait, r)
}

// waiting returns those that wait and how many were missed behind them.
func (q *refusals) waiting() ([]Refusal, int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.wait[:len(q.wait):len(q.wait)], q.missed
}

// sent forgets what waiting returned.
func (q *refusals) sent(count int, missed int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wait = append([]Refusal(nil), q.wait[count:]...)
	q.missed -= missed
}
