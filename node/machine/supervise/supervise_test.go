package supervise

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func write(t *testing.T, path string, config Config) {
	t.Helper()
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not within 15 s: %s", what)
}

// pids reads the numbers that a shell program wrote of itself, one per start.
func pids(file string) []int {
	data, _ := os.ReadFile(file)
	var all []int
	for _, field := range strings.Fields(string(data)) {
		if pid, err := strconv.Atoi(field); err == nil {
			all = append(all, pid)
		}
	}
	return all
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// writer is a program that notes its number and goes on until it is told to end.
func writer(name, file string) Program {
	return Program{Name: name, Command: []string{"/bin/sh", "-c", `echo "$$" >>"$0"; echo says something; exec sleep 600`, file}}
}

func run(t *testing.T, path string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := New(path, slog.New(slog.DiscardHandler)).Run(ctx); err != nil {
			t.Errorf("Run() = %v, want nil", err)
		}
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func TestProgramIsStartedAgainAndStoppedAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	note, config := filepath.Join(dir, "note"), filepath.Join(dir, "config")
	write(t, config, Config{Logs: dir, Programs: []Program{writer("one", note)}})
	stop := run(t, config)
	eventually(t, "first start", func() bool { return len(pids(note)) == 1 })
	if err := syscall.Kill(pids(note)[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "second start", func() bool { return len(pids(note)) == 2 })
	second := pids(note)[1]
	stop()
	if alive(second) {
		t.Error("the program runs on after the supervisor ended")
	}
	if log, err := os.ReadFile(filepath.Join(dir, "one.log")); err != nil || strings.Count(string(log), "says something") != 2 {
		t.Errorf("log = %q, %v; want what both starts said", log, err)
	}
}

func TestReloadTouchesOnlyWhatChanged(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	note := func(name string) string { return filepath.Join(dir, name) }
	changed := writer("changed", note("changed"))
	write(t, config, Config{Logs: dir, Programs: []Program{writer("same", note("same")), changed, writer("gone", note("gone"))}})
	run(t, config)
	eventually(t, "three programs", func() bool {
		return len(pids(note("same"))) == 1 && len(pids(note("changed"))) == 1 && len(pids(note("gone"))) == 1
	})
	changed.Revision = "2"
	write(t, config, Config{Logs: dir, Programs: []Program{writer("same", note("same")), changed, writer("new", note("new"))}})
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the changed one starts anew and the new one starts", func() bool {
		return len(pids(note("changed"))) == 2 && len(pids(note("new"))) == 1
	})
	eventually(t, "the one that is gone from the list ends", func() bool { return !alive(pids(note("gone"))[0]) })
	if starts := pids(note("same")); len(starts) != 1 || !alive(starts[0]) {
		t.Errorf("the unchanged program was started %d times, want once", len(starts))
	}
}

func TestProgramWaitsForItsFile(t *testing.T) {
	dir := t.TempDir()
	config, note, socket := filepath.Join(dir, "config"), filepath.Join(dir, "note"), filepath.Join(dir, "socket")
	program := writer("late", note)
	program.WaitFor = socket
	write(t, config, Config{Logs: dir, Programs: []Program{program}})
	run(t, config)
	time.Sleep(150 * time.Millisecond)
	if len(pids(note)) != 0 {
		t.Fatal("it was started before its file was there")
	}
	if err := os.WriteFile(socket, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "start", func() bool { return len(pids(note)) == 1 })
}

func TestBrokenListKeepsWhatRuns(t *testing.T) {
	dir := t.TempDir()
	config, note := filepath.Join(dir, "config"), filepath.Join(dir, "note")
	write(t, config, Config{Logs: dir, Programs: []Program{writer("one", note)}})
	s := New(config, slog.New(slog.DiscardHandler))
	if err := s.reload(); err != nil {
		t.Fatal(err)
	}
	defer s.shutDown()
	eventually(t, "start", func() bool { return len(pids(note)) == 1 })
	if err := os.WriteFile(config, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.reload(); err == nil {
		t.Error("reload() of a broken list = nil, want an error")
	}
	if !alive(pids(note)[0]) {
		t.Error("the program was stopped")
	}
}

func TestLogStaysBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	log, err := openLog(path, 100)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if _, err := log.Write([]byte(strings.Repeat("x", 30) + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) != 1+rotateKeep {
		t.Errorf("files = %q, %v; want the log and %d old ones", files, err, rotateKeep)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Size() > 100 {
			t.Errorf("%s has %d bytes, want at most 100", file, info.Size())
		}
	}
}

func TestTasksAreReadFromTheTable(t *testing.T) {
	table := "TASK                 PID      STATUS\nabc    123    RUNNING\ndef    0      STOPPED\nghi    7    STOPPED\njkl    9    PAUSED\n"
	if got := parseTasks(table); !reflect.DeepEqual(got, []int{123, 9}) {
		t.Errorf("parseTasks() = %v, want [123 9]", got)
	}
}

func TestMissingListIsEmpty(t *testing.T) {
	if config, err := ReadConfig(filepath.Join(t.TempDir(), "none")); err != nil || len(config.Programs) != 0 {
		t.Errorf("ReadConfig(no file) = %+v, %v; want an empty list", config, err)
	}
}
