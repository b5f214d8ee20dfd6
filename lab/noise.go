package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/exec"
)

// noise is one way in which a tenant hurts himself and would like to hurt others.
// Its command runs in his app container and ends by itself.
type noise struct {
	name    string
	command func(seconds string) []string
	// loud reads from what the command printed, and from how it ended, whether the
	// noise was made at all: silence would prove nothing. An error says what lacks.
	loud func(printed string, err error) error
	// evicts says that Kubernetes removes the pod for it.
	evicts bool
}

// timed ends a whole family of processes at once: timeout leads a process group
// of its own and kills all of it (signal(7): to a group, no fork slips through).
func timed(seconds string, command ...string) []string {
	return append([]string{"timeout", "--signal=KILL", seconds}, command...)
}

// phpFor runs a script with the seconds as its argument.
func phpFor(script string) func(string) []string {
	return func(seconds string) []string { return []string{"php", "-r", script, "--", seconds} }
}

// atLeast wants the last line of what was printed to be a number of that size.
func atLeast(least float64, unit string) func(string, error) error {
	return func(printed string, err error) error {
		if err != nil {
			return err
		}
		said := lines(printed)
		if len(said) == 0 {
			return fmt.Errorf("it printed nothing, want at least %g %s", least, unit)
		}
		got, err := strconv.ParseFloat(said[len(said)-1], 64)
		if err == nil && got < least {
			err = fmt.Errorf("it made %g %s, want at least %g", got, unit, least)
		}
		return err
	}
}

// whateverEndedIt looks only at what was printed: the end of a pod ends its
// commands too, sooner or later than they would themselves.
func whateverEndedIt(loud func(string, error) error) func(string, error) error {
	return func(printed string, _ error) error { return loud(printed, nil) }
}

// noises are made one after the other; those that cost the pod come last.
func noises() []noise { return slices.Concat(ofProcesses(), ofOutput()) }

// ofProcesses are those that want the processor and the memory.
func ofProcesses() []noise {
	return []noise{
		{
			name: "fork bomb",
			// The shell that timeout knows only sleeps, since one that can't fork ends. What
			// they say is written in pieces and mixed: the words may come late.
			command: func(seconds string) []string {
				const bomb = `timeout --signal=KILL "$1" sh -c 'bomb() { bomb | bomb & }; bomb; exec sleep 600' 2>/tmp/said; grep -aim1 fork /tmp/said || head -c 300 /tmp/said`
				return []string{"sh", "-c", bomb, "sh", seconds}
			},
			loud: orKilled(refusedTo("fork")),
		},
		{
			name: "memory hog",
			// Again and again: the kernel ends one, the next one grows.
			command: func(seconds string) []string {
				return timed(seconds, "sh", "-c", `while :; do php -d memory_limit=-1 -r '$a = []; while (true) $a[] = str_repeat("x", 1 << 20);' || echo ended; done`)
			},
			loud: printed("ended"),
		},
		{
			name: "CPU hog",
			command: phpFor(`
$all = [];
for ($i = 0; $i < 16; $i++) $all[] = proc_open(['php', '-r', '$end = time() + $argv[1]; while (time() < $end) hash("sha256", "x"); $u = getrusage(); echo $u["ru_utime.tv_sec"] + $u["ru_utime.tv_usec"] / 1e6, "\n";', '--', $argv[1]], [1 => ['pipe', 'w']], $pipes[$i]);
$sum = 0; foreach ($pipes as $p) $sum += (float) stream_get_contents($p[1]);
echo $sum, "\n";`),
			loud: atLeast(1, "seconds of CPU"),
		},
	}
}

