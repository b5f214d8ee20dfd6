package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/store"
)

// ledger is what the panels were asked to make, and which of it they said is made.
type ledger struct {
	mu    sync.Mutex
	asked []string
	made  map[string]bool
	count atomic.Int64
}

func (l *ledger) ask(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, name)
}

func (l *ledger) acknowledge(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made[name] = true
	l.count.Add(1)
}

// reach waits until so much was acknowledged.
func (l *ledger) reach(t *testing.T, count int64) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(2 * time.Minute); l.count.Load() < count; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d changes were acknowledged within two minutes, want %d", l.count.Load(), count)
		}
	}
}

// write asks a panel for one package after another until stop is closed or the panel is
// gone, and notes what it acknowledged.
func (l *ledger) write(o *office, writer string, stop <-chan struct{}) {
	client := &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		name := fmt.Sprintf("%s-%d", writer, n)
		l.ask(name)
		code, _ := send(client, o, http.MethodPost, "/packages", url.Values{"name": {name}, "sites": {"1"}})
		if code == 0 {
			return // killed
		}
		if code == http.StatusSeeOther {
			l.acknowledge(name)
		}
	}
}

// send asks one panel; status 0 is one that did not answer.
func send(client *http.Client, o *office, method, path string, form url.Values) (int, string) {
	request, err := http.NewRequestWithContext(o.Context(), method, "http://"+o.at+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err.Error()
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Cookie", o.cookie)
	answer, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close() // it is read
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(body)
}

// Three panels on one PostgreSQL, all of them written to; one is killed in the middle.
// What was acknowledged is there once, what was not is there once or never, and whoever is
// signed in stays so.
func TestAPanelIsKilledAmongOthersAndNothingIsLost(t *testing.T) {
	town := newTownOnServer(t)
	offices := []*office{town.open(), town.open(), town.open()}
	offices[0].signIn()

	l := &ledger{made: map[string]bool{}}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for i, o := range offices {
		for j := range 3 {
			writers.Go(func() { l.write(o, fmt.Sprintf("panel %d writer %d", i, j), stop) })
		}
	}
	l.reach(t, 60)
	victim := offices[1]
	must(t, victim.cmd.Process.Signal(syscall.SIGKILL))
	before := l.count.Load()
	l.reach(t, before+60) // the others go on
	close(stop)
	writers.Wait()

	for _, o := range []*office{offices[0], offices[2], town.open()} {
		if code, body := send(http.DefaultClient, o, http.MethodGet, "/packages", nil); code != http.StatusOK || !strings.Contains(body, "panel 0 writer 0-0") {
			t.Errorf("the list of packages on another panel = %d, want the session to go on: %.300s", code, body)
		}
	}
	counted(t, town.database, l)
}

// counted compares the database with what was acknowledged.
func counted(t *testing.T, database string, l *ledger) {
	t.Helper()
	db, err := store.Open(t.Context(), database, store.Options{Keys: [][]byte{bytes.Repeat([]byte{7}, 32)}})
	must(t, err)
	defer db.Close()
	packages, err := db.Packages(t.Context(), "")
	must(t, err)
	there, noted := map[string]int{}, map[string]int{}
	for _, p := range packages {
		there[p.Name]++
	}
	_, _, err = db.WalkTrail(t.Context(), func(e *hosting.Entry) error {
		if e.Did == string(hosting.RightPackageCreate) {
			noted[e.Object]++
		}
		return nil
	})
	must(t, err)
	for _, name := range l.asked {
		if l.made[name] && there[name] != 1 || there[name] > 1 {
			t.Errorf("%s was acknowledged %t and is there %d times", name, l.made[name], there[name])
		}
		if noted[name] != there[name] {
			t.Errorf("%s is there %d times and in the trail %d times", name, there[name], noted[name])
		}
	}
	n, err := hosting.VerifyTrail(t.Context(), db)
	must(t, err)
	t.Logf("%d changes asked for, %d acknowledged, %d entries in the trail", len(l.asked), len(l.made), n)
}
