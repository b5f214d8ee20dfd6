package lab

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// askEvery is how often a steady visitor asks: often enough to meet any gap that a
// person would, seldom enough not to be what the site is busy with.
const askEvery = 100 * time.Millisecond

// steadyVisitor asks one page all the while that somebody else changes the site,
// every other time over a connection of its own.
type steadyVisitor struct {
	visitor visitor
	url     string
	want    string // what the page has to contain
	reports chan chan visits
}

// visits is what a steady visitor met since he was asked last.
type visits struct {
	asked   int
	failed  []string
	longest time.Duration
}

// steadily starts a visitor who asks until the test ends.
func (v visitor) steadily(t testing.TB, url, want string) *steadyVisitor {
	t.Helper()
	s := &steadyVisitor{visitor: v, url: url, want: want, reports: make(chan chan visits)}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); s.ask(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return s
}

// report tells of the visits since the last report, the last of which begins now: a
// change may be made sooner than the next one is due. No request is under way when it
// returns, so none counts for what comes after.
func (s *steadyVisitor) report() visits {
	answer := make(chan visits)
	s.reports <- answer
	return <-answer
}

func (s *steadyVisitor) ask(ctx context.Context) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for met := (visits{}); ; {
		select {
		case <-ctx.Done():
			return
		case answer := <-s.reports:
			s.visit(ctx, &met)
			answer <- met
			met = visits{}
		case <-tick.C:
			s.visit(ctx, &met)
		}
	}
}

// visit asks once and notes what came, unless the test has ended.
func (s *steadyVisitor) visit(ctx context.Context, met *visits) {
	if met.asked%2 == 1 {
		s.visitor.http.CloseIdleConnections()
	}
	started := time.Now()
	if got, err := s.visitor.get(ctx, s.url); ctx.Err() == nil {
		met.note(started, s.fault(got, err))
	}
}

// note counts one visit.
func (m *visits) note(started time.Time, fault string) {
	m.asked++
	m.longest = max(m.longest, time.Since(started))
	if fault != "" {
		m.failed = append(m.failed, fmt.Sprintf("%s after %s: %s", started.Format("15:04:05.000"), time.Since(started).Round(time.Millisecond), fault))
	}
}

// fault says what is wrong with an answer. Being sent to another of the site's
// names is an answer.
func (s *steadyVisitor) fault(got page, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case got.status == http.StatusMovedPermanently, got.status == http.StatusPermanentRedirect:
		return ""
	case got.status != http.StatusOK || !strings.Contains(got.body, s.want):
		return fmt.Sprintf("%d %.100q", got.status, got.body)
	}
	return ""
}

// String tells a few of what failed.
func (m visits) String() string {
	text := fmt.Sprintf("%d requests, %d failed, the slowest took %s", m.asked, len(m.failed), m.longest.Round(time.Millisecond))
	for _, f := range m.failed[:min(len(m.failed), 5)] {
		text += "\n  " + f
	}
	return text
}
