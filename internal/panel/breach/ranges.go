package breach

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// known is how much of a hash the service is told: five digits, which about a
	// thousand breached passwords share, and endlessly many others.
	known = 5
	// patience bounds a question; a person waits for it.
	patience = 5 * time.Second
	// maxRange bounds an answer, of some 40 kB, in bytes.
	maxRange = 1 << 20
)

// ranges is a service that answers with all hashes that begin alike.
type ranges struct {
	address string
	client  *http.Client
}

func newRanges(address string, by http.RoundTripper) *ranges {
	return &ranges{address: strings.TrimSuffix(address, "/") + "/", client: &http.Client{
		Transport: by, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Has implements List.
func (s *ranges) Has(ctx context.Context, password string) (bool, error) {
	hash := hashOf(password)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address+hash[:known], nil)
	if err != nil {
		return false, fmt.Errorf("ask for breached passwords: %w", err)
	}
	r.Header.Set("User-Agent", "Kubepanel")
	r.Header.Set("Add-Padding", "true") // or the answer's size would tell who listens which five they were
	answer, err := s.client.Do(r)
	if err != nil {
		if whole, ok := errors.AsType[*url.Error](err); ok {
			err = whole.Err // its text has the five characters
		}
		return false, fmt.Errorf("ask for breached passwords: %s: %w", s.address, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return false, fmt.Errorf("ask for breached passwords: %s answered %s", s.address, answer.Status)
	}
	body := &io.LimitedReader{R: answer.Body, N: maxRange}
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		rest, seen, err := parse(lines.Text(), hashSize-known)
		if err != nil {
			return false, fmt.Errorf("ask for breached passwords: %s answered with %w", s.address, err)
		}
		if seen && rest == hash[known:] {
			return true, nil
		}
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("ask for breached passwords: %w", err)
	}
	if body.N == 0 {
		return false, fmt.Errorf("ask for breached passwords: %s answered with more than %d bytes", s.address, maxRange)
	}
	return false, nil
}
