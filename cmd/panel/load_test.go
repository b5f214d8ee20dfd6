package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// wire is one connection to the panel that is kept open: a whole request is written
// at once, and its answer read and forgotten. net/http's client would take as much of
// the processor as the page itself, which runs beside it.
type wire struct {
	conn    net.Conn
	in      *bufio.Reader
	request []byte
}

func newWire(t testing.TB, at, path, cookie string) *wire {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at)
	must(t, err)
	t.Cleanup(func() { conn.Close() }) // nothing more is said
	return &wire{conn: conn, in: bufio.NewReaderSize(conn, 32<<10), request: []byte(
		"GET " + path + " HTTP/1.1\r\nHost: panel.localhost\r\nUser-Agent: bench\r\nAccept-Encoding: identity\r\nCookie: " + cookie + "\r\n\r\n")}
}

// ask sends the request once more and returns how many octets its page has.
func (w *wire) ask() (int64, error) {
	if _, err := w.conn.Write(w.request); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(w.in, nil)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close() // it was read
	size, err := io.Copy(io.Discard, answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusNoContent {
		err = fmt.Errorf("the page = %d to %q", answer.StatusCode, answer.Header.Get("Location"))
	}
	return size, err
}

// after asks one time after the other, and returns how long each took, sorted.
func (w *wire) after(t testing.TB, times int) []time.Duration {
	t.Helper()
	took := make([]time.Duration, 0, times)
	for range times {
		began := time.Now()
		_, err := w.ask()
		must(t, err)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took
}

// saturate lets some connections ask without pause for a while, and returns how many
// requests were answered in a second.
func saturate(t testing.TB, wires []*wire, during time.Duration) float64 {
	t.Helper()
	var answered atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	end := began.Add(during)
	for _, w := range wires {
		all.Go(func() {
			for time.Now().Before(end) {
				if _, err := w.ask(); err != nil {
					t.Error(err)
					return
				}
				answered.Add(1)
			}
		})
	}
	all.Wait()
	return float64(answered.Load()) / time.Since(began).Seconds()
}

// arrive asks at a steady rate whatever became of the requests before, and returns
// how long after its due time each was answered, sorted: a panel that stands still
// for a moment is late for all that would have come meanwhile.
func arrive(t testing.TB, wires []*wire, perSecond int, during time.Duration) []time.Duration {
	t.Helper()
	count := perSecond * int(during.Seconds())
	took := make([]time.Duration, count)
	due := make(chan int, count)
	began := time.Now()
	at := func(n int) time.Time { return began.Add(time.Duration(n) * time.Second / time.Duration(perSecond)) }
	var all sync.WaitGroup
	for _, w := range wires {
		all.Go(func() {
			for n := range due {
				if _, err := w.ask(); err != nil {
					t.Error(err)
					return
				}
				took[n] = time.Since(at(n))
			}
		})
	}
	for n := range count {
		time.Sleep(time.Until(at(n)))
		due <- n
	}
	close(due)
	all.Wait()
	slices.Sort(took)
	return took
}

// quantile of sorted values.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(q*float64(len(sorted)-1))]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
