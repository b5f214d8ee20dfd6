package hosting

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestAScannersWordIsCutBetweenCharacters(t *testing.T) {
	for _, name := range []string{strings.Repeat("a", 199) + "é", strings.Repeat("ü", 101), strings.Repeat("a", 198) + "字", strings.Repeat("\xff", 300) + strings.Repeat("字", 67)} {
		if got := clipFound(name); !utf8.ValidString(got) || got == "" || len(got) > 200 {
			t.Errorf("clipFound(%q) = %q of %d octets, want up to 200 that are UTF-8", name, got, len(got))
		}
	}
	if got := clipFound("Eicar-Signature\x00\r\n"); got != "Eicar-Signature" {
		t.Errorf("clipFound keeps %q, want the word without signs that steer", got)
	}
}

func FuzzAScannersWord(f *testing.F) {
	f.Add("Eicar-Signature")
	f.Add(strings.Repeat("a", 199) + "é")
	f.Add("\x00\xff字")
	f.Fuzz(func(t *testing.T, name string) {
		got := clipFound(name)
		if !utf8.ValidString(got) || len(got) > 200 || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("clipFound(%q) = %q, which can't be kept and shown", name, got)
		}
		if again := clipFound(got); again != got {
			t.Errorf("clipFound(%q) = %q, and of that %q", name, got, again)
		}
	})
}
