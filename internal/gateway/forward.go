package gateway

import (
	"errors"
	"io"
	"sync"

	"golang.org/x/crypto/ssh"
)

// forward joins a visitor's connection with the site's until either ends.
func forward(visitor ssh.Conn, site *upstream, channels <-chan ssh.NewChannel, requests <-chan *ssh.Request) {
	// Requests about the whole connection are for forwarding ports, which is not
	// offered, and for signs of life, which any answer is.
	go ssh.DiscardRequests(requests)
	go ssh.DiscardRequests(site.requests)
	go func() {
		for c := range site.channels {
			_ = c.Reject(ssh.Prohibited, "a site opens no channels")
		}
		_ = visitor.Close() // the site's server has ended
	}()
	var all sync.WaitGroup
	for c := range channels {
		all.Go(func() { join(c, site) })
	}
	_ = site.Close()
	all.Wait()
}

// refuse answers every channel of a connection with one sentence.
func refuse(channels <-chan ssh.NewChannel, requests <-chan *ssh.Request, message string) {
	go ssh.DiscardRequests(requests)
	for c := range channels {
		_ = c.Reject(ssh.ConnectionFailed, message)
	}
}

// join opens the channel that a visitor wants at the site, and passes everything
// on in both directions. Only sessions (RFC 4254 section 6.1) are passed on.
func join(wanted ssh.NewChannel, site *upstream) {
	if wanted.ChannelType() != "session" {
		_ = wanted.Reject(ssh.Prohibited, "forwarding is not offered")
		return
	}
	there, fromSite, err := site.OpenChannel(wanted.ChannelType(), wanted.ExtraData())
	if refusal, ok := errors.AsType[*ssh.OpenChannelError](err); ok {
		_ = wanted.Reject(refusal.Reason, refusal.Message)
		return
	}
	if err != nil {
		_ = wanted.Reject(ssh.ConnectionFailed, "the site's server has ended")
		return
	}
	here, fromVisitor, err := wanted.Accept()
	if err != nil {
		_ = there.Close()
		return
	}
	go func() {
		_, _ = io.Copy(there, here)
		_ = there.CloseWrite()
	}()
	go func() {
		pass(fromVisitor, there)
		// The visitor has closed the channel.
		_ = there.Close()
	}()
	answered := make(chan struct{})
	go func() {
		answer(here, there)
		close(answered)
	}()
	// Ends when the site closes the channel; the exit status is among these.
	pass(fromSite, here)
	<-answered
	_ = here.Close()
}

// answer passes on what the site says. The end of it is told after the last of
// both streams: OpenSSH's client takes nothing that comes later.
func answer(here, there ssh.Channel) {
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(here, there) })
	both.Go(func() { _, _ = io.Copy(here.Stderr(), there.Stderr()) })
	both.Wait()
	_ = here.CloseWrite()
}

// pass hands requests on to the other side, and its answers back.
func pass(requests <-chan *ssh.Request, to ssh.Channel) {
	for r := range requests {
		ok, err := to.SendRequest(r.Type, r.WantReply, r.Payload)
		_ = r.Reply(ok && err == nil, nil)
	}
}
