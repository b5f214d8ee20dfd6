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
	mu    sync.Mutex
	at    time.Time
	looks bool
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
	s.glance.mu.Lock()
	defer s.glance.mu.Unlock()
	if now := p.Now(); s.glance.at.IsZero() || now.Sub(s.glance.at) >= scannerSeen {
		ctx, stop := context.WithTimeout(ctx, scannerGlance)
		defer stop()
		_, err := s.Scanner.Version(ctx)
		s.glance.at, s.glance.looks = now, err == nil
	}
	if s.glance.looks {
		return ScannerLooks, nil
	}
	return ScannerAway, nil
}
