package door

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/orders"
)

// call is one order under way.
type call struct {
	session *ssh.Session
	client  *ssh.Client
	late    *time.Timer
	broken  atomic.Bool // the connection gives no sign of life
	ended   atomic.Bool // the last answer is there
	hear    func(orders.Answer)

	mu    sync.Mutex
	wrong error // of who sends the content
}

// giveUp ends the connection, with all that is under way on it: when one order hears
// nothing for so long, the others don't either.
func (c *call) giveUp() {
	c.broken.Store(true)
	_ = c.client.Close()
}

// ping tells whether the connection still is one.
func (c *call) ping() error {
	_, _, err := c.client.SendRequest("keepalive@openssh.com", true, nil)
	return err
}

// send writes the order and its content. When the site takes no more of it the answer
// says why, or that there is none; only a sender who fails is told of from here.
func (c *call) send(to io.WriteCloser, line []byte, in io.Reader) {
	defer func() { _ = to.Close() }()
	if _, err := to.Write(line); err != nil || in == nil {
		return
	}
	if err := c.pieces(to, in); err != nil && !c.ended.Load() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.wrong = err
	}
}

// pieces passes the content on. A reader that fails ends the order without the end
// of the content, so that a part is not taken for the whole.
func (c *call) pieces(to io.Writer, in io.Reader) error {
	buffer := make([]byte, 128<<10)
	for {
		n, err := in.Read(buffer)
		if n > 0 {
			if _, wrong := to.Write(buffer[:n]); wrong != nil {
				return nil //nolint:nilerr // the answer says why nobody takes it any more
			}
			c.late.Reset(patience)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			_ = c.session.Close()
			return fmt.Errorf("read the content: %w", err)
		}
	}
}

func (c *call) fault() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wrong
}
