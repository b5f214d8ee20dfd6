package door

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/hosting"
)

// terminal is a shell in a site, on a connection of its own.
type terminal struct {
	io.Reader
	io.Writer

	client  *ssh.Client
	session *ssh.Session
	leave   func()
	once    sync.Once
}

// Terminal opens a site's shell on a terminal of that size.
func (d *Door) Terminal(ctx context.Context, v hosting.Visit, size hosting.TerminalSize) (hosting.Terminal, error) {
	now, cancel := context.WithCancel(ctx)
	cancel() // a terminal waits for no other
	const many = "Too many terminals of this site or of yours are open."
	up, ok := d.seated.enter(now, string(v.Account))
	if !ok {
		return nil, busy(many)
	}
	out, ok := d.shells.enter(now, v.Site)
	if !ok {
		up()
		return nil, busy(many)
	}
	t := &terminal{leave: func() { out(); up() }}
	client, err := d.dial(ctx, v.Site)
	if err == nil {
		t.client = client
		err = t.start(size)
	}
	if err != nil {
		_ = t.Close()
		return nil, hosting.NoAnswer(v.Site, err)
	}
	return t, nil
}

// start asks for the shell, within the time that a site may take to answer.
func (t *terminal) start(size hosting.TerminalSize) error {
	late := time.AfterFunc(dialTime, func() { _ = t.client.Close() })
	defer late.Stop()
	var err error
	if t.session, err = t.client.NewSession(); err != nil {
		return err
	}
	if t.Writer, err = t.session.StdinPipe(); err != nil {
		return err
	}
	if t.Reader, err = t.session.StdoutPipe(); err != nil {
		return err
	}
	if err := t.session.RequestPty("xterm-256color", size.Rows, size.Columns, nil); err != nil {
		return fmt.Errorf("ask for a terminal: %w", err)
	}
	if err := t.session.Shell(); err != nil {
		return fmt.Errorf("ask for a shell: %w", err)
	}
	return nil
}

// Resize tells the shell how large the terminal is now.
func (t *terminal) Resize(size hosting.TerminalSize) error {
	return t.session.WindowChange(size.Rows, size.Columns)
}

// Close ends the shell.
func (t *terminal) Close() error {
	var err error
	t.once.Do(func() {
		defer t.leave()
		if t.client != nil {
			err = t.client.Close()
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
	})
	return err
}
