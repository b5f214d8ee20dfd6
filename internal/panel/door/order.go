package door

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/orders"
)

// Order has a site's toolbox carry out an order: in is the content that goes with it,
// out takes what it gives; either may be nil. How the order ended is in the answer; an
// error says that nobody can tell.
func (d *Door) Order(ctx context.Context, v hosting.Visit, o orders.Order, in io.Reader, out io.Writer) (orders.Answer, error) {
	waiting, cancel := context.WithTimeout(ctx, waitTime)
	defer cancel()
	const many = "Too many transfers of this site or of yours are under way."
	leave, ok := d.people.enter(waiting, string(v.Account))
	if !ok {
		return orders.Answer{}, busy(many)
	}
	defer leave()
	leave, ok = d.sites.enter(waiting, v.Site)
	if !ok {
		return orders.Answer{}, busy(many)
	}
	defer leave()
	client, s, drop, err := d.enter(ctx, v.Site)
	if err != nil {
		return orders.Answer{}, err
	}
	c := &call{session: s, client: client, hear: v.Hear}
	answer, err := c.run(ctx, o, in, out)
	_ = s.Close()
	drop(c.broken.Load())
	if err != nil && ctx.Err() == nil && hosting.CodeOf(err) == hosting.Internal {
		err = hosting.NoAnswer(v.Site, err)
	}
	return answer, err
}

// enter opens a channel on the site's connection. One that has ended without our
// having heard of it is given up for another, once.
func (d *Door) enter(ctx context.Context, site string) (*ssh.Client, *ssh.Session, func(bool), error) {
	var err error
	for range 2 {
		var client *ssh.Client
		var drop func(bool)
		if client, drop, err = d.lines.take(ctx, site); err != nil {
			break
		}
		var s *ssh.Session
		if s, err = session(client); err == nil {
			return client, s, drop, nil
		}
		drop(true)
		if !gone(err) {
			break
		}
	}
	if ctx.Err() != nil {
		return nil, nil, nil, ctx.Err()
	}
	return nil, nil, nil, hosting.NoAnswer(site, err)
}

// errOld says that a toolbox takes no orders.
func errOld() error {
	return &hosting.Error{Code: hosting.Conflict, Message: "The site's tools are older than the panel.",
		Mend: "Restart the site under Danger zone; it starts with newer ones."}
}

// run sends the order and reads what comes of it.
func (c *call) run(ctx context.Context, o orders.Order, in io.Reader, out io.Writer) (orders.Answer, error) {
	c.late = time.AfterFunc(patience, c.giveUp)
	defer c.late.Stop()
	stop := context.AfterFunc(ctx, func() { _ = c.session.Close() })
	defer stop()
	stdin, err := c.session.StdinPipe()
	if err != nil {
		return orders.Answer{}, err
	}
	stdout, err := c.session.StdoutPipe()
	if err != nil {
		return orders.Answer{}, err
	}
	stderr, err := c.session.StderrPipe()
	if err != nil {
		return orders.Answer{}, err
	}
	if err := c.session.RequestSubsystem(orders.Subsystem); err != nil {
		if gone(c.ping()) {
			return orders.Answer{}, err
		}
		return orders.Answer{}, errOld()
	}
	line, err := json.Marshal(o)
	if err != nil {
		return orders.Answer{}, fmt.Errorf("write an order: %w", err)
	}
	var all sync.WaitGroup
	all.Go(func() { c.send(stdin, append(line, '\n'), in) })
	var given error
	all.Go(func() {
		given = c.take(stdout, out)
		remains(stdout)
	})
	answer, err := c.answer(stderr)
	all.Wait()
	return answer, errors.Join(given, c.fault(), err)
}

// take passes on what the order gives. While its reader makes it wait, the toolbox is
// not to blame.
func (c *call) take(from io.Reader, out io.Writer) error {
	if out == nil {
		return nil
	}
	buffer := make([]byte, 128<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			c.late.Stop()
			_, wrong := out.Write(buffer[:n])
			c.late.Reset(patience)
			if wrong != nil {
				_ = c.session.Close()
				return fmt.Errorf("pass on what the site gives: %w", wrong)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// answer reads answers up to the last one.
func (c *call) answer(from io.Reader) (orders.Answer, error) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, orders.MaxLine)
	for lines.Scan() {
		c.late.Reset(patience)
		var a orders.Answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			return a, fmt.Errorf("read an answer: %w", err)
		}
		if a.Done {
			// What the order did not read any more needs not be sent.
			c.ended.Store(true)
			return a, nil
		}
		if c.hear != nil {
			c.hear(a)
		}
	}
	return orders.Answer{}, errors.Join(errors.New("the order ended without an answer"), lines.Err())
}
