package keeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// testLimit ends a test that hangs; nginx and FPM need a tenth of a second.
	testLimit = 20 * time.Second
	// readyLimit is how long a program that has not ended may take to begin on a busy
	// node. After that it is left to the container's own probes.
	readyLimit = time.Minute
	// reloadLimit is how long nginx may take until new workers run. It tries for 2.5 s
	// to get a port that somebody has.
	reloadLimit = 10 * time.Second
	// tick is how often a program that is about to be ready is looked at.
	tick = 10 * time.Millisecond
)

// errStopping says that the container is being ended.
var errStopping = errors.New("the container is ending")

// test lets the program look at a configuration and returns what is wrong with
// it, "" for nothing.
func (k *Keeper) test(c config) string {
	ctx, cancel := context.WithTimeout(context.Background(), testLimit)
	defer cancel()
	t := k.Program.test(c.dir)
	cmd := exec.CommandContext(ctx, t.path, t.args...)
	cmd.Env = append(os.Environ(), t.env...)
	if k.Program.socket != nil {
		cmd.ExtraFiles = []*os.File{k.Program.socket}
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	// Where our copy lies tells nobody anything.
	text := strings.ReplaceAll(out.String(), c.dir+"/", "")
	switch {
	case ctx.Err() != nil:
		return fmt.Sprintf("the test of the configuration did not end within %s", testLimit)
	case err != nil && strings.TrimSpace(text) == "":
		return err.Error()
	case err != nil:
		return tidy(text)
	}
	return k.Program.complaint(text)
}

// tidy keeps of a failed test's output what tells the cause.
func tidy(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "nginx: configuration file ") || strings.HasSuffix(line, "FPM initialization failed") ||
			strings.Contains(line, "ERROR: failed to load configuration file") {
			continue
		}
		kept = append(kept, undated(line))
	}
	return strings.Join(kept, " ")
}

// undated takes the time off a line: "[21-Nov-2026 10:26:38] …" is FPM's, and
// "2026/11/21 10:26:38 [emerg] 19#19: …" nginx'.
func undated(line string) string {
	if rest, ok := strings.CutPrefix(line, "["); ok {
		if _, said, ok := strings.Cut(rest, "] "); ok {
			return said
		}
	}
	if line != "" && line[0] >= '0' && line[0] <= '9' {
		if _, rest, ok := strings.Cut(line, "] "); ok {
			if _, said, ok := strings.Cut(rest, ": "); ok {
				return said
			}
		}
	}
	return line
}

// launch starts the program with a configuration and waits until it is ready. It
// returns what went wrong when it ended instead.
func (k *Keeper) launch(c config) (pid int, fault string) {
	if err := os.Remove(k.Program.pidFile(c.dir)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err.Error()
	}
	s := k.Program.start(c.dir)
	files := []*os.File{os.Stdin, os.Stdout, os.Stderr}
	if k.Program.socket != nil {
		files = append(files, k.Program.socket)
	}
	process, err := os.StartProcess(s.path, append([]string{s.path}, s.args...), &os.ProcAttr{
		Env: environment(s.env), Files: files,
	})
	if err != nil {
		return 0, err.Error()
	}
	pid = process.Pid
	_ = process.Release() // reap waits for it, as for every other
	k.running[pid] = true
	err = k.until(readyLimit, func() bool { return !k.running[pid] || k.wrote(c, pid) })
	if !k.running[pid] {
		return 0, fmt.Sprintf("%s ended with code %d when it was started with this configuration; the container's log says why",
			filepath.Base(s.path), k.code)
	}
	if err != nil && !errors.Is(err, errStopping) {
		k.log(s.path + " takes long to begin")
	}
	return pid, ""
}

// environment is the container's with ours. Of two values of one name the program
// would see the first, the container's own.
func environment(ours []string) []string {
	env := os.Environ()
	for _, o := range ours {
		name, _, _ := strings.Cut(o, "=")
		env = slices.DeleteFunc(env, func(e string) bool { return strings.HasPrefix(e, name+"=") })
	}
	return append(env, ours...)
}

// wrote tells whether the program says that it is ready.
func (k *Keeper) wrote(c config, pid int) bool {
	text, err := os.ReadFile(k.Program.pidFile(c.dir))
	return err == nil && strings.TrimSpace(string(text)) == strconv.Itoa(pid)
}

// until waits for done, answering signals meanwhile.
func (k *Keeper) until(limit time.Duration, done func() bool) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for end := time.Now().Add(limit); !done(); {
		if time.Now().After(end) {
			return context.DeadlineExceeded
		}
		select {
		case s := <-k.stops:
			k.stop(s)
			return errStopping
		case <-k.children:
			k.reap()
		case <-ticker.C:
		}
	}
	return nil
}

// reap takes leave of every process that ended: ours, and what they left to the
// container's process 1.
func (k *Keeper) reap() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if k.running[pid] {
			delete(k.running, pid)
			if k.code = status.ExitStatus(); status.Signaled() {
				k.code = 128 + int(status.Signal())
			}
		}
	}
}

// stop hands a signal to the program, and to a former one that still finishes.
func (k *Keeper) stop(s os.Signal) {
	k.stopping = true
	if number, ok := s.(syscall.Signal); ok {
		for pid := range k.running {
			_ = syscall.Kill(pid, number) // gone already is as good
		}
	}
}

// offspring returns the processes whose parent is pid.
func offspring(pid int) map[int]bool {
	found := map[int]bool{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return found
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has just ended
		}
		if child, parent, ok := parseStat(string(text)); ok && parent == pid {
			found[child] = true
		}
	}
	return found
}

// leaving tells whether a worker of nginx takes no more requests: it says so in its
// title. One that is gone takes none either.
func leaving(pid int) bool {
	title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err != nil || bytes.Contains(title, []byte("is shutting down"))
}

// parseStat reads number and parent from /proc/PID/stat (proc_pid_stat(5)); the
// name in between may hold anything, brackets too.
func parseStat(text string) (pid, parent int, ok bool) {
	first, _, _ := strings.Cut(text, " ")
	end := strings.LastIndexByte(text, ')')
	if end < 0 {
		return 0, 0, false
	}
	fields := strings.Fields(text[end+1:])
	if len(fields) < 2 {
		return 0, 0, false
	}
	pid, errPID := strconv.Atoi(first)
	parent, errParent := strconv.Atoi(fields[1])
	return pid, parent, errPID == nil && errParent == nil
}
