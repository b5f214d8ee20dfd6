package domain

import (
	"strings"
	"testing"
	"unicode"
)

func FuzzOutcome(f *testing.F) {
	f.Add([]byte("1234abcd\naccepted\n\n"))
	f.Add([]byte("1234abcd\nrefused\nunknown directive \"x\" in custom.conf:1\n"))
	f.Add([]byte("\nrefused\n\x1b]0;owned\x07\u202e\n"))
	f.Add([]byte("accepted"))
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := parseOutcome(text)
		if err != nil {
			return
		}
		if bad := strings.IndexFunc(o.message, func(r rune) bool { return !unicode.IsGraphic(r) }); bad >= 0 {
			t.Errorf("parseOutcome(%q) lets %q through", text, o.message[bad:])
		}
		if o.accepted == strings.HasPrefix(string(text[len(o.revision)+1:]), "refused") {
			t.Errorf("parseOutcome(%q) = accepted %v", text, o.accepted)
		}
	})
}
