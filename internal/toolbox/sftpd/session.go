package sftpd

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// maxChannels is how many SFTP sessions one connection may hold: clients that
// multiplex open a few.
const maxChannels = 8

// maxPacket is the largest answer to one read. OpenSSH asks for 256 kB when it
// is told that it may; the default of 32 kB makes eight times the packets.
const maxPacket = 256 << 10

// session is one signed-in connection, and what it did.
type session struct {
	server *Server
	conn   *ssh.ServerConn
	start  time.Time
	// Totals for the log.
	read, written, opened, removed atomic.Int64
}

func newSession(s *Server, conn *ssh.ServerConn) *session {
	return &session{server: s, conn: conn, start: time.Now()}
}

// run serves the connection's channels until it ends, and logs one line then.
func (s *session) run(channels <-chan ssh.NewChannel, requests <-chan *ssh.Request) {
	go ssh.DiscardRequests(requests)
	places := make(chan struct{}, maxChannels)
	var wg sync.WaitGroup
	for c := range channels {
		if c.ChannelType() != "session" {
			_ = c.Reject(ssh.UnknownChannelType, "only SFTP is served here")
			continue
		}
		select {
		case places <- struct{}{}:
			wg.Go(func() {
				defer func() { <-places }()
				s.channel(c)
			})
		default:
			_ = c.Reject(ssh.ResourceShortage, "too many sessions in one connection")
		}
	}
	wg.Wait()
	s.log()
}

// channel serves SFTP or another subsystem when that is what is asked for (RFC 4254
// section 6.5), and passes on what is asked of programs.
func (s *session) channel(c ssh.NewChannel) {
	channel, requests, err := c.Accept()
	if err != nil {
		return
	}
	defer func() { _ = channel.Close() }()
	var program Program = noShell{channel}
	if s.server.Programs != nil {
		program = s.server.Programs(channel)
	}
	defer program.Close()
	for r := range requests {
		if serve, ok := s.server.Subsystems[subsystemOf(r)]; ok {
			_ = r.Reply(true, nil)
			go ssh.DiscardRequests(requests)
			serve(channel)
			return
		}
		if subsystemOf(r) != "sftp" {
			program.Handle(r)
			continue
		}
		_ = r.Reply(true, nil)
		go ssh.DiscardRequests(requests)
		s.serve(channel)
		return
	}
}

// subsystemOf is which subsystem a request asks for; "" when it asks for something else.
func subsystemOf(r *ssh.Request) string {
	var subsystem struct{ Name string }
	if r.Type != "subsystem" || ssh.Unmarshal(r.Payload, &subsystem) != nil {
		return ""
	}
	return subsystem.Name
}

// serve serves SFTP. The library's allocator stays off: it takes 256 kB for each
// request, however small, and in 24 MiB the collector then never rests.
func (s *session) serve(channel ssh.Channel) {
	f := &files{root: s.server.Root, session: s}
	server := sftp.NewRequestServer(keptOpen{channel}, sftp.Handlers{FileGet: f, FilePut: f, FileCmd: f, FileList: f},
		sftp.WithRSMaxTxPacket(maxPacket))
	err := server.Serve()
	// Closes what a client left open.
	_ = server.Close()
	var status struct{ Status uint32 }
	if err != nil && !errors.Is(err, io.EOF) {
		status.Status = 1
	}
	_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(&status))
}

// keptOpen is a channel that the protocol's server doesn't close: the exit
// status must still go through it, or clients take a success for a failure.
type keptOpen struct{ ssh.Channel }

// Close does nothing.
func (keptOpen) Close() error { return nil }

// log leaves a trace of who was here and how much moved, without names of files.
func (s *session) log() {
	extensions := s.conn.Permissions.Extensions
	s.server.Log.Info("session ended", "user", s.conn.User(), "remote", extensions[extensionRemote],
		"method", extensions[extensionMethod], "key", extensions[extensionKey], "client", clip(string(s.conn.ClientVersion())),
		"seconds", int(time.Since(s.start).Seconds()), "files", s.opened.Load(), "removed", s.removed.Load(),
		"bytes_sent", s.read.Load(), "bytes_received", s.written.Load())
}

// clip bounds what a client says of itself.
func clip(s string) string { return s[:min(len(s), 80)] }
