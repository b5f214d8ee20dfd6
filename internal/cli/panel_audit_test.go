package cli

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

// lived fills a trail with so many changes of an account, and some entries beside.
func (o *office) lived(changes int) {
	o.t.Helper()
	o.want(nil, "login", o.url, "--ca-file", o.ca)
	o.want(nil, "package", "create", "Small", "--sites", "3")
	o.want(nil, "user", "create", "jo@shop.example", "--name", "=HYPERLINK(\"<&>\")", "--package", "Small")
	boss, err := o.rules.Store.UserByEmail(o.t.Context(), "boss@provider.example")
	o.must(err)
	actor, err := hosting.ActorOf(o.t.Context(), o.rules.Store, boss.ID)
	o.must(err)
	jo, err := o.rules.Store.UserByEmail(o.t.Context(), "jo@shop.example")
	o.must(err)
	for i := range changes {
		o.must(o.rules.SuspendUser(o.t.Context(), actor, jo.ID, i%2 == 0))
	}
}

func TestTheTrailIsListedAsFarAsAsked(t *testing.T) {
	o := newOffice(t)
	o.lived(210)
	for _, tt := range []struct {
		actor, limit string
		most, least  int
	}{{"boss@provider.example", "205", 205, 205}, {"boss@provider.example", "3", 3, 3}, {"boss@provider.example", "1000", 1000, 210}, {"jo@shop.example", "205", 0, 0}} {
		var entries []map[string]any
		said := o.want(nil, "audit", "list", "--actor", tt.actor, "--limit", tt.limit, "-o", "json")
		if err := json.Unmarshal([]byte(said), &entries); err != nil || len(entries) > tt.most || len(entries) < tt.least {
			t.Errorf("%s of %s = %d entries (%v), want %d to %d", tt.limit, tt.actor, len(entries), err, tt.least, tt.most)
		}
	}
}

func TestTheTrailIsListedByTime(t *testing.T) {
	o := newOffice(t)
	o.lived(10)
	soon, today := time.Now().Add(time.Minute).Format(time.RFC3339), time.Now().Format(time.DateOnly)
	for _, tt := range []struct {
		args        []string
		least, most int
	}{{[]string{"--from", soon}, 0, 0}, {[]string{"--to", "2026-01-31"}, 0, 0}, {[]string{"--from", "2026-01-31", "--to", soon}, 12, 100},
		{[]string{"--from", today, "--did", "user.create"}, 1, 1}} {
		var entries []map[string]any
		said := o.want(nil, append([]string{"audit", "list", "-o", "json"}, tt.args...)...)
		if err := json.Unmarshal([]byte(said), &entries); err != nil || len(entries) < tt.least || len(entries) > tt.most {
			t.Errorf("audit list %v = %d entries (%v), want %d to %d", tt.args, len(entries), err, tt.least, tt.most)
		}
	}
	o.refused(2, "--to \"31.1.2026\" is no time", "audit", "list", "--to", "31.1.2026")
	o.refused(2, "The end is before the beginning", "audit", "list", "--from", soon, "--to", "2026-01-31")
}

func FuzzParseMoment(f *testing.F) {
	f.Add("2026-01-31")
	f.Add("2026-01-31T12:00:00+02:00")
	f.Add("31.1.2026")
	f.Fuzz(func(t *testing.T, text string) {
		at, err := parseMoment("from", text)
		switch {
		case err != nil:
			if at != nil || hosting.CodeOf(err) != hosting.Invalid {
				t.Errorf("parseMoment(%q) = %v, %v; want that it is no time", text, at, err)
			}
		case at == nil:
			if text != "" {
				t.Errorf("parseMoment(%q) is none", text)
			}
		default: // what it is sent as is read as the same
			if again, err := parseMoment("from", at.Format(time.RFC3339Nano)); err != nil || !again.Equal(*at) {
				t.Errorf("parseMoment(%q) = %v, and of that %v, %v", text, at, again, err)
			}
		}
	})
}

