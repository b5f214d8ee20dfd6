package locale

import (
	"fmt"
	"regexp"
	"strings"
)

// A sentence that is read from right to left turns round what begins or ends with something
// else than a Latin letter: "1.7 GiB" becomes "GiB 1.7", "/var/www" "var/www/". Signs that
// nobody sees keep such a piece together (UAX #9 section 2.4); those of HTML can't, since
// sentences are also titles, labels and mails.
const (
	isolateLeft = "\u2066" // LRI: what follows reads from left to right
	isolateOwn  = "\u2068" // FSI: as its first letter does
	isolateEnd  = "\u2069" // PDI
	isolates    = "\u2066\u2067\u2068\u2069"
)

// Plain returns a text without the signs that keep its pieces together. Who copies a name
// out of a sentence may copy them with it.
func Plain(text string) string {
	if !strings.ContainsAny(text, isolates) {
		return text
	}
	return strings.NewReplacer(isolateLeft, "", "\u2067", "", isolateOwn, "", isolateEnd, "").Replace(text)
}

// isolated is a value in a sentence that reads from right to left.
type isolated struct{ value any }

// Format writes the value as fmt would, kept together.
func (i isolated) Format(s fmt.State, verb rune) {
	_, _ = fmt.Fprintf(s, isolateOwn+fmt.FormatString(s, verb)+isolateEnd, i.value) // what writes for fmt has no error
}

// isolate keeps all values together but numbers, which are as long as they are, and lists,
// whose pieces are: as a whole, one of Latin names would go on from left to right.
func isolate(values []any) []any {
	own := make([]any, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case int, int32, int64, uint64:
			own[i] = v
			continue
		case string:
			if strings.HasPrefix(v, isolateOwn) && strings.HasSuffix(v, isolateEnd) {
				own[i] = v
				continue
			}
		}
		own[i] = isolated{v}
	}
	return own
}

var (
	// foreign is what a sentence in another script says in ASCII, foreignHead and foreignTail
	// what of it is the sentence's own punctuation.
	foreignText = regexp.MustCompile(`[!-~]+(?: [!-~]+)*`)
	foreignHead = regexp.MustCompile(`^(?:[("':;,!?]|\.(?: |$)| )+`)
	foreignTail = regexp.MustCompile(`[("':;,.!?) ]+$`)
	latinLetter = regexp.MustCompile(`[A-Za-z]`)
	calmPiece   = regexp.MustCompile(`^[A-Za-z](?:.*[A-Za-z0-9])?$`)
)

// isolateForeign keeps together what a sentence from right to left says in ASCII, such as a
// command. What begins and ends with a letter keeps its order by itself.
func isolateForeign(sentence string) string {
	return foreignText.ReplaceAllStringFunc(sentence, func(piece string) string {
		head := foreignHead.FindString(piece)
		rest := piece[len(head):]
		tail := foreignTail.FindString(rest)
		own := rest[:len(rest)-len(tail)]
		if closing := strings.Count(own, "(") - strings.Count(own, ")"); closing > 0 && strings.HasPrefix(tail, ")") {
			own, tail = own+")", tail[1:]
		}
		if text := verb.ReplaceAllString(own, "-"); calmPiece.MatchString(text) || !latinLetter.MatchString(text) {
			return piece
		}
		return head + isolateLeft + own + isolateEnd + tail
	})
}
