package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/syslog/syslogtest"
	"kubepanel.io/kubepanel/internal/store"
)

// Three panels on one PostgreSQL send the trail to rsyslog while they are written to. One
// is killed in the middle, the server is stopped and started: what the trail has came, in
// its order.
func TestThePanelsTrailComesToTheLogServerWhateverDies(t *testing.T) {
	server := syslogtest.New(t, true)
	server.Start()
	town := newTownOnServer(t)
	flags := []string{"--syslog", server.Address, "--syslog-certificates", server.Folder}
	offices := []*office{town.open(flags...), town.open(flags...), town.open(flags...)}
	offices[0].signIn()

	l := &ledger{made: map[string]bool{}}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for i, o := range offices {
		writers.Go(func() { l.write(o, fmt.Sprintf("panel %d", i), stop) })
	}
	l.reach(t, 50)
	server.Wait(10)
	must(t, offices[1].cmd.Process.Signal(syscall.SIGKILL))
	l.reach(t, l.count.Load()+50)
	server.Stop()
	l.reach(t, l.count.Load()+50)
	server.Start()
	l.reach(t, l.count.Load()+50)
	close(stop)
	writers.Wait()

	db, err := store.Open(t.Context(), town.database, store.Options{Keys: [][]byte{bytes.Repeat([]byte{7}, 32)}})
	must(t, err)
	defer db.Close()
	// A batch of the killed one waits for a minute, a server that was away for some seconds.
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		state, err := hosting.SendingOf(t.Context(), db, server.Address)
		must(t, err)
		if state.Waiting == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("two minutes later the server is at %+v; a panel says %s", state, offices[0].log)
		}
	}
	time.Sleep(2 * sendEvery) // each panel looks once more
	for _, o := range []*office{offices[0], offices[2]} {
		if waiting := o.metric("kubepanel_panel_trail_waiting"); waiting != 0 {
			t.Errorf("a panel tells of %.0f entries that wait, want none", waiting)
		}
	}
	server.Stop()
	came := received(t, server.Received())
	next := 0
	_, _, err = db.WalkTrail(t.Context(), func(e *hosting.Entry) error {
		if next >= len(came) || came[next] != fmt.Sprint(e.Seq, " ", e.Hash) {
			return fmt.Errorf("entry %d did not come in its order", e.Seq)
		}
		next++
		return nil
	})
	must(t, err)
	if next < 200 || next != len(came) {
		t.Errorf("the trail has %d entries and %d came, want all of more than 200", next, len(came))
	}
}

// received are the numbers and hashes of messages; of what came more than once the last.
func received(t *testing.T, messages []string) []string {
	t.Helper()
	last := map[string]int{}
	all := make([]string, 0, len(messages))
	for i, text := range messages {
		parsed, err := rfc5424.NewParser().Parse([]byte(text))
		if err != nil {
			t.Fatalf("%q is no message: %v", text, err)
		}
		p := (*parsed.(*rfc5424.SyslogMessage).StructuredData)["kubepanel@32473"]
		if _, err := strconv.Atoi(p["seq"]); err != nil {
			t.Fatal(err)
		}
		all = append(all, p["seq"]+" "+p["hash"])
		last[p["seq"]] = i
	}
	kept := all[:0]
	for i, one := range all {
		if seq, _, _ := strings.Cut(one, " "); last[seq] == i {
			kept = append(kept, one)
		}
	}
	return kept
}
