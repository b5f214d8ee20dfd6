package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/proctest"
)

// patience is how long anything may take on two busy cores.
const patience = 40 * time.Second

// nobody runs what a test starts: FPM refuses to be root, and nginx would serve as
// another account.
const nobody = 65534

// program is the keeper, built once for all tests.
var program string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	// Not below the user's own folder, which is closed to others.
	dir, err := os.MkdirTemp("", "keeper-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "keeper")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the keeper: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// pod is a folder that a site's containers share, and what runs in it.
type pod struct {
	dir  string
	port int
}

// newPod prepares the folders.
func newPod(t *testing.T) *pod {
	t.Helper()
	// Not t.TempDir, whose parent is closed to others.
	dir, err := os.MkdirTemp("", "keeper-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &pod{dir: dir, port: proctest.Port(t)}
	for _, sub := range []string{"", "www", "nginx", "php", "nginx-state", "php-state", "run"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, sub), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func find(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("there is no %s: apt-get install nginx-light php-fpm", pattern)
	}
	return found[len(found)-1]
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// publish changes a mounted ConfigMap as kubelet does: all files in a folder of
// their own, then one link to it is renamed into place.
func (p *pod) publish(t *testing.T, volume, revision string, files map[string]string) {
	t.Helper()
	mount := filepath.Join(p.dir, volume)
	former, _ := os.Readlink(filepath.Join(mount, "..data"))
	moment, err := os.MkdirTemp(mount, "..moment-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(moment, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(moment, "revision"), revision)
	for name, text := range files {
		write(t, filepath.Join(moment, name), text)
	}
	for name := range files {
		_ = os.Symlink("..data/"+name, filepath.Join(mount, name))
	}
	_ = os.Symlink("..data/revision", filepath.Join(mount, "revision"))
	if err := os.Symlink(filepath.Base(moment), filepath.Join(mount, "..data_tmp")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(mount, "..data_tmp"), filepath.Join(mount, "..data")); err != nil {
		t.Fatal(err)
	}
	if former != "" {
		_ = os.RemoveAll(filepath.Join(mount, former))
	}
}

// container is a keeper with its program.
type container struct {
	cmd         *exec.Cmd
	log, status string
	ended       chan struct{}
}

// start runs a keeper as process 1 of a container would run.
func (p *pod) start(t *testing.T, verb, volume string, more ...string) *container {
	t.Helper()
	c := &container{log: filepath.Join(p.dir, volume+".log"), status: filepath.Join(p.dir, "run", volume+".status"), ended: make(chan struct{})}
	_ = os.Remove(c.status)
	// A file, since FPM opens its log by name, which it may not with our pipe.
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if err := log.Chmod(0o666); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(p.dir, volume+"-state")
	args := append([]string{
		verb, "--config=" + filepath.Join(p.dir, volume), "--state=" + state, "--status=" + c.status,
		"--pid=" + filepath.Join(state, "pid"),
	}, more...)
	c.cmd = exec.Command(program, args...)
	c.cmd.Stdout, c.cmd.Stderr, c.cmd.Dir = log, log, p.dir
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 {
		c.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.cmd.Wait(); close(c.ended) }()
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("log of %s, its end:\n%s", volume, c.wrote())
		}
	})
	return c
}

// wrote returns the end of the container's log.
func (c *container) wrote() string {
	text, _ := os.ReadFile(c.log)
	return string(text[max(0, len(text)-3000):])
}

// kill ends a container as the runtime does when its time is over: every process. An
// FPM has a group of its own; nothing begins between the two looks, as the keeper is held.
func (c *container) kill() {
	_ = c.cmd.Process.Signal(syscall.SIGSTOP)
	for _, child := range c.children() {
		_ = syscall.Kill(-child, syscall.SIGKILL)
	}
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	<-c.ended
}

// children are the processes that the keeper runs, each begun by one of its threads; none
// when it has ended.
func (c *container) children() []int {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", c.cmd.Process.Pid))
	var pids []int
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, field := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// stop asks a container to end and returns its exit code.
func (c *container) stop(t *testing.T, s syscall.Signal) int {
	t.Helper()
	_ = c.cmd.Process.Signal(s)
	select {
	case <-c.ended:
	case <-time.After(patience):
		t.Fatalf("it does not end after %s", s)
	}
	return c.cmd.ProcessState.ExitCode()
}

// says waits for the outcome of a revision and returns its message.
func (c *container) says(t *testing.T, revision, verdict string) string {
	t.Helper()
	var message string
	eventually(t, func() error {
		text, err := os.ReadFile(c.status)
		if err != nil {
			return err
		}
		lines := strings.SplitN(string(text), "\n", 3)
		if len(lines) != 3 || lines[0] != revision || lines[1] != verdict {
			return fmt.Errorf("status = %q, want %s %s", text, revision, verdict)
		}
		message = strings.TrimSpace(lines[2])
		return nil
	})
	return message
}

func eventually(t *testing.T, what func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err = what(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// get asks the site over a connection of its own.
func (p *pod) get(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port))+path, nil)
	if err != nil {
		return "", err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return string(body), err
}

// answers waits until the site says want.
func (p *pod) answers(t *testing.T, path, want string) {
	t.Helper()
	eventually(t, func() error {
		got, err := p.get(t.Context(), path)
		if err == nil && got != want {
			err = fmt.Errorf("%s = %q, want %q", path, got, want)
		}
		return err
	})
}

// visitor asks all the while; done fails the test when one request failed.
func (p *pod) visitor(t *testing.T, path string) (done func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var mu sync.Mutex
	asked, failures := 0, []string{}
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, err := p.get(context.WithoutCancel(ctx), path)
				mu.Lock()
				if asked++; err != nil {
					failures = append(failures, err.Error())
				}
				mu.Unlock()
			}
		})
	}
	return func() {
		t.Helper()
		cancel()
		wg.Wait()
		if len(failures) > 0 || asked == 0 {
			t.Errorf("%d of %d requests failed, the first: %v", len(failures), asked, failures[:min(len(failures), 3)])
		}
	}
}

func exists(path string) error {
	_, err := os.Stat(path)
	return err
}
