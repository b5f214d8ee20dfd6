package images_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/proctest"
)

// starting is how long a server may take to come up on a busy computer.
const starting = 60 * time.Second

// started is a start program as it runs in a site's pod, with the folders of the
// pod in a temporary one.
type started struct {
	folder string // holds www/html, www/.kubepanel, etc, run and tmp
	port   int
	// revision of the configuration, one more each time.
	revision int
	argv     []string
	cmd      *exec.Cmd
	said     *proctest.Log
	ended    chan struct{}
}

// newStart prepares a start program that is not started yet.
func newStart(t *testing.T, kind string, settings map[string]any, argv ...string) *started {
	t.Helper()
	s := &started{folder: t.TempDir(), port: proctest.Port(t), argv: argv}
	for _, folder := range []string{"www/html", "www/.kubepanel", "etc/app", "run", "tmp"} {
		if err := os.MkdirAll(filepath.Join(s.folder, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.configure(t, kind, "http", settings)
	return s
}

func (s *started) configure(t *testing.T, kind, mode string, settings map[string]any) {
	t.Helper()
	if settings == nil {
		settings = map[string]any{}
	}
	s.revision++
	config, err := json.Marshal(map[string]any{
		"report": map[string]string{"file": s.status(), "revision": strconv.Itoa(s.revision), "ask": fmt.Sprintf("http://127.0.0.1:%d/", s.port)},
		"type":   kind, "version": "1", "domain": "shop.example", "url": "https://shop.example", "proxyMode": mode, "port": s.port, "timezone": "Asia/Tokyo",
		"root": filepath.Join(s.folder, "www/html"), "state": filepath.Join(s.folder, "www/.kubepanel"), "settings": settings,
	})
	if err != nil {
		t.Fatal(err)
	}
	// As a mounted ConfigMap: the whole new file appears at once.
	next := filepath.Join(s.folder, "etc/app/next")
	if err := os.WriteFile(next, config, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, filepath.Join(s.folder, "etc/app/runtime.json")); err != nil {
		t.Fatal(err)
	}
}

func (s *started) status() string { return filepath.Join(s.folder, "run/app.status") }

// told waits for what became of the newest configuration; a reason is a part of
// what was said.
func (s *started) told(t *testing.T, verdict, reason string) {
	t.Helper()
	var text []byte
	for end := time.Now().Add(starting); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var err error
		if text, err = os.ReadFile(s.status()); err != nil {
			continue // nothing was told yet
		}
		lines := strings.SplitN(string(text), "\n", 3)
		if len(lines) == 3 && lines[0] == strconv.Itoa(s.revision) {
			if lines[1] != verdict || !strings.Contains(lines[2], reason) {
				t.Fatalf("it told %q of configuration %d, want %s: %s", lines[1:], s.revision, verdict, reason)
			}
			return
		}
	}
	t.Fatalf("it told %q, and nothing of configuration %d", text, s.revision)
}

// put writes files of the site.
func (s *started) put(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(s.folder, "www/html", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// start starts the program and ends it after the test.
func (s *started) start(t *testing.T) {
	t.Helper()
	s.said, s.ended = &proctest.Log{}, make(chan struct{})
	s.cmd = exec.Command(s.argv[0], s.argv[1:]...)
	s.cmd.Env = append(os.Environ(), "KUBEPANEL_ETC="+filepath.Join(s.folder, "etc"), "TMPDIR="+filepath.Join(s.folder, "tmp"), "KUBEPANEL_LOOK=0.1")
	s.cmd.Stdout, s.cmd.Stderr = s.said, s.said
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.cmd.WaitDelay = time.Second // for what a child of it still writes
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait() // tests look at its state
		close(s.ended)
	}()
	t.Cleanup(func() {
		s.kill(t)
		if t.Failed() {
			t.Logf("it said:\n%s", s.said)
		}
	})
}

// kill ends the program and all that it started at once, as the end of a
// container does.
func (s *started) kill(t *testing.T) {
	t.Helper()
	family := descendants(s.cmd.Process.Pid)
	for _, pid := range family {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended meanwhile
	}
	<-s.ended
}

// descendants returns a process and all below it, from the top.
func descendants(pid int) []int {
	family := []int{pid}
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return family
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // it has ended
		}
		for _, child := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(child); err == nil {
				family = append(family, descendants(n)...)
			}
		}
	}
	return family
}

// exit waits for the program's end and returns its exit code and last line.
func (s *started) exit(t *testing.T) (int, string) {
	t.Helper()
	select {
	case <-s.ended:
	case <-time.After(starting):
		t.Fatalf("it still runs after %s", starting)
	}
	lines := strings.Split(strings.TrimSpace(s.said.String()), "\n")
	return s.cmd.ProcessState.ExitCode(), lines[len(lines)-1]
}

// serves waits until a page has a text.
func (s *started) serves(t *testing.T, path, want string) {
	t.Helper()
	var got string
	for end := time.Now().Add(starting); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got = s.get(path); strings.Contains(got, want) {
			return
		}
		select {
		case <-s.ended:
			t.Fatalf("GET %s: the program ended", path)
		default:
		}
	}
	t.Fatalf("GET %s = %q, want %q", path, got, want)
}

// get returns a page, or why there is none.
func (s *started) get(path string) string {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://127.0.0.1:" + strconv.Itoa(s.port) + path)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close() // it was read
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

// says waits until the log has a text.
func (s *started) says(t *testing.T, want string) {
	t.Helper()
	for end := time.Now().Add(starting); !strings.Contains(s.said.String(), want); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never said %q", want)
		}
	}
}

// leavesOne waits until of what was installed only what is in use is left.
func (s *started) leavesOne(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(starting); ; time.Sleep(20 * time.Millisecond) {
		left, err := filepath.Glob(filepath.Join(s.folder, "www/.kubepanel/*"))
		if err == nil && len(left) == 1 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("left beside what is in use: %q (%v)", left, err)
		}
	}
}

// tells starts an application that serves the last word of its setting prepare,
// "first", and changes that. What is told of changed settings is so for the very next
// visitor, also of an application that takes its time.
func (s *started) tells(t *testing.T, kind, prepare, refusal string) {
	t.Helper()
	s.start(t)
	for _, change := range []struct{ word, told, why, serves string }{
		{"first", "accepted", "", "first"}, {"bad", "refused", refusal, "first"}, {"second", "accepted", "", "second"},
	} {
		if change.word != "first" {
			s.configure(t, kind, "http", map[string]any{"prepare": prepare + change.word})
		}
		s.told(t, change.told, change.why)
		if got := s.get("/"); !strings.Contains(got, change.serves) {
			t.Errorf("after the setting %q, which is %s, it says %q", change.word, change.told, got)
		}
	}
}

// restart touches tmp/restart.txt.
func (s *started) restart(t *testing.T) {
	t.Helper()
	s.put(t, map[string]string{"tmp/restart.txt": time.Now().String()})
}
