package images_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/proctest"
)

// clamav is one of the image's programs with folders of a test's own.
type clamav struct {
	t      *testing.T
	folder string
	env    []string
	said   *proctest.Log
	cmd    *exec.Cmd
	ended  chan error
}

func newClamAV(t *testing.T, env ...string) *clamav {
	t.Helper()
	need(t, "clamd", "clamdscan", "freshclam")
	// Not t.TempDir, which other accounts can't enter: as root freshclam becomes another.
	folder, err := os.MkdirTemp("", "kubepanel-clamav-")
	if err != nil {
		t.Fatal(err)
	}
	c := &clamav{t: t, folder: folder, env: env, said: &proctest.Log{}}
	t.Cleanup(func() {
		c.end(syscall.SIGKILL)
		_ = os.RemoveAll(folder)
	})
	for _, name := range []string{"signatures", "run", "etc"} {
		if err := os.Mkdir(c.path(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// The image's settings; here changed signatures count sooner.
	for _, name := range []string{"clamd.conf", "freshclam.conf"} {
		text, err := os.ReadFile("clamav/" + name)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.NewReplacer("SelfCheck 600", "SelfCheck 1", "MaxAttempts 3", "MaxAttempts 1").Replace(string(text))
		if err := os.WriteFile(c.path("etc/"+name), []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chmod(folder, 0o755), proctest.Own(folder, c.path("signatures"), c.path("run"), c.path("etc"), c.path("etc/clamd.conf"), c.path("etc/freshclam.conf"))); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *clamav) path(name string) string { return filepath.Join(c.folder, name) }

func (c *clamav) command(program string) *exec.Cmd {
	cmd := exec.Command("clamav/" + program)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin", "CLAMAV_SIGNATURES=" + c.path("signatures"), "CLAMAV_CONFIG=" + c.path("etc"),
		"CLAMAV_RUN=" + c.path("run"), "CLAMAV_SOCKET=" + c.path("run/clamd.sock"), "CLAMAV_LOOK=0.1", "CLAMAV_REST=0.1"}, c.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: proctest.Account()}
	return cmd
}

func (c *clamav) begin(program string) {
	c.t.Helper()
	c.cmd, c.ended = c.command(program), make(chan error, 1)
	c.cmd.Stdout, c.cmd.Stderr = c.said, c.said
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func(cmd *exec.Cmd, ended chan error) { ended <- cmd.Wait() }(c.cmd, c.ended)
}

// end sends a signal to the program, and waits until it has ended with all that it started.
func (c *clamav) end(signal syscall.Signal) {
	c.t.Helper()
	if c.cmd == nil {
		return
	}
	_ = syscall.Kill(c.cmd.Process.Pid, signal)
	select {
	case <-c.ended:
	case <-time.After(30 * time.Second):
		c.t.Errorf("it did not end by %s:\n%s", signal, c.said)
	}
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) // what the pod's end would take along
	c.cmd = nil
}

// knows makes a set of signatures that knows one text.
func (c *clamav) knows(set, harm string) {
	c.t.Helper()
	file := c.path("signatures/" + set + ".ndb")
	fresh := file + ".new"
	if err := errors.Join(os.WriteFile(fresh, fmt.Appendf(nil, "Kubepanel.%s:0:*:%x\n", set, harm), 0o644), os.Rename(fresh, file)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *clamav) healthy() bool { return c.command("clamav-health").Run() == nil }

// until waits for something that comes.
func (c *clamav) until(what string, is func() bool) {
	c.t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("%s did not come:\n%s", what, c.said)
		}
	}
}

// finds asks what is in a text, as the panel does (clamd(8), INSTREAM).
func (c *clamav) finds(text string) string {
	c.t.Helper()
	conn, err := net.Dial("unix", c.path("run/clamd.sock"))
	if err != nil {
		c.t.Fatalf("%v\n%s", err, c.said)
	}
	defer conn.Close()
	ask := append([]byte("zINSTREAM\x00"), binary.BigEndian.AppendUint32(nil, uint32(len(text)))...)
	_, unsent := conn.Write(append(append(ask, text...), 0, 0, 0, 0))
	said, err := io.ReadAll(conn)
	if err = errors.Join(unsent, err); err != nil && len(said) == 0 { // who was refused midway may be hung up on
		c.t.Fatalf("%v\n%s", err, c.said)
	}
	return strings.TrimSuffix(string(said), "\x00")
}

func TestClamdAnswersOnceItKnowsHarm(t *testing.T) {
	c := newClamAV(t, "LARGEST_FILE=1")
	c.begin("clamav-start")
	c.knows("main", "harm that main knows")
	c.until("the word that it waits", func() bool { return strings.Contains(c.said.String(), "waits for signatures") })
	if time.Sleep(500 * time.Millisecond); c.healthy() {
		t.Error("it answers with half of its signatures")
	}
	c.knows("daily", "harm that daily knows")
	c.until("an answer", c.healthy)
	for text, want := range map[string]string{
		"nothing":                      "stream: OK",
		"some harm that main knows":    "stream: Kubepanel.main.UNOFFICIAL FOUND",
		"some harm that daily knows":   "stream: Kubepanel.daily.UNOFFICIAL FOUND",
		"some harm of tomorrow":        "stream: OK",
		strings.Repeat("x", (1<<20)+1): "INSTREAM size limit exceeded. ERROR",
	} {
		if got := c.finds(text); got != want {
			t.Errorf("finds(%.30q) = %q, want %q", text, got, want)
		}
	}
	c.knows("daily", "harm of tomorrow")
	c.until("the changed signature", func() bool { return strings.HasSuffix(c.finds("some harm of tomorrow"), "FOUND") })
	c.end(syscall.SIGTERM)
}

func TestWhatWaitsForSignaturesEndsWhenItIsTold(t *testing.T) {
	c := newClamAV(t)
	c.begin("clamav-start")
	c.until("the word that it waits", func() bool { return strings.Contains(c.said.String(), "waits for signatures") })
	began := time.Now()
	c.end(syscall.SIGTERM)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it ended after %s, want at once", took)
	}
}

// Whoever stands in a mirror's place can't give signatures of its own: ClamAV signs them.
func TestSignaturesThatClamAVDidNotSignAreNotTaken(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.URL.Path]++
		mu.Unlock()
		if strings.HasSuffix(r.URL.Path, ".cld") {
			http.NotFound(w, r)
			return
		}
		// The head of such a file (libclamav/cvd.c) with a sum and a signature that are not ClamAV's.
		head := fmt.Sprintf("ClamAV-VDB:21 Nov 2026 08-00 +0000:99999:1:90:%s:%s:nobody:1763712000", strings.Repeat("0", 32), strings.Repeat("A", 344))
		fmt.Fprintf(w, "%-512s%s", head, strings.Repeat("x", 4096))
	}))
	t.Cleanup(mirror.Close)
	c := newClamAV(t, "MIRROR="+mirror.URL+"/signatures")
	c.begin("clamav-fetch")
	times := func() int {
		mu.Lock()
		defer mu.Unlock()
		return asked["/signatures/daily.cvd"]
	}
	c.until("a question and another try", func() bool { return times() > 2 })
	began := time.Now()
	c.end(syscall.SIGTERM)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it ended after %s, want at once", took)
	}
	taken, err := filepath.Glob(c.path("signatures/*.c?d"))
	if err != nil || len(taken) != 0 {
		t.Errorf("taken = %v, %v, want none\n%s", taken, err, c.said)
	}
}
