package scan

import (
	"strings"
	"testing"
)

// Nothing but "stream: OK" is harmless, and what was found has a name.
func FuzzVerdict(f *testing.F) {
	for _, text := range []string{"stream: OK", "stream: A.B FOUND", "stream:  FOUND", "INSTREAM size limit exceeded. ERROR", "stream: OK FOUND", "", "UNKNOWN COMMAND"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, err := verdict(text)
		if harmless := found == "" && err == nil; harmless != (text == "stream: OK") {
			t.Errorf("verdict(%q) = %q, %v", text, found, err)
		}
		if found != "" && (err != nil || !strings.Contains(text, found+" FOUND")) {
			t.Errorf("verdict(%q) = %q, %v", text, found, err)
		}
	})
}
