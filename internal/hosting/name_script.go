package hosting

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// ParseNewName is ParseName for a name that nobody has yet. It also refuses a part whose
// letters are of scripts that no language writes together: "pаypal" with a Cyrillic а looks
// like another's name (UTS #39 section 5.2, highly restrictive). Names from before that rule
// stay.
func ParseNewName(input string) (string, error) {
	name, err := ParseName(input)
	if err != nil {
		return "", err
	}
	return name, checkScripts(name)
}

// checkScripts judges a stored name part by part.
func checkScripts(ascii string) error {
	for label := range strings.SplitSeq(ShowName(ascii), ".") {
		if one, other, mixed := mixedScripts(label); mixed {
			return fmt.Errorf("%q mixes %s and %s letters in one part, as a name does that passes for another; write each part in one script", ShowName(ascii), one, other)
		}
	}
	return nil
}

// checkNewNames judges the names that a Domain gets; was is nil of a new one.
func checkNewNames(was, wanted *v1alpha1.Domain) error {
	var had []string
	if was != nil {
		had = names(was)
	}
	for _, name := range names(wanted) {
		if slices.Contains(had, name) {
			continue
		}
		if err := checkScripts(name); err != nil {
			return invalidField("name", sentence(err.Error()), nil)
		}
	}
	return nil
}

// mixedScripts names two scripts of a text that are not written together, the first ones
// that it has.
func mixedScripts(text string) (one, other string, mixed bool) {
	var seen []string
	for _, r := range text {
		own := scriptOf(r)
		if own == "" || slices.Contains(seen, own) {
			continue
		}
		if i := slices.IndexFunc(seen, func(s string) bool { return !together(s, own) }); i >= 0 {
			return seen[i], own, true
		}
		seen = append(seen, own)
	}
	return "", "", false
}

// withHan are the scripts that are written with Han; Latin goes with each of them. Japanese
// has two, so these do with each other.
var withHan = []string{"Bopomofo", "Hangul", "Hiragana", "Katakana"}

// together tells whether a language writes two scripts in one word. A text of more is one
// when each two of them are, which is UTS #39's list.
func together(a, b string) bool {
	if b == "Latin" || b == "Han" && a != "Latin" || a == "Katakana" {
		a, b = b, a
	}
	switch a {
	case "Latin":
		return b == "Han" || slices.Contains(withHan, b)
	case "Han":
		return slices.Contains(withHan, b)
	}
	return a == "Hiragana" && b == "Katakana"
}

// scriptOf is the script of a letter by its name in Unicode; "" for digits, hyphens and
// marks, which go with any.
func scriptOf(r rune) string {
	switch {
	case r <= unicode.MaxASCII && unicode.IsLetter(r):
		return "Latin"
	case r <= unicode.MaxASCII, unicode.In(r, unicode.Common, unicode.Inherited):
		return ""
	}
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return strings.ReplaceAll(name, "_", " ")
		}
	}
	return "unknown"
}
