package kube

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestEachLineOfALog(t *testing.T) {
	long := strings.Repeat("x", 3*maxLogLine)
	stream := "2026-03-01T12:00:00.000000001Z hello\n2026-03-01T12:00:01Z \x1b[31mred\x1b[0m\tand \x00\xffodd\n2026-03-01T12:00:02Z " + long + "\nno time\n2026-03-01T12:00:03Z"
	var texts []string
	var times []time.Time
	err := eachLine(strings.NewReader(stream), func(at time.Time, text string) error {
		texts, times = append(texts, text), append(times, at)
		return nil
	})
	if err != nil || len(texts) != 5 {
		t.Fatalf("%d lines and %v, want five: %.200q", len(texts), err, texts)
	}
	if texts[0] != "hello" || times[0].Nanosecond() != 1 {
		t.Errorf("the first line is %q of %s", texts[0], times[0])
	}
	if texts[1] != "red\tand \ufffdodd" {
		t.Errorf("a line with escapes is %q", texts[1])
	}
	if n := len(texts[2]); n > maxLogLine+40 || n < maxLogLine-40 || !times[3].IsZero() || texts[3] != "no time" {
		t.Errorf("a long line has %d octets, want about %d; the line behind it is %q", n, maxLogLine, texts[3])
	}
}

// Whatever a program writes is text that a page can show, and ends.
func FuzzEachLine(f *testing.F) {
	f.Add("2026-03-01T12:00:00Z \x1b[1;31mred\x1b[0m\r\n\x1b]0;title\x07")
	f.Add("\xff\xfe\n\n \n")
	f.Fuzz(func(t *testing.T, stream string) {
		lines := 0
		if err := eachLine(strings.NewReader(stream), func(_ time.Time, text string) error {
			lines++
			if !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\x07\x1b\r\n\x7f") || len(text) > 3*(maxLogLine+64) {
				t.Errorf("a line of %q is %q", stream, text)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if most := strings.Count(stream, "\n") + 1; lines > most {
			t.Errorf("%d lines of %q, which has at most %d", lines, stream, most)
		}
	})
}
