package sshd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/crypto/ssh"
)

// Version is what our servers call themselves (RFC 4253 section 4.2).
const Version = "SSH-2.0-Kubepanel"

const (
	// maxHello is more than any client's first words take: OpenSSH's are 1.6 kB.
	maxHello = 8 << 10
	// helloTime is how long a client may keep its ciphers to itself before it is
	// offered them all: one that waits for ours would otherwise wait for ever.
	helloTime = 2 * time.Second
)

// ErrLeft says that somebody left before SSH began: a probe, most often.
var ErrLeft = errors.New("left before a word of SSH")

// Handshake signs in who comes, as config says, with the fastest cipher that
// they know. In SSH the client's order decides (RFC 4253 section 7.1), and
// OpenSSH's client puts AES-GCM last, which takes a third of the time of AES-CTR
// with its checksum. So we look at what a client offers before we offer.
func Handshake(c *Conn, config *ssh.ServerConfig) (*ssh.ServerConn, <-chan ssh.NewChannel, <-chan *ssh.Request, error) {
	config.ServerVersion = Version
	said, err := io.WriteString(c, Version+"\r\n")
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%w: %w", ErrLeft, err)
	}
	g := &greeted{Conn: c, in: bufio.NewReaderSize(c, maxHello), said: said}
	offered, err := g.hello()
	if err != nil {
		return nil, nil, nil, err
	}
	config.Ciphers = Ciphers()
	if fast := fastest(offered); len(fast) > 0 {
		config.Ciphers = fast
	}
	return ssh.NewServerConn(g, config)
}

// greeted is a connection on which we have said our version, so that the client
// could go on.
type greeted struct {
	*Conn
	in *bufio.Reader
	// said is how much the library has yet to say again, which is left out.
	said int
}

// hello returns what the client offers, nil when that can't be told. Nothing is
// taken from the connection. ErrLeft says that it has ended.
func (g *greeted) hello() (*offer, error) {
	_ = g.SetReadDeadline(earlier(g.signInEnd, time.Now().Add(helloTime)))
	defer func() { _ = g.SetReadDeadline(g.signInEnd) }()
	for need := 1; need <= maxHello; {
		if _, err := g.in.Peek(need); errors.Is(err, os.ErrDeadlineExceeded) {
			break
		} else if err != nil {
			return nil, ErrLeft
		}
		seen, _ := g.in.Peek(g.in.Buffered())
		var o *offer
		if o, need = parseHello(seen); o != nil || need == 0 {
			return o, nil
		}
	}
	return nil, nil //nolint:nilnil // it is for the client to say
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (g *greeted) Read(p []byte) (int, error) { return g.in.Read(p) }

func (g *greeted) Write(p []byte) (int, error) {
	again := min(g.said, len(p))
	g.said -= again
	if again == len(p) {
		return again, nil
	}
	n, err := g.Conn.Write(p[again:])
	return again + n, err
}
