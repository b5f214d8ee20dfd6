package syslog

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"kubepanel.io/kubepanel/internal/hosting"
)

func encoded(host string, e *hosting.Entry) []byte {
	m := entryMessage(e)
	return m.append(nil, host)
}

func TestMessage(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 7000, time.FixedZone("", 3600))
	tests := map[string]struct {
		host  string
		entry hosting.Entry
		want  string
	}{
		"all of it": {"panel.example", hosting.Entry{Seq: 12, At: at, Actor: "u1", ActorName: "Jö", Behind: "u2", BehindName: "Help", Address: "2001:db8::1", Did: "site.change",
			Object: "shop.example", Owner: "u1", Reseller: "u3", Before: `{"a":["b\\"]}`, After: `{}`, Hash: "beef"},
			`<109>1 2026-03-01T11:00:00.000007Z panel.example kubepanel - site.change [kubepanel@32473 seq="12" hash="beef" did="site.change" outcome="done" object="shop.example" ` +
				`actor="u1" actorName="Jö" behind="u2" behindName="Help" address="2001:db8::1" owner="u1" reseller="u3" before="{\"a\":[\"b\\\\\"\]}" after="{}"] ` + "\ufeffHelp as Jö: site.change shop.example"},
		"refused": {"", hosting.Entry{Seq: 1, At: at, ActorName: "x\ny", Did: "sign-in.refused"},
			`<108>1 2026-03-01T11:00:00.000007Z - kubepanel - sign-in.refused [kubepanel@32473 seq="1" did="sign-in.refused" outcome="refused" actorName="x` + "\n" + `y"] ` + "\ufeffx y: sign-in.refused"},
		"a host of other letters": {"bücher example", hosting.Entry{Seq: 1, At: at}, `<109>1 2026-03-01T11:00:00.000007Z b?cher?example kubepanel - - [kubepanel@32473 seq="1" outcome="done"] ` + "\ufeff: "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := string(encoded(tt.host, &tt.entry)); got != tt.want {
				t.Errorf("message =\n%q, want\n%q", got, tt.want)
			}
		})
	}
}

// Whatever stands in an entry, somebody else's parser reads the same out of its message.
func FuzzMessage(f *testing.F) {
	f.Add("panel.example", "site.create", "shop.example", `{"a":["b]\\"]}`, "Jo")
	f.Add("", "", `"] [x y="`, "\\", "\x00\n\xff")
	f.Add("ü ", strings.Repeat("x", 40), "]", `\"`, "\ufeff")
	f.Fuzz(func(t *testing.T, host, did, object, after, name string) {
		e := &hosting.Entry{Seq: 7, At: time.Unix(1, 0), Did: did, Object: object, After: after, ActorName: name, Hash: "beef"}
		message := encoded(host, e)
		read, err := rfc5424.NewParser().Parse(message)
		if err != nil {
			t.Fatalf("%q is no message: %v", message, err)
		}
		m := read.(*rfc5424.SyslogMessage)
		got := (*m.StructuredData)[element]
		for _, p := range params(e) {
			want := strings.ToValidUTF8(p.value, string(unicode.ReplacementChar))
			if p.value == "" {
				want = ""
			}
			if got[p.name] != want {
				t.Errorf("%s = %q in %q, want %q", p.name, got[p.name], message, want)
			}
		}
		if m.Message == nil || !utf8.ValidString(*m.Message) || strings.ContainsFunc(*m.Message, unicode.IsControl) {
			t.Errorf("the text of %q is not one line", message)
		}
	})
}
