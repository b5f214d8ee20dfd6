package web

import (
	"os/exec"
	"strings"
	"testing"
	"unicode"
)

func FuzzShellWord(f *testing.F) {
	for _, text := range []string{"", "/html/index.php", "a b", "it's", "$(reboot)", "`id`", "; id", "-rf", "~", "a\nb", "\x1b[201~", "\xff", "ملف", "*", "'\\''", "a\u202eb"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		word := shellWord(text)
		if strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("shellWord(%q) = %q has what nobody can see", text, word)
		}
		got, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", "printf '%s|' "+word).Output()
		if err != nil {
			t.Fatalf("a shell on shellWord(%q) = %s: %v", text, word, err)
		}
		want := text
		if strings.HasPrefix(text, "-") {
			want = "./" + text
		}
		if string(got) != want+"|" && word != hiddenWord {
			t.Errorf("a shell takes shellWord(%q) for %q", text, got)
		}
	})
}
