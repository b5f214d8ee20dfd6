package sftpd_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"kubepanel.io/kubepanel/internal/toolbox/sftpd"
	"kubepanel.io/kubepanel/internal/toolbox/shell"
)

// startShell serves programs too, and a repository that deploys to html.
func startShell(t testing.TB) *site {
	t.Helper()
	s := prepare(t)
	if err := shell.MakeRepository(t.Context(), filepath.Join(s.root, "html")); err != nil {
		t.Fatal(err)
	}
	programs := &shell.Shell{Dir: s.root, User: user}
	s.programs = func(c ssh.Channel) sftpd.Program { return programs.Session(c) }
	s.serve()
	return s
}

// ssh runs a command there; more are options.
func (s *site) ssh(command string, more ...string) (string, error) {
	s.t.Helper()
	return s.run("", s.sshArgs(command, more...)...)
}

func (s *site) sshArgs(command string, more ...string) []string {
	args := append([]string{"ssh", "-q", "-i", "id", "-p", strconv.Itoa(s.port)}, s.options()...)
	return append(append(append(args, more...), user+"@127.0.0.1"), command)
}

func TestACommandIsTheCustomersOwn(t *testing.T) {
	s := startShell(t)
	for name, test := range map[string]struct {
		command, want string
		more          []string
		code          int
	}{
		"place":             {command: `echo "$PWD $HOME $USER $SHELL"`, want: s.root + " " + s.root + " blog /bin/bash\n"},
		"as it came":        {command: `printf '%s|' "a  b" '$HOME' \; '"'`, want: `a  b|$HOME|;|"|`},
		"status":            {command: "exit 42", code: 42},
		"a program missing": {command: "nonesuch 2>/dev/null", code: 127},
		"killed":            {command: "kill -TERM $$", code: 255},
		"a variable":        {command: "echo $LC_MESSAGES", want: "de_DE.UTF-8\n", more: []string{"-o", "SetEnv=LC_MESSAGES=de_DE.UTF-8"}},
		"not any variable":  {command: "echo $LD_PRELOAD", want: "\n", more: []string{"-o", "SetEnv=LD_PRELOAD=/tmp/x.so"}},
		"a terminal":        {command: "tty >/dev/null && echo $TERM", want: "vt220\r\n", more: []string{"-tt", "-o", "SetEnv=TERM=vt220"}},
		"no terminal":       {command: "tty", want: "not a tty\n", code: 1},
		"no agent":          {command: "echo $SSH_AUTH_SOCK", want: "\n", more: []string{"-A"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := s.ssh(test.command, test.more...)
			code := 0
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				code = exit.ExitCode()
			}
			if code != test.code || test.want != "" && out != test.want {
				t.Errorf("%s = %q, %d, want %q, %d", test.command, out, code, test.want, test.code)
			}
		})
	}
}

// The two are channels of their own, in no order: each is looked at where it ends.
func TestBothOutputsArriveApart(t *testing.T) {
	s := startShell(t)
	apart := []string{"bash", "-c", `"$@" 2>errors && sed 's/^/errors: /' errors`, "-"}
	out, err := s.run("", append(apart, s.sshArgs("echo out; echo err >&2")...)...)
	if want := "out\nerrors: err\n"; err != nil || out != want {
		t.Errorf("%q, %v, want %q", out, err, want)
	}
}

func TestMuchGoesThroughAShell(t *testing.T) {
	s := startShell(t)
	s.write(s.home, "many", strings.Repeat("0123456789abcde\n", 1<<18))
	cmd := exec.Command("bash", "-c", `exec ssh -q -i id -p "$PORT" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -F /dev/null blog@127.0.0.1 'cat; echo end' < many`)
	cmd.Dir, cmd.Env = s.home, append(os.Environ(), "PORT="+strconv.Itoa(s.port), "SSH_AUTH_SOCK=")
	out, err := cmd.Output()
	if err != nil || string(out) != s.content(s.home, "many")+"end\n" {
		t.Errorf("%d bytes came back, %v", len(out), err)
	}
}

