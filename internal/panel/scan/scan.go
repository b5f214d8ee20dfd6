// Package scan has files looked at by a virus scanner. What becomes of one that is
// harmful, or that nobody could look at, is hosting's to say, never this package's.
package scan

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

const (
	// chunk is how much is sent at once, in octets: it is all that is held of a file.
	chunk = 64 << 10
	// stall is how long the scanner may take nothing of a file, and patience how long it may
	// think when it has all of it: clamd's MaxScanTime is 2 minutes.
	stall    = time.Minute
	patience = 5 * time.Minute
	// atOnce is how many files are looked at at once; clamd's MaxThreads is 10.
	atOnce = 4
	// maxReply bounds an answer, in octets.
	maxReply = 4 << 10
	// maxVersion bounds what is kept of a version.
	maxVersion = 200
)

// Clamd asks ClamAV's daemon by its INSTREAM command (clamd(8)).
type Clamd struct {
	// Secure says of each connection to a tls:// address whom we believe and what we show;
	// nil: the system's authorities, and nothing.
	Secure func(context.Context) (*tls.Config, error)
	// Largest is what is sent of a file, in octets; 0: all of it. The scanner itself says when a
	// file is too large for it, but what ends TLS before it may lose that: who writes to
	// somebody who hung up need not read what was said before.
	Largest int64

	network, address string
	// host is whom the other side of a tls:// address has to be; "" elsewhere.
	host   string
	places chan struct{}
}

// Open prepares asking the clamd at tls://HOST:PORT, tcp://HOST:PORT (in clear) or
// unix:///PATH. It may be away.
func Open(address string) (*Clamd, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("read the scanner's address: %w", err)
	}
	c := &Clamd{network: u.Scheme, places: make(chan struct{}, atOnce)}
	switch {
	case (u.Scheme == "tcp" || u.Scheme == "tls") && u.Hostname() != "" && u.Port() != "" && u.Path == "":
		c.network, c.address = "tcp", u.Host
		if u.Scheme == "tls" {
			c.host = u.Hostname()
		}
	case u.Scheme == "unix" && u.Host == "" && u.Path != "":
		c.address = u.Path
	default:
		return nil, fmt.Errorf("the scanner's address %q is neither tls://HOST:PORT, tcp://HOST:PORT nor unix:///PATH", address)
	}
	return c, nil
}

// Scan implements hosting.Scanner.
func (c *Clamd) Scan(ctx context.Context, content io.Reader) (string, error) {
	select {
	case c.places <- struct{}{}:
		defer func() { <-c.places }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	conn, err := c.reach(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })() // ends what waits
	// The answer is waited for from the start: a scanner that will take no more says so
	// and hangs up, after which its answer may not be read any more.
	answered := make(chan reply, 1)
	go func() { answered <- hear(conn) }()
	sent := c.send(ctx, conn, content, answered)
	if errors.Is(sent, hosting.ErrTooLargeToScan) {
		return "", sent
	}
	if errors.Is(sent, errAnswered) || sent == nil {
		_ = conn.SetReadDeadline(time.Now().Add(patience)) // a closed connection is told by reading
	} else {
		_ = conn.SetReadDeadline(time.Now().Add(time.Second)) // why it hung up may be on its way
	}
	got := <-answered
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case got.err == nil:
		return verdict(got.text)
	case sent != nil && !errors.Is(sent, errAnswered):
		return "", fmt.Errorf("send a file to the scanner: %w", sent)
	}
	return "", c.unheard(got.err)
}

// Version implements hosting.Scanner by clamd's VERSION: the program's, the database's and
// when that was made. It takes no place from files.
func (c *Clamd) Version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, stall)
	defer cancel()
	conn, err := c.reach(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })() // ends what waits
	if _, err := conn.Write([]byte("zVERSION\x00")); err != nil {
		return "", fmt.Errorf("ask the scanner for its version: %w", err)
	}
	got := hear(conn)
	if got.err != nil {
		return "", c.unheard(got.err)
	}
	version := strings.ToValidUTF8(got.text, "")
	if !strings.HasPrefix(version, "ClamAV ") {
		return "", fmt.Errorf("the scanner said %q", got.text)
	}
	return version[:min(len(version), maxVersion)], nil
}

