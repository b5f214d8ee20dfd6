package web

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// hiddenWord stands for what can't be shown and typed, such as a name with a line's end.
const hiddenWord = "NAME"

// shellWord writes a text so that a shell takes it for one word and nothing else, whatever
// is in it: what a page shows as a line is copied and run.
func shellWord(text string) string {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return hiddenWord // a terminal must not be told anything either
	}
	plain := func(r rune) bool {
		return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune("/._-:@,+", r)
	}
	if text != "" && strings.TrimFunc(text, plain) == "" && !strings.HasPrefix(text, "-") {
		return text
	}
	if strings.HasPrefix(text, "-") {
		text = "./" + text // no flag
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
