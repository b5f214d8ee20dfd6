package cli

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/syslog"
	"kubepanel.io/kubepanel/internal/panel/syslog/syslogtest"
)

// What rsyslog wrote down of a panel's trail is recalculated from its file.
func TestWhatALogServerHasIsRecalculated(t *testing.T) {
	server := syslogtest.New(t, true)
	server.Start()
	o := newOffice(t)
	o.lived(20)
	s, err := syslog.New(syslog.Options{Rules: o.rules, Server: server.Address, Folder: server.Folder, Host: "panel.example", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	o.must(err)
	s.Refused(syslog.Refusal{At: o.rules.Now(), Code: hosting.Forbidden, Doing: "GET /users"})
	o.must(s.Turn(t.Context()))
	lines := server.Wait(24)
	server.Stop()
	last := len(lines) - 1 // the refusal
	verify := func(lines []string, code int, want ...string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "received")
		o.must(os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
		got, text := o.run("", "audit", "verify", file)
		for _, w := range want {
			if got != code || !strings.Contains(text, w) {
				t.Errorf("verify = %d %s, want %d and %q", got, text, code, w)
			}
		}
	}
	verify(lines, 0, "Entries 1 to 2", "the newest has the hash")
	verify(lines[5:], 0, "Entries 6 to 2")
	verify(append(slices.Clone(lines[:10]), lines[5:]...), 0, "Entries 1 to 2")                                         // a part twice
	verify(slices.Concat(lines[:5], lines[8:10], lines[5:]), 0, "Entries 1 to 2")                                       // the end of a part before it
	verify(append([]string{"<13>1 2026-03-01T11:00:00Z host other - - - hello"}, lines...), 0, "Entries 1 to 2")        // another program's
	verify(slices.Delete(slices.Clone(lines), 4, 5), 1, "Entry 5 is missing")                                           // removed
	verify([]string{lines[last]}, 2, "has no entry")                                                                    // nothing
	verify(append(slices.Clone(lines), strings.Replace(lines[3], `hash="`, `hash="0`, 1)), 1, "Entry 4 is there twice") // put in
	verify(append(slices.Clone(lines), lines[3][:200]), 2, "is no whole entry")                                         // cut
	changed := slices.Clone(lines)
	changed[6] = strings.Replace(changed[6], ` did="`, ` did="un`, 1)
	verify(changed, 1, "Entry 7 is not what was written")
}

// FuzzParseElement: what is written as RFC 5424 has it is read, and nothing breaks it.
func FuzzParseElement(f *testing.F) {
	f.Add(`a"b]c\d`, "x")
	f.Add("", `\`)
	f.Add(`"] `, "\x00\xff")
	f.Fuzz(func(t *testing.T, one, two string) {
		_, _ = parseMessage(one) // whatever it is
		_, _ = parseMessage(element + two)
		escape := strings.NewReplacer(`"`, `\"`, `\`, `\\`, `]`, `\]`).Replace
		got, err := parseElement(`one="` + escape(one) + `" two="` + escape(two) + `"] rest "]`)
		if err != nil || got["one"] != one || got["two"] != two || len(got) != 2 {
			t.Errorf("parseElement of %q and %q = %q, %v", one, two, got, err)
		}
	})
}
