package locale

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

const (
	// maxAnswer bounds in bytes what is compared with sentences.
	maxAnswer = 4096
	// maxTries bounds how often a text and its parts are compared with all sentences:
	// some of it is written by strangers.
	maxTries = 100
)

// Part is a piece of what is shown: words of ours in the page's language, or those of
// a program, which stay as they are.
type Part struct {
	Text    string
	Foreign bool
}

// Answer returns in the language what rules say in English, with their values in it:
// it is found by the sentence that it was made of. What is not known stays English.
//
// Rules know no languages, and their answers come from other programs too, so that a
// sentence is all there is to know them by.
func (l *Locale) Answer(text string) string {
	var all strings.Builder
	for _, p := range l.Parts(text) {
		if p.Foreign && l.Dir == rtl {
			p.Text = isolateOwn + p.Text + isolateEnd
		}
		all.WriteString(p.Text)
	}
	return all.String()
}

// Parts returns the same in parts. A text may be several sentences one after another,
// and the value of one may be sentences again; of such a value what is not known is
// foreign when it is more than a word.
func (l *Locale) Parts(text string) []Part {
	if text == "" {
		return nil
	}
	if len(l.Answers) == 0 {
		return []Part{{Text: text}}
	}
	if len(text) <= maxAnswer {
		l.compile.Do(l.patterns)
		s := search{Locale: l, left: maxTries, seen: map[string][]Part{}}
		if parts := s.known(text); parts != nil {
			return parts
		}
	}
	return []Part{{Text: text, Foreign: true}}
}

// pattern is a sentence with room for values.
type pattern struct {
	english    *regexp.Regexp
	head, tail string   // of the English, which rule most out at once
	own        []string // what is before, between and after them
	letters    int      // of the sentence itself
}

func (p *pattern) values(text string) []string {
	if !strings.HasPrefix(text, p.head) || !strings.HasSuffix(text, p.tail) {
		return nil
	}
	return p.english.FindStringSubmatch(text)
}

var (
	verb = regexp.MustCompile(`%[sqd]`)
	// room is what stands for a value; what is quoted ends with its quotes.
	room = map[string]string{"%s": `(.+?)`, "%q": `("(?:[^"\\]|\\.)*")`, "%d": `(-?\d+)`}
)

// patterns makes those of all sentences with values: those first that do not begin with
// one, since they begin where the text does, and of them the longest, which says most.
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
			head:    parts[0], tail: parts[len(parts)-1],
			own: verb.Split(own, -1), letters: len(strings.Join(parts, "")),
		})
	}
	slices.SortFunc(l.made, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(min(len(b.head), 1), min(len(a.head), 1)), cmp.Compare(b.letters, a.letters), slices.Compare(a.own, b.own))
	})
}

// search is one look for a text. Of several ways to read it the one counts that leaves
// the least foreign.
type search struct {
	*Locale

	left int               // tries
	seen map[string][]Part // what became of a part; nil when it is not known
}

// known returns what a text is in the language, or nil when it is not made of known
// sentences.
func (s *search) known(text string) []Part {
	if own := s.Answers[text]; own != "" {
		return []Part{{Text: own}}
	}
	if parts, ok := s.seen[text]; ok || s.left == 0 || text == "" {
		return parts
	}
	s.left--
	parts := better(s.several(text), s.one(text))
	if whole, ok := strings.CutSuffix(text, "."); ok && parts == nil { // a part that became a sentence by it
		if parts = s.known(whole); parts != nil {
			parts = append(slices.Clip(parts), Part{Text: "."})
		}
	}
	s.seen[text] = parts
	return parts
}

// several looks for sentences one after another.
func (s *search) several(text string) []Part {
	var best []Part
	for at := range len(text) {
		end := at
		switch {
		case strings.HasPrefix(text[at:], ". "):
			end++ // it belongs to the first
		case !strings.HasPrefix(text[at:], "; "):
			continue
		}
		first := s.known(text[:end])
		if first == nil {
			continue
		}
		if rest := s.known(text[at+2:]); rest != nil {
			best = better(best, slices.Concat(first, []Part{{Text: text[end : at+2]}}, rest))
		}
	}
	return best
}

// one looks for a sentence with values, which may be known themselves.
func (s *search) one(text string) []Part {
	var best []Part
	for i := range s.made {
		p := &s.made[i]
		values := p.values(text)
		if values == nil {
			continue
		}
		parts := []Part{{Text: p.own[0]}}
		for i, value := range values[1:] {
			inner := s.known(value)
			if inner == nil {
				inner = []Part{{Text: value, Foreign: strings.Contains(value, " ") && value[0] != '"'}}
				if s.Dir == rtl && !inner[0].Foreign {
					inner[0].Text = isolateOwn + value + isolateEnd
				}
			}
			parts = append(append(parts, inner...), Part{Text: p.own[i+1]})
		}
		best = better(best, parts)
	}
	return best
}

// better returns what leaves less foreign, of equals the first.
func better(a, b []Part) []Part {
	if a == nil || b != nil && foreign(b) < foreign(a) {
		return b
	}
	return a
}

func foreign(parts []Part) (letters int) {
	for _, p := range parts {
		if p.Foreign {
			letters += len(p.Text)
		}
	}
	return letters
}