// ofOutput are those that fill something: a log, a table, a disk.
func ofOutput() []noise {
	return []noise{
		{
			name: "log flood",
			// Short lines, as each costs the runtime the same whatever its length. Half a minute of them is
			// more than the site may store, and its pod is removed.
			command: toLog(`$end = time() + $argv[1]; $lines = str_repeat("x\n", 4096); $sum = $told = 0;
while (time() < $end) { $sum += fwrite($log, $lines); if ($sum > 2 * $told) echo $told = $sum, "\n"; }
echo $sum, "\n";`),
			loud: whateverEndedIt(atLeast(20_000, "bytes of log")),
		},
		{
			name: "open sockets",
			command: phpFor(`
$kept = []; $end = time() + $argv[1];
while (time() < $end && count($kept) < 15000) { $s = @stream_socket_server('tcp://127.0.0.1:0'); if (!$s) break; $kept[] = $s; }
while (time() < $end) usleep(100000);
echo count($kept), "\n";`),
			loud: atLeast(5000, "sockets"),
		},
		{
			name: "connections",
			// To addresses that nobody has (RFC 5737): each packet is a new line in the
			// node's table of connections.
			command: phpFor(`
$end = time() + $argv[1]; $sent = 0;
while (time() < $end) {
	$s = @stream_socket_client('udp://203.0.113.' . mt_rand(1, 254) . ':' . mt_rand(1024, 65535));
	if ($s && @fwrite($s, 'x')) $sent++;
	if ($sent > 60000) break;
}
while (time() < $end) usleep(100000);
echo $sent, "\n";`),
			loud: atLeast(5000, "packets to new addresses"),
		},
		{
			name: "full /tmp",
			// A little more than the 2 GiB that the volume may hold, and no more: the disk is not ours alone.
			command: func(seconds string) []string {
				return timed("60", "sh", "-c", "dd if=/dev/zero of=/tmp/full bs=1M count=2300 2>/dev/null; stat -c %s /tmp/full; sleep "+seconds)
			},
			loud:   whateverEndedIt(atLeast(2<<30, "bytes")),
			evicts: true,
		},
		{
			name: "long lines",
			// Into the log until the pod is removed for it, and no more than 2 GiB. Where the disk takes less
			// than 30 MiB/s the runtime turns the files in time.
			command: toLog(`$end = time() + 60; $lines = str_repeat(str_repeat("x", 16000) . "\n", 64); $sum = 0;
while (time() < $end && $sum < 2 << 30) { $sum += fwrite($log, $lines); echo $sum / 1048576, "\n"; }`),
			loud:   whateverEndedIt(atLeast(512, "MiB of log")),
			evicts: true,
		},
	}
}

// toLog runs a script of PHP with the container's log open as $log.
func toLog(script string) func(string) []string {
	return func(seconds string) []string {
		// PHP itself can't open another process's pipe by its name; the shell can.
		return []string{"sh", "-c", `exec php -r "$1" -- "$2" 3>/proc/1/fd/2`, "sh", `$log = fopen('php://fd/3', 'w'); ` + script, seconds}
	}
}

// refusedTo wants the program's own words that it was refused something, in its
// output or in the error, which tells what it wrote to standard error.
func refusedTo(what string) func(string, error) error {
	return func(printed string, err error) error {
		if said := fmt.Sprint(printed, err); !strings.Contains(strings.ToLower(said), what) {
			return fmt.Errorf("nobody was refused to %s: %.300s", what, said)
		}
		return nil
	}
}

// killedBySignal is how a shell tells that SIGKILL ended a program.
const killedBySignal = 128 + 9

// orKilled is content too when the kernel killed the noise with all that is in its
// container. As many shells as a pod may have take about as much memory as a site has, so
// a fork bomb meets now the one bound first and now the other.
func orKilled(loud func(string, error) error) func(string, error) error {
	return func(printed string, err error) error {
		var exit exec.ExitError
		if errors.As(err, &exit) && exit.ExitStatus() == killedBySignal {
			return nil
		}
		return loud(printed, err)
	}
}

// printed wants a word in the output, however the program ended.
func printed(word string) func(string, error) error {
	return func(said string, err error) error {
		if !strings.Contains(said, word) {
			return errors.Join(fmt.Errorf("it did not print %q but %.300q", word, said), err)
		}
		return nil
	}
}

// make runs the noise in a pod until it ends.
func (n noise) make(ctx context.Context, s site, pod *corev1.Pod, length time.Duration) error {
	seconds := strconv.Itoa(int(length.Seconds()))
	said, err := s.execute(ctx, pod, "app", nil, n.command(seconds)...)
	return n.loud(said, err)
}