// reach connects, and makes sure who is there before anything is said. Whether who is there
// takes us for the panel shows later: in TLS 1.3 it is told with the first answer.
func (c *Clamd) reach(ctx context.Context) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: stall}
	var conn net.Conn
	var err error
	if c.host == "" {
		conn, err = dialer.DialContext(ctx, c.network, c.address)
	} else {
		conn, err = c.reachTLS(ctx, dialer)
	}
	if err != nil {
		return nil, fmt.Errorf("reach the scanner: %w", err)
	}
	return conn, nil
}

func (c *Clamd) reachTLS(ctx context.Context, dialer *net.Dialer) (net.Conn, error) {
	config := &tls.Config{}
	if c.Secure != nil {
		given, err := c.Secure(ctx)
		if err != nil {
			return nil, err
		}
		config = given.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = c.host
	}
	config.MinVersion = tls.VersionTLS13
	return (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, c.network, c.address)
}

// errAnswered ends sending to a scanner that has said all it will.
var errAnswered = errors.New("the scanner has answered")

// send sends a file in chunks, each after its length in four octets, and an empty one
// at the end. A file that can't be read ends without that, so that half of one is never
// found harmless.
func (c *Clamd) send(ctx context.Context, conn net.Conn, content io.Reader, answered chan reply) error {
	buffer := make([]byte, 4+chunk)
	if _, err := conn.Write([]byte("zINSTREAM\x00")); err != nil {
		return err
	}
	for total := int64(0); ; {
		n, err := io.ReadFull(content, buffer[4:])
		if total += int64(n); c.Largest > 0 && total > c.Largest {
			_ = conn.Close() // nobody needs the answer
			return hosting.ErrTooLargeToScan
		}
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			_ = conn.Close() // nobody needs the answer
			return err
		}
		end := err != nil
		if ctx.Err() != nil {
			return ctx.Err()
		}
		select {
		case got := <-answered:
			answered <- got
			return errAnswered
		default:
		}
		if err := conn.SetWriteDeadline(time.Now().Add(stall)); err != nil {
			return err
		}
		binary.BigEndian.PutUint32(buffer, uint32(n))
		if n > 0 {
			if _, err := conn.Write(buffer[:4+n]); err != nil {
				return err
			}
		}
		if end {
			_, err := conn.Write(make([]byte, 4))
			return err
		}
	}
}

// unheard is the error of a scanner that did not answer.
func (c *Clamd) unheard(err error) error {
	if c.host != "" && errors.Is(err, io.EOF) { // it says no more to who is not let in
		return fmt.Errorf("hear the scanner: it hung up, as it does with who shows no certificate that it takes: %w", err)
	}
	return fmt.Errorf("hear the scanner: %w", err)
}

// reply is what the scanner said.
type reply struct {
	text string
	err  error
}

// hear reads an answer up to the NUL that ends it.
func hear(conn net.Conn) reply {
	var text []byte
	buffer := make([]byte, 512)
	for len(text) <= maxReply {
		n, err := conn.Read(buffer)
		text = append(text, buffer[:n]...)
		if before, _, ended := strings.Cut(string(text), "\x00"); ended {
			return reply{text: before}
		}
		if err != nil {
			return reply{err: err}
		}
	}
	return reply{err: errors.New("an answer without an end")}
}

// verdict reads an answer: what was found, or nothing, or why nobody could look.
func verdict(text string) (string, error) {
	if strings.HasPrefix(text, "INSTREAM size limit exceeded") {
		return "", hosting.ErrTooLargeToScan
	}
	said, ok := strings.CutPrefix(text, "stream: ")
	if !ok {
		return "", fmt.Errorf("the scanner said %q", text)
	}
	if said == "OK" {
		return "", nil
	}
	if found, ok := strings.CutSuffix(said, " FOUND"); ok && found != "" {
		return found, nil
	}
	return "", fmt.Errorf("the scanner said %q", text)
}
