package scan_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/scan"
	"kubepanel.io/kubepanel/internal/panel/scan/scantest"
)

func open(t *testing.T, address string) *scan.Clamd {
	t.Helper()
	c, err := scan.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClamdFindsWhatItKnows(t *testing.T) {
	c := open(t, scantest.Start(t, "1M"))
	filler := strings.Repeat("harmless ", 50_000) // some chunks
	tests := map[string]struct {
		content io.Reader
		found   string
		err     error
	}{
		"nothing":            {content: strings.NewReader("")},
		"harmless":           {content: strings.NewReader(filler)},
		"harmful":            {content: strings.NewReader(scantest.Harmful), found: scantest.Name},
		"across two chunks":  {content: strings.NewReader(filler[:64<<10-20] + scantest.Harmful + filler[:1000]), found: scantest.Name},
		"one byte at a time": {content: iotest.OneByteReader(strings.NewReader(filler[:1000] + scantest.Harmful)), found: scantest.Name},
		"larger than it may": {content: bytes.NewReader(make([]byte, 8<<20)), err: hosting.ErrTooLargeToScan},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if found, err := c.Scan(t.Context(), test.content); found != test.found || !errors.Is(err, test.err) {
				t.Errorf("Scan = %q, %v, want %q, %v", found, err, test.found, test.err)
			}
		})
	}
	t.Run("cut off", func(t *testing.T) {
		cut := errors.New("the site is away")
		found, err := c.Scan(t.Context(), io.MultiReader(strings.NewReader(filler), iotest.ErrReader(cut)))
		if found != "" || !errors.Is(err, cut) {
			t.Errorf("Scan of half a file = %q, %v, want %v", found, err, cut)
		}
	})
}

// What it says of itself changes with what it knows.
func TestClamdTellsItsVersion(t *testing.T) {
	if version, err := open(t, scantest.Start(t, "1M")).Version(t.Context()); err != nil || !strings.HasPrefix(version, "ClamAV ") {
		t.Errorf("Version = %q, %v", version, err)
	}
}

// A scanner that takes a file and says nothing, or nonsense, is one that can't look.
func TestScannerThatDoesNotAnswer(t *testing.T) {
	for name, says := range map[string]string{"hangs up": "", "speaks something else": "HTTP/1.1 400 Bad Request\r\n\r\n\x00", "finds something without a name": "stream:  FOUND\x00"} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					_, _ = conn.Read(make([]byte, 100))
					_, _ = io.WriteString(conn, says)
					_ = conn.Close()
				}
			}()
			if found, err := open(t, "tcp://"+listener.Addr().String()).Scan(t.Context(), strings.NewReader("x")); err == nil || found != "" {
				t.Errorf("Scan = %q, %v, want an error", found, err)
			}
			if version, err := open(t, "tcp://"+listener.Addr().String()).Version(t.Context()); err == nil {
				t.Errorf("Version = %q, want an error", version)
			}
		})
	}
}

// Whoever does not wait any more waits no more.
func TestScanEndsWithItsRequest(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // takes everything and never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := open(t, "tcp://"+listener.Addr().String()).Scan(ctx, strings.NewReader("x")); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 30*time.Second {
		t.Errorf("Scan = %v after %s, want that it ends with its request", err, time.Since(began))
	}
}

func TestAddressOfAScanner(t *testing.T) {
	for address, good := range map[string]bool{"tcp://clamd.scan.svc:3310": true, "tcp://[::1]:3310": true, "tls://clamd.scan.svc:3310": true, "tls://clamd": false, "tls://clamd:3310/x": false, "unix:///run/clamd.ctl": true,
		"clamd:3310": false, "tcp://clamd": false, "tcp://:3310": false, "tcp://clamd:3310/x": false, "http://clamd:3310": false, "unix://clamd/x": false, "": false} {
		if _, err := scan.Open(address); (err == nil) != good {
			t.Errorf("Open(%q) = %v, want good %t", address, err, good)
		}
	}
}