func TestTheTrailIsWrittenOutAndRecalculated(t *testing.T) {
	o := newOffice(t)
	o.lived(210) // more than the panel reads at once
	whole := filepath.Join(t.TempDir(), "trail.jsonl")
	o.want([]string{"entries to " + whole}, "audit", "export", whole)
	said := o.want(nil, "audit", "verify")
	o.want([]string{said[:len("All 213 entries")], "hash"}, "audit", "verify", whole)

	lines := slices.Collect(strings.Lines(o.file(whole)))
	if len(lines) < 200 {
		t.Fatalf("%d entries came, want more than a page", len(lines))
	}
	forged := func(name string, change func([]string) []string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "forged.jsonl")
		o.must(os.WriteFile(file, []byte(strings.Join(change(slices.Clone(lines)), "")), 0o600))
		if code, text := o.run("", "audit", "verify", file); code != 1 || !strings.Contains(text, "Entry ") {
			t.Errorf("verify a trail %s = %d %s, want the entry that is wrong", name, code, text)
		}
	}
	forged("with another deed", func(l []string) []string {
		l[50] = strings.Replace(l[50], "user.suspend", "user.create", 1)
		return l
	})
	forged("without an entry", func(l []string) []string { return slices.Delete(l, 50, 51) })
	forged("without its beginning", func(l []string) []string { return l[:len(l)-1] })
	forged("with its first entry changed", func(l []string) []string {
		l[len(l)-1] = strings.Replace(l[len(l)-1], `"did":"`, `"did":"un`, 1)
		return l
	})
	forged("out of order", func(l []string) []string { slices.Reverse(l); return l })
	o.refused(2, "has no entry of an audit trail", "audit", "verify", o.ca)
	o.refused(2, "can't be read", "audit", "verify", filepath.Join(t.TempDir(), "none"))
}

func TestAnExportIsNarrowed(t *testing.T) {
	o := newOffice(t)
	o.lived(10)
	count := func(args ...string) int {
		t.Helper()
		return strings.Count(o.want(nil, append([]string{"audit", "export"}, args...)...), "\n")
	}
	if n := count("--did", "user.create"); n != 1 {
		t.Errorf("%d accounts were made by the export, want 1", n)
	}
	if n := count("--did", "user.suspend", "--object", "jo@shop.example", "--actor", "boss@provider.example"); n != 10 {
		t.Errorf("%d suspensions, want 10", n)
	}
	if n := count("--actor", "jo@shop.example"); n != 0 {
		t.Errorf("%d entries of who did nothing", n)
	}
	soon, long := time.Now().Add(time.Minute).Format(time.RFC3339), time.Now().Add(-48*time.Hour).Format(time.DateOnly)
	if n := count("--from", soon); n != 0 {
		t.Errorf("%d entries are from the future", n)
	}
	if n := count("--to", long); n != 0 {
		t.Errorf("%d entries are from before the panel", n)
	}
	if n := count("--from", long, "--to", soon); n < 12 {
		t.Errorf("%d entries within days, want all", n)
	}
	o.refused(2, "--from \"yesterday\" is no time", "audit", "export", "--from", "yesterday")
	o.refused(2, "The end is before the beginning", "audit", "export", "--from", soon, "--to", long)
}

func TestAnExportAsATable(t *testing.T) {
	o := newOffice(t)
	o.lived(0)
	file := filepath.Join(t.TempDir(), "trail.csv")
	o.want([]string{`"entries": 1`}, "audit", "export", "--csv", "--did", "user.create", file, "-o", "json")
	rows, err := csv.NewReader(strings.NewReader(o.file(file))).ReadAll()
	o.must(err)
	if len(rows) != 2 || rows[1][3] != "jo@shop.example" || !json.Valid([]byte(rows[1][12])) {
		t.Errorf("the table is %q, want a head and the account with what it is as JSON", rows)
	}
	for text, want := range map[string]string{"=1+1": "'=1+1", "@SUM": "'@SUM", "-1": "'-1", "+1": "'+1", "\t=1": "'\t=1", "a=1": "a=1", "": ""} {
		if got := noFormula(text); got != want {
			t.Errorf("noFormula(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestHowFarTheTrailCame(t *testing.T) {
	o := newOffice(t)
	o.lived(2)
	o.want([]string{"The trail is sent to no log server."}, "audit", "sending")
	o.rules.LogServer = "logs.example:6514"
	o.want([]string{"logs.example:6514", "none yet", "entries, the first since"}, "audit", "sending")
	o.must(o.rules.Store.Write(o.t.Context(), func(tx hosting.Tx) error {
		return tx.PutSending(o.t.Context(), &hosting.Sending{Server: o.rules.LogServer, Seq: 2, Hash: "beef", ConfirmedAt: time.Now(), Tries: 4, Fault: hosting.FaultUnconfirmed})
	}))
	o.want([]string{"up to entry 2 with the hash beef", "4 times in vain", "did not say that it had read everything", "driver ossl"}, "audit", "sending")
	o.want([]string{`"fault": "unconfirmed"`, `"late": true`, `"tries": 4`}, "audit", "sending", "-o", "json")
}
