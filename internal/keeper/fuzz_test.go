package keeper

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseStatOfAProcessThatIsThere(t *testing.T) {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	if pid, parent, ok := parseStat(string(text)); !ok || pid != os.Getpid() || parent != os.Getppid() {
		t.Errorf("parseStat(%q) = %d, %d, %t, want %d, %d", text, pid, parent, ok, os.Getpid(), os.Getppid())
	}
}

// A process may have any name, and none makes it another's child.
func FuzzParseStat(f *testing.F) {
	f.Add("nginx", 7, 1)
	f.Add(") S 1 (", 12, 7)
	f.Add("a b\n) R 0", 1, 0)
	f.Fuzz(func(t *testing.T, name string, pid, parent int) {
		text := fmt.Sprintf("%d (%s) S %d 7 7 0 -1 4194560", pid, name, parent)
		if gotPID, gotParent, ok := parseStat(text); !ok || gotPID != pid || gotParent != parent {
			t.Errorf("parseStat(%q) = %d, %d, %t, want %d, %d", text, gotPID, gotParent, ok, pid, parent)
		}
		for end := range text {
			parseStat(text[:end]) // a process that ends while it is read
		}
	})
}

// What a program says passes three functions on its way into a condition; no part
// of it may break the status file's lines, and the words of a refusal are kept.
func FuzzWordsOfAProgram(f *testing.F) {
	f.Add("2026/11/21 10:26:38 [emerg] 19#19: unknown directive \"x\" in custom.conf:1\nnginx: configuration file nginx.conf test failed\n")
	f.Add("[21-Nov-2026 10:26:38] ERROR: [www.conf:9] value is NULL\n[21-Nov-2026 10:26:38] ERROR: FPM initialization failed\n")
	f.Add("PHP:  syntax error, unexpected end of file in zzz-custom.ini on line 2\n")
	f.Add("\x1b]0;owned\x07\xff\xfe\r\n")
	f.Fuzz(func(t *testing.T, said string) {
		for what, text := range map[string]string{"tidy": tidy(said), "complaint": phpComplaint(said), "said": said} {
			got := clip(text)
			if strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r == 0x7f }) || !utf8.ValidString(got) {
				t.Errorf("clip(%s of %q) = %q has control characters", what, said, got)
			}
			if len(got) > maxMessage+len("…") {
				t.Errorf("clip(%s of %q) has %d bytes, want at most %d", what, said, len(got), maxMessage)
			}
		}
		if strings.Contains(said, "PHP:  syntax error") && phpComplaint(said) == "" {
			t.Errorf("phpComplaint(%q) finds nothing", said)
		}
	})
}

func TestUndated(t *testing.T) {
	for line, want := range map[string]string{
		"[21-Nov-2026 10:26:38] ERROR: [www.conf:9] bad":             "ERROR: [www.conf:9] bad",
		"2026/11/21 10:26:38 [emerg] 19#19: unknown directive \"x\"": "unknown directive \"x\"",
		"nginx: [emerg] unexpected \"}\"":                            "nginx: [emerg] unexpected \"}\"",
		"[half":                                                      "[half",
		"":                                                           "",
	} {
		if got := undated(line); got != want {
			t.Errorf("undated(%q) = %q, want %q", line, got, want)
		}
	}
}
