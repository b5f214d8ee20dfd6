package rest

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is how often an account, or an address without a token, may ask: so many times
// a second for good, and Burst at once.
type Rate struct {
	Each  float64 // requests a second
	Burst int
}

// usualRate is far above what a program needs that waits for its answers, and far
// below what the panel can answer.
var usualRate = Rate{Each: 20, Burst: 100}

// maxAskers bounds how many are remembered. Who is forgotten begins anew, which is
// only so for those who have not asked for longest.
const maxAskers = 10_000

// limits counts requests in the memory of this process: with several panels behind one
// address an account may ask each of them.
type limits struct {
	rate Rate

	mu     sync.Mutex
	askers map[string]*asker
}

type asker struct {
	bucket *rate.Limiter
	last   time.Time
}

func newLimits(r Rate) *limits { return &limits{rate: r, askers: map[string]*asker{}} }

// take counts a request and returns 0, or after how many seconds to ask again.
func (l *limits) take(who string, now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	a, ok := l.askers[who]
	if !ok {
		l.forget(now)
		a = &asker{bucket: rate.NewLimiter(rate.Limit(l.rate.Each), l.rate.Burst)}
		l.askers[who] = a
	}
	a.last = now
	if a.bucket.AllowN(now, 1) {
		return 0
	}
	missing := 1 - a.bucket.TokensAt(now)
	return max(1, int(math.Ceil(missing/l.rate.Each)))
}

// forget makes room: first of who has a full bucket again, then of anybody.
func (l *limits) forget(now time.Time) {
	if len(l.askers) < maxAskers {
		return
	}
	full := time.Duration(float64(l.rate.Burst) / l.rate.Each * float64(time.Second))
	for who, a := range l.askers {
		if now.Sub(a.last) > full {
			delete(l.askers, who)
		}
	}
	for who := range l.askers {
		if len(l.askers) < maxAskers {
			return
		}
		delete(l.askers, who)
	}
}
