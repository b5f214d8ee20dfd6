package hosting

import (
	"context"
	"sync"
	"time"
)

// ScannerState is whether anybody looks at files.
type ScannerState string

// States of the scanner.
const (
	ScannerNone  ScannerState = "none"  // there is none
	ScannerAway  ScannerState = "away"  // it does not answer, as before it has its first signatures
	ScannerLooks ScannerState = "looks" // it does
)

const (
	// scannerGlance is how long a page waits for the scanner, which answers within milliseconds
	// but when it is reading other signatures.
	scannerGlance = 2 * time.Second
	// scannerSeen is how long an answer counts.
	scannerSeen = 30 * time.Second
)

// glance remembers how the scanner was.
type glance struct {
	mu      sync.Mutex
	at      time.Time
	looks   bool
	looking bool // somebody asks it just now
}

// due tells whether the scanner is to be asked, by the caller then.
func (g *glance) due(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.looking || !g.at.IsZero() && now.Sub(g.at) < scannerSeen {
		return false
	}
	g.looking = true
	return true
}

// saw notes how the scanner was.
func (g *glance) saw(now time.Time, looks bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at, g.looks, g.looking = now, looks, false
}

// ScannerState tells an administrator whether anybody looks at files, as it was within the
// last half minute.
func (p *Provider) ScannerState(ctx context.Context, a Actor) (ScannerState, error) {
	if err := May(a, RightPlatformView, Object{}); err != nil {
		return "", err
	}
	s := p.Scanning
	if s == nil {
		return ScannerNone, nil
	}
	// One asks, whoever goes away meanwhile; for others what was known counts.
	if now := p.Now(); s.glance.due(now) {
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), scannerGlance)
		defer stop()
		_, err := s.Scanner.Version(ctx)
		s.glance.saw(now, err == nil)
	}
	s.glance.mu.Lock()
	defer s.glance.mu.Unlock()
	if s.glance.looks {
		return ScannerLooks, nil
	}
	return ScannerAway, nil
}
