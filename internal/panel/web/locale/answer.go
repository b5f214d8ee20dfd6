package locale

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// maxAnswer bounds in bytes what is compared with sentences.
const maxAnswer = 4096

// Answer returns in the language what rules say in English, with their values in it:
// it is found by the sentence that it was made of. What is not known stays English.
//
// Rules know no languages, and their answers come from other programs too, so that a
// sentence is all there is to know them by.
func (l *Locale) Answer(text string) string {
	if own := l.Answers[text]; own != "" {
		return own
	}
	if len(l.Answers) == 0 || len(text) > maxAnswer {
		return text
	}
	l.compile.Do(l.patterns)
	for _, p := range l.made {
		if values := p.english.FindStringSubmatch(text); values != nil {
			return l.fill(p.own, values[1:])
		}
	}
	return text
}

// pattern is a sentence with room for values.
type pattern struct {
	english *regexp.Regexp
	own     string // with %s for each of them
	letters int    // of the sentence itself
}

var (
	verb = regexp.MustCompile(`%[sqd]`)
	// room is what stands for a value; what is quoted ends with its quotes.
	room = map[string]string{"%s": `(.+?)`, "%q": `("(?:[^"\\]|\\.)*")`, "%d": `(-?\d+)`}
)

// patterns makes those of all sentences with values, the longest first: it says most.
func (l *Locale) patterns() {
	for english, own := range l.Answers {
		if !verb.MatchString(english) {
			continue
		}
		parts := verb.Split(english, -1)
		var expression strings.Builder
		for i, value := range verb.FindAllString(english, -1) {
			expression.WriteString(regexp.QuoteMeta(parts[i]) + room[value])
		}
		expression.WriteString(regexp.QuoteMeta(parts[len(parts)-1]))
		l.made = append(l.made, pattern{
			english: regexp.MustCompile(`(?s)^` + expression.String() + `$`),
			own:     verb.ReplaceAllString(own, "%s"), letters: len(strings.Join(parts, "")),
		})
	}
	slices.SortFunc(l.made, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(b.letters, a.letters), strings.Compare(a.own, b.own))
	})
}

// fill puts the values of an answer into its sentence; some are answers themselves.
func (l *Locale) fill(own string, found []string) string {
	all := make([]any, len(found))
	for i, value := range found {
		all[i] = value
		if translated := l.Answers[value]; translated != "" {
			all[i] = translated
		}
	}
	return fmt.Sprintf(own, all...)
}
