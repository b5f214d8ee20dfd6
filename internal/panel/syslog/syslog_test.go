package syslog_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/syslog"
	"kubepanel.io/kubepanel/internal/panel/syslog/syslogtest"
	"kubepanel.io/kubepanel/internal/proctest"
	"kubepanel.io/kubepanel/internal/store"
)

// office is the rules on a real database, whose clock can be put forward.
type office struct {
	t     *testing.T
	db    *store.DB
	rules *hosting.Provider
	said  *proctest.Log

	mu    sync.Mutex
	ahead time.Duration
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, said: &proctest.Log{}}
	var err error
	o.db, err = store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "panel.db"), store.Options{Keys: [][]byte{bytes.Repeat([]byte{1}, 32)}})
	o.must(err)
	t.Cleanup(o.db.Close)
	o.rules = &hosting.Provider{Store: o.db, Panel: &hosting.Panel{}, Now: o.now}
	return o
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Now().Add(o.ahead)
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ahead += d
}

// happen adds so many entries to the trail.
func (o *office) happen(count int) {
	o.t.Helper()
	o.must(o.db.Write(o.t.Context(), func(tx hosting.Tx) error {
		for i := range count {
			a := hosting.Actor{ID: "u1", Name: `Jo "]\ é`, Behind: "u2", BehindName: "Help"}
			if err := hosting.Record(o.t.Context(), tx, a, o.now(), hosting.Deed{Did: "site.change", Object: "shop.example", On: hosting.Object{Owner: "u1"}, After: map[string]int{"n": i}}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// sender sends to an address with the certificates in a folder.
func (o *office) sender(address, folder string) *syslog.Sender {
	o.t.Helper()
	s, err := syslog.New(syslog.Options{Rules: o.rules, Server: address, Folder: folder, Host: "panel.example", Log: slog.New(slog.NewTextHandler(o.said, nil))})
	o.must(err)
	return s
}

// turn lets a sender have a turn, and then the server close the connection: rsyslog 8.2302
// closes it twice, the second time whatever has got its number meanwhile.
func (o *office) turn(s *syslog.Sender) error {
	err := s.Turn(context.WithoutCancel(o.t.Context()))
	time.Sleep(50 * time.Millisecond)
	return err
}

func (o *office) state(address string) *hosting.SendingState {
	o.t.Helper()
	s, err := hosting.SendingOf(o.t.Context(), o.db, address)
	o.must(err)
	return s
}

// read reads entries out of messages with somebody else's parser, and nothing but messages.
func read(t *testing.T, messages []string) []hosting.Entry {
	t.Helper()
	all := make([]hosting.Entry, 0, len(messages))
	for _, text := range messages {
		parsed, err := rfc5424.NewParser().Parse([]byte(text))
		if err != nil {
			t.Fatalf("%q is no message: %v", text, err)
		}
		m := parsed.(*rfc5424.SyslogMessage)
		p := (*m.StructuredData)["kubepanel@32473"]
		seq, err := strconv.ParseInt(p["seq"], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, hosting.Entry{Seq: seq, At: *m.Timestamp, Actor: hosting.ID(p["actor"]), Behind: hosting.ID(p["behind"]), ActorName: p["actorName"], BehindName: p["behindName"],
			Address: p["address"], Did: p["did"], Object: p["object"], Owner: hosting.ID(p["owner"]), Reseller: hosting.ID(p["reseller"]), Before: p["before"], After: p["after"], Hash: p["hash"]})
	}
	return all
}

// chained holds what came to the chain of hashes: each entry from the first on, in their
// order. Of what came more than once the last counts: a server that is stopped midway may
// keep any part of a batch, and gets all of it again.
func chained(t *testing.T, messages []string, count int) {
	t.Helper()
	all := read(t, messages)
	last := map[int64]int{}
	for i := range all {
		last[all[i].Seq] = i
	}
	var before hosting.Entry
	for i, e := range all {
		if last[e.Seq] != i {
			continue
		}
		if e.Seq != before.Seq+1 {
			t.Fatalf("entry %d follows entry %d", e.Seq, before.Seq)
		}
		if want := e.Chain(before.Hash); want != e.Hash {
			t.Fatalf("entry %d has the hash %s, recalculated it is %s", e.Seq, e.Hash, want)
		}
		before = e
	}
	if int(before.Seq) != count {
		t.Fatalf("%d entries came, want %d", before.Seq, count)
	}
}

func TestAThousandEntriesThatWaitAreSentInTheirOrder(t *testing.T) {
	server := syslogtest.New(t, true)
	server.Start()
	o := newOffice(t)
	o.happen(1234)
	s := o.sender(server.Address, server.Folder)
	var waiting []int64
	s.Behind = func(n int64, _ time.Duration) { waiting = append(waiting, n) }
	o.must(o.turn(s)) // a thousand
	if state := o.state(server.Address); state.Seq != 1000 || state.Waiting != 234 {
		t.Errorf("state = %+v, want that a batch is confirmed", state)
	}
	o.must(o.turn(s))
	o.happen(1)
	o.must(o.turn(s))
	o.must(o.turn(s)) // and nothing twice
	server.Wait(1235)
	server.Stop()
	got := server.Received()
	if len(got) != 1235 {
		t.Errorf("%d messages came, want 1235", len(got))
	}
	chained(t, got, 1235)
	if state := o.state(server.Address); state.Waiting != 0 || state.Seq != 1235 || state.Tries != 0 || state.ConfirmedAt.IsZero() || state.Late(o.now()) {
		t.Errorf("state = %+v, want all confirmed", state)
	}
	if !slices.Equal(waiting, []int64{234, 0, 0, 0}) {
		t.Errorf("told to wait are %v, want what is left after each turn", waiting)
	}
}

// What happens while the server is away costs nothing but its place in the database, and
// it is asked less and less often.
func TestAServerThatIsAwayGetsEverythingLater(t *testing.T) {
	server := syslogtest.New(t, false)
	o := newOffice(t)
	s := o.sender(server.Address, server.Folder)
	tries := 0
	for range 120 { // half an hour
		o.happen(10)
		if s.Turn(t.Context()) != nil {
			tries++
		}
		o.pass(15 * time.Second)
	}
	state := o.state(server.Address)
	if state.Waiting != 1200 || state.Fault != hosting.FaultUnreachable || !state.Late(o.now()) || o.now().Sub(state.Since) < 30*time.Minute {
		t.Errorf("state = %+v, want that 1200 wait for half an hour", state)
	}
	if tries < 8 || tries > 14 || state.Tries != tries {
		t.Errorf("%d tries in half an hour, %d noted; want pauses that grow to five minutes", tries, state.Tries)
	}
	server.Start()
	o.pass(5 * time.Minute)
	o.must(o.turn(s))
	o.must(o.turn(s))
	chained(t, server.Wait(1200), 1200)
	if state := o.state(server.Address); state.Waiting != 0 || state.Tries != 0 || state.Fault != "" {
		t.Errorf("state = %+v, want all confirmed", state)
	}
	if !strings.Contains(o.said.String(), "takes the trail again") {
		t.Errorf("the log says %q, and not that the server is back", o.said)
	}
}

// The server is stopped and started again and again while entries are made and sent.
func TestAServerThatStartsAgainMissesNothing(t *testing.T) {
	server := syslogtest.New(t, false)
	server.Start()
	o := newOffice(t)
	s := o.sender(server.Address, server.Folder)
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		for ctx.Err() == nil {
			_ = o.turn(s) // the server is away half of the time
			o.pass(time.Minute)
		}
	})
	count := 0
	for range 4 {
		for range 20 {
			o.happen(25)
			count += 25
			time.Sleep(5 * time.Millisecond)
		}
		server.Stop()
		o.happen(25)
		count += 25
		server.Start()
	}
	for end := time.Now().Add(time.Minute); o.state(server.Address).Waiting > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	all.Wait()
	server.Stop()
	chained(t, server.Received(), count)
}

// A panel that dies leaves its batch to the next: before it sent, and after.
func TestWhatADeadPanelTookIsSentByAnother(t *testing.T) {
	server := syslogtest.New(t, false)
	server.Start()
	o := newOffice(t)
	s := o.sender(server.Address, server.Folder)
	o.happen(3)
	taken, err := o.rules.NextBatch(t.Context(), server.Address)
	o.must(err)
	if len(taken.Entries) != 3 {
		t.Fatalf("%d entries were taken, want 3", len(taken.Entries))
	}
	o.must(o.turn(s))
	if got := o.state(server.Address); got.Waiting != 3 {
		t.Errorf("state = %+v, want what is taken to wait", got)
	}
	o.pass(61 * time.Second)
	o.must(o.turn(s))
	chained(t, server.Wait(3), 3)
	// It was not dead but slow, and what it says counts for nothing any more.
	o.must(o.rules.BatchSent(t.Context(), taken, hosting.FaultSlow))
	if got := o.state(server.Address); got.Waiting != 0 || got.Tries != 0 {
		t.Errorf("state = %+v, want all confirmed", got)
	}
	// One that ends in order leaves nothing to wait for.
	o.happen(1)
	taken, err = o.rules.NextBatch(t.Context(), server.Address)
	o.must(err)
	o.must(o.rules.BatchSent(t.Context(), taken, hosting.FaultEnded))
	o.must(o.turn(s))
	chained(t, server.Wait(4), 4)
}

func TestTwoPanelsSendEachEntryOnce(t *testing.T) {
	server := syslogtest.New(t, false)
	server.Start()
	o := newOffice(t)
	var all sync.WaitGroup
	for range 4 {
		s := o.sender(server.Address, server.Folder)
		all.Go(func() {
			for o.state(server.Address).Seq < 1000 {
				if err := o.turn(s); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 100 {
		o.happen(10)
	}
	all.Wait()
	server.Wait(1000)
	server.Stop()
	if got := server.Received(); len(got) != 1000 {
		t.Errorf("%d messages came, want 1000", len(got))
	}
	chained(t, server.Received(), 1000)
}

// A server that is not the one learns nothing.
func TestTheTrailIsGivenToNobodyElse(t *testing.T) {
	other := t.TempDir()
	syslogtest.NewAuthority(t).Write(other, "panel.example")
	tests := map[string]struct {
		strict bool
		change func(s *syslogtest.Server)
		want   hosting.SendFault
	}{
		"of another authority": {change: func(s *syslogtest.Server) { s.Folder = other }, want: hosting.FaultCertificate},
		"of the system's":      {change: func(s *syslogtest.Server) { s.Folder = t.TempDir() }, want: hosting.FaultCertificate},
		"with another name":    {change: func(s *syslogtest.Server) { s.Address = strings.Replace(s.Address, syslogtest.Host, "127.0.0.1", 1) }, want: hosting.FaultCertificate},
		"that wants a certificate and gets none": {strict: true, want: hosting.FaultRefused, change: func(s *syslogtest.Server) {
			if err := os.Remove(filepath.Join(s.Folder, "tls.crt")); err != nil {
				t.Error(err)
			}
		}},
		"with broken settings": {change: func(s *syslogtest.Server) {
			if err := os.WriteFile(filepath.Join(s.Folder, "ca.crt"), []byte("nothing"), 0o600); err != nil {
				t.Error(err)
			}
		}, want: hosting.FaultSettings},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			server := syslogtest.New(t, tt.strict)
			server.Start()
			o := newOffice(t)
			good := server.Folder
			s := o.sender(server.Address, good)
			tt.change(server)
			s.Server, s.Folder = server.Address, server.Folder
			o.happen(3)
			err := s.Turn(t.Context())
			state := o.state(server.Address)
			if err == nil || state.Fault != tt.want || state.Waiting != 3 || state.Fault.Explain() == nil {
				t.Errorf("Turn = %v, state %+v; want the fault %s and that all wait", err, state, tt.want)
			}
			server.Stop()
			if got := server.Received(); len(got) != 0 {
				t.Errorf("the server got %q", got)
			}
		})
	}
}

// listen serves one connection after another with what a test wants of them.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
			_ = conn.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return net.JoinHostPort(syslogtest.Host, port)
}

// What a server did not confirm waits, whatever it did with it.
func TestWhatIsNotConfirmedWaits(t *testing.T) {
	ca, folder, home := syslogtest.NewAuthority(t), t.TempDir(), t.TempDir()
	ca.Write(folder, "panel.example")
	ca.Write(home, syslogtest.Host)
	own, err := tls.LoadX509KeyPair(filepath.Join(home, "tls.crt"), filepath.Join(home, "tls.key"))
	if err != nil {
		t.Fatal(err)
	}
	upTo := func(version uint16) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS10, MaxVersion: version} // 1.1 is what the panel must not speak
	}
	heard := &proctest.Log{} // what was said in clear
	tests := map[string]struct {
		serve func(net.Conn)
		want  hosting.SendFault
	}{
		"it reads all and ends without a word": {func(c net.Conn) { _, _ = io.Copy(io.Discard, tls.Server(c, upTo(tls.VersionTLS13))) }, hosting.FaultUnconfirmed},
		"the same with TLS 1.2":                {func(c net.Conn) { _, _ = io.Copy(io.Discard, tls.Server(c, upTo(tls.VersionTLS12))) }, hosting.FaultUnconfirmed},
		"it hangs up after the handshake":      {func(c net.Conn) { _ = tls.Server(c, upTo(tls.VersionTLS13)).Handshake() }, ""},
		"it says goodbye before it has read": {func(c net.Conn) {
			conn := tls.Server(c, upTo(tls.VersionTLS13))
			_ = conn.Handshake()
			_ = conn.CloseWrite()
			time.Sleep(200 * time.Millisecond) // what it did not read has come
		}, ""},
		"it talks": {func(c net.Conn) {
			conn := tls.Server(c, upTo(tls.VersionTLS13))
			_, _ = conn.Write(make([]byte, 8<<10))
			_, _ = io.Copy(io.Discard, conn)
		}, hosting.FaultUnconfirmed},
		"it knows TLS 1.1 alone": {func(c net.Conn) { _ = tls.Server(c, upTo(tls.VersionTLS11)).Handshake() }, ""},
		"it speaks no TLS": {func(c net.Conn) {
			_, _ = io.Copy(heard, io.LimitReader(c, 100))
			_, _ = io.WriteString(c, "who are you?\n")
		}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			address := listen(t, tt.serve)
			o.happen(300) // more than a batch, so that a wrong confirmation is seen
			err := o.sender(address, folder).Turn(t.Context())
			state := o.state(address)
			if err == nil || state.Waiting != 300 || state.Tries != 1 || tt.want != "" && state.Fault != tt.want {
				t.Errorf("Turn = %v, state %+v; want the fault %q and that all wait", err, state, tt.want)
			}
		})
	}
	if strings.Contains(heard.String(), "kubepanel") {
		t.Errorf("%q was said in clear", heard)
	}
}

// A server that takes nothing holds the panel for a while and no longer, and not at all
// once it ends.
func TestAServerThatTakesNothing(t *testing.T) {
	o := newOffice(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	address := listen(t, func(net.Conn) { <-release })
	o.happen(1)
	ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	folder := t.TempDir()
	syslogtest.NewAuthority(t).Write(folder, "panel.example")
	began := time.Now()
	if err := o.sender(address, folder).Turn(ctx); err == nil || time.Since(began) > 10*time.Second {
		t.Errorf("Turn = %v after %s, want that it ends with the panel", err, time.Since(began))
	}
	if state := o.state(address); state.Tries != 0 || state.Waiting != 1 || o.now().Before(state.NextAt) {
		t.Errorf("state = %+v, want that another panel can send at once", state)
	}
}

// Who writes the trail anew past the panel does not reach what was sent, and is seen.
func TestATrailThatWasWrittenAnewIsSentAnew(t *testing.T) {
	server := syslogtest.New(t, false)
	server.Start()
	o := newOffice(t)
	s := o.sender(server.Address, server.Folder)
	o.happen(5)
	o.must(o.turn(s))
	was := server.Wait(5)
	other := newOffice(t) // the same database after somebody took it over, with another trail
	other.happen(4)
	place := o.state(server.Address).Sending
	other.must(other.db.Write(t.Context(), func(tx hosting.Tx) error { return tx.PutSending(t.Context(), &place) }))
	s = other.sender(server.Address, server.Folder)
	other.must(other.turn(s))
	got := server.Wait(9)
	if !slices.Equal(got[:5], was) {
		t.Errorf("what was sent is %q, was %q", got[:5], was)
	}
	chained(t, got[5:], 4)
	if !strings.Contains(other.said.String(), "is not the one that was sent") {
		t.Errorf("the log says %q", other.said)
	}
}

// What people were refused goes along, and by itself; of more than is held the rest is
// counted.
func TestRefusalsAreSentToo(t *testing.T) {
	server := syslogtest.New(t, false)
	o := newOffice(t)
	s := o.sender(server.Address, server.Folder)
	refuse := func(count int) {
		for i := range count {
			s.Refused(syslog.Refusal{At: o.now(), Actor: hosting.Actor{ID: "u1", Name: "Jo", Address: netip.MustParseAddr("2001:db8::1")}, Code: hosting.Forbidden, Doing: fmt.Sprint("GET /users/{user} ", i)})
		}
	}
	tries := 0
	for range 60 { // a quarter of an hour without a server
		refuse(20)
		if o.turn(s) != nil {
			tries++
		}
		o.pass(15 * time.Second)
	}
	if tries < 5 || tries > 11 {
		t.Errorf("%d tries in a quarter of an hour, want pauses that grow", tries)
	}
	server.Start()
	o.pass(5 * time.Minute)
	o.must(o.turn(s))
	got := server.Wait(1001)
	for i, want := range map[int]string{0: "", 999: `doing="GET /users/{user} 19"`, 1000: `missed="200"] ` + "\ufeff200 more refusals"} {
		if !strings.Contains(got[i], want) || !strings.HasPrefix(got[i], "<108>1 ") || !strings.Contains(got[i], " kubepanel - refused [kubepanel@32473 outcome=\"refused\" ") {
			t.Errorf("message %d = %q, want %q", i, got[i], want)
		}
	}
	if want := `code="forbidden" doing="GET /users/{user} 0" actor="u1" actorName="Jo" address="2001:db8::1"] ` + "\ufeffJo: refused GET /users/{user} 0"; !strings.HasSuffix(got[0], want) {
		t.Errorf("message = %q, want %q", got[0], want)
	}
	o.happen(2)
	refuse(1)
	o.must(o.turn(s))
	o.must(o.turn(s)) // and nothing twice
	got = server.Wait(1004)
	server.Stop()
	if n := len(server.Received()); n != 1004 {
		t.Errorf("%d messages came, want 1004", n)
	}
	chained(t, got[1001:1003], 2)
	if !strings.Contains(got[1003], " refused [") {
		t.Errorf("behind the trail comes %q, want the refusal", got[1003])
	}
}

func TestAddressOfALogServer(t *testing.T) {
	for address, good := range map[string]bool{"logs.example:6514": true, "[2001:db8::1]:6514": true, "logs.example": false, ":6514": false, "logs.example:0": false, "logs.example:x": false, "tcp://logs.example:6514": false, "": false} {
		if _, err := syslog.New(syslog.Options{Server: address}); (err == nil) != good {
			t.Errorf("New(%q) = %v, want good %t", address, err, good)
		}
	}
	folder := t.TempDir()
	syslogtest.NewAuthority(t).Write(folder, "panel.example")
	if err := os.Remove(filepath.Join(folder, "tls.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := syslog.New(syslog.Options{Server: "logs.example:6514", Folder: folder}); err == nil {
		t.Error("New takes a certificate without a key")
	}
}