func TestPlainRsyncAndOldSCPWork(t *testing.T) {
	s := startShell(t)
	for _, name := range []string{"tree/a", "tree/b/c"} {
		path := filepath.Join(s.home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		s.write(s.home, name, "content of "+name)
	}
	remote := "ssh -i " + filepath.Join(s.home, "id") + " -p " + strconv.Itoa(s.port) + " " + strings.Join(s.options(), " ")
	if out, err := s.run("", "rsync", "-a", "--delete", "-e", remote, "tree/", user+"@127.0.0.1:html/"); err != nil {
		t.Fatalf("rsync: %v\n%s", err, out)
	}
	old := append([]string{"scp", "-O", "-r", "-i", "id", "-P", strconv.Itoa(s.port)}, s.options()...)
	if out, err := s.run("", append(old, "tree", user+"@127.0.0.1:copied")...); err != nil {
		t.Fatalf("scp -O: %v\n%s", err, out)
	}
	for _, name := range []string{"html/b/c", "copied/b/c"} {
		if got := s.content(s.root, name); got != "content of tree/b/c" {
			t.Errorf("%s = %q", name, got)
		}
	}
}

func TestAPushIsDeployed(t *testing.T) {
	s := startShell(t)
	command := "ssh -i " + filepath.Join(s.home, "id") + " " + strings.Join(s.options(), " ")
	git := func(args ...string) (string, error) {
		return s.run("", append([]string{"env", "GIT_SSH_COMMAND=" + command, "GIT_CONFIG_GLOBAL=/dev/null", "git", "-C", "work", "-c", "user.name=a", "-c", "user.email=a@b.example"}, args...)...)
	}
	must := func(args ...string) {
		t.Helper()
		if out, err := git(args...); err != nil {
			t.Fatalf("git %v: %v\n%s\n%s", args, err, out, s.log)
		}
	}
	if err := os.Mkdir(filepath.Join(s.home, "work"), 0o755); err != nil {
		t.Fatal(err)
	}
	must("init", "-q", "-b", "main")
	commit := func(content string) {
		s.write(s.home, "work/index.php", content)
		must("add", "-A")
		must("commit", "-q", "-m", content)
	}
	commit("one")
	must("remote", "add", "live", "ssh://"+user+"@127.0.0.1:"+strconv.Itoa(s.port)+filepath.Join(s.root, "html"))
	must("push", "-q", "live", "main")
	if got := s.content(s.root, "html/index.php"); got != "one" {
		t.Errorf("after the first push: %q", got)
	}
	commit("two")
	must("push", "-q", "live", "main")
	if got := s.content(s.root, "html/index.php"); got != "two" {
		t.Errorf("after the second push: %q", got)
	}
	// Another branch is kept and not put in place.
	must("push", "-q", "live", "main:draft")
	// What was changed on the server is not lost.
	s.write(s.root, "html/index.php", "by hand")
	commit("three")
	if out, err := git("push", "live", "main"); err == nil || !strings.Contains(out, "unstaged changes") {
		t.Errorf("a push over a change: %v\n%s", err, out)
	}
	if got := s.content(s.root, "html/index.php"); got != "by hand" {
		t.Errorf("the change on the server became %q", got)
	}
	// The repository is the customer's: making it again leaves it alone.
	if err := shell.MakeRepository(t.Context(), filepath.Join(s.root, "html")); err != nil {
		t.Error(err)
	}
	if out, err := s.ssh("git -C html rev-parse draft"); err != nil {
		t.Errorf("the branch is gone: %v %s", err, out)
	}
}

// Without its client a program has nobody to answer to.
func TestWhatRanEndsWithItsClient(t *testing.T) {
	s := startShell(t)
	for name, terminal := range map[string]string{"with a terminal": "-tt", "without": "-T"} {
		t.Run(name, func(t *testing.T) {
			_ = os.Remove(filepath.Join(s.root, "pids"))
			args := append([]string{terminal, "-q", "-i", "id", "-p", strconv.Itoa(s.port)}, s.options()...)
			// One heeds the hang-up, one does not.
			client := exec.Command("ssh", append(args, user+"@127.0.0.1", "sleep 600 & echo $! >>pids; (trap '' HUP; exec sleep 600) & echo $! >>pids; echo done >>pids; wait")...)
			client.Dir, client.Env = s.home, append(os.Environ(), "SSH_AUTH_SOCK=")
			if err := client.Start(); err != nil {
				t.Fatal(err)
			}
			var pids []string
			await(t, "the programs run", func() bool {
				text, _ := os.ReadFile(filepath.Join(s.root, "pids"))
				pids = strings.Fields(string(text))
				return len(pids) == 3
			})
			_ = client.Process.Kill()
			_ = client.Wait()
			for _, text := range pids[:2] {
				pid, err := strconv.Atoi(text)
				if err != nil {
					t.Fatal(err)
				}
				await(t, "process "+text+" ends", func() bool { return !runs(pid) })
			}
		})
	}
}

// runs is false for a process that only waits for somebody to take its status.
func runs(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(text), ") Z ")
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not seen: %s", what)
		}
	}
}

func TestASignalReachesTheProgram(t *testing.T) {
	s := startShell(t)
	client := s.dial(t)
	defer func() { _ = client.Close() }()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start("trap 'echo caught; exit 7' USR1; echo ready; while :; do sleep 0.05; done"); err != nil {
		t.Fatal(err)
	}
	heard := make([]byte, len("ready\n"))
	if _, err := stdout.Read(heard); err != nil {
		t.Fatal(err)
	}
	if err := session.Signal(ssh.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if exit, ok := errors.AsType[*ssh.ExitError](session.Wait()); !ok || exit.ExitStatus() != 7 {
		t.Errorf("Wait = %v, want status 7", exit)
	}
}

func TestATerminalHasTheClientsSize(t *testing.T) {
	s := startShell(t)
	client := s.dial(t)
	defer func() { _ = client.Close() }()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.RequestPty("xterm", 30, 100, nil); err != nil {
		t.Fatal(err)
	}
	stdout, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start("trap 'stty size; exit 0' WINCH; stty size; while :; do sleep 0.05; done"); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() || lines.Text() != "30 100" {
		t.Errorf("size at the start = %q, want 30 100", lines.Text())
	}
	if err := session.WindowChange(40, 120); err != nil {
		t.Fatal(err)
	}
	if !lines.Scan() || lines.Text() != "40 120" {
		t.Errorf("size after the change = %q, want 40 120", lines.Text())
	}
}
