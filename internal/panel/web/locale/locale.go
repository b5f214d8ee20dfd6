// Package locale holds what the panel says in other languages than English: a file
// per language, from English sentences to theirs. A sentence that a file lacks is
// shown in English. It must never hold a page.
package locale

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"
)

//go:embed *.json
var files embed.FS

// Cookie holds the language that somebody chose.
const Cookie = "language"

// English is what the pages are written in.
const English = "en"

// rtl is the direction of what is read from right to left.
const rtl = "rtl"

// Locale is one language.
type Locale struct {
	// Tag is its BCP 47 name, Name what its speakers call it, Dir ltr or rtl.
	Tag, Name, Dir string
	// Texts are what pages say, Answers what rules say.
	Texts, Answers map[string]string

	compile sync.Once
	made    []pattern
}

// T returns a sentence in the language, with values put in as fmt does.
func (l *Locale) T(text string, values ...any) string {
	if own, ok := l.Texts[text]; ok && own != "" {
		text = own
	}
	if len(values) == 0 {
		return text
	}
	if l.Dir == rtl {
		values = isolate(values)
	}
	return fmt.Sprintf(text, values...)
}

// List joins what stands side by side as the language does, each piece kept together. In a
// sentence it stands as it is.
func (l *Locale) List(pieces []string) string {
	if l.Dir == rtl {
		own := make([]string, len(pieces))
		for i, piece := range pieces {
			own[i] = isolateOwn + piece + isolateEnd
		}
		pieces = own
	}
	return strings.Join(pieces, l.T(", "))
}

// Set is all languages, English first.
type Set []*Locale

// Load reads all files.
func Load() (Set, error) {
	set := Set{{Tag: English, Name: "English", Dir: "ltr"}}
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, fmt.Errorf("list the languages: %w", err)
	}
	for _, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read a language: %w", err)
		}
		l := &Locale{}
		if err := json.Unmarshal(data, l); err != nil {
			return nil, fmt.Errorf("read the language %s: %w", name, err)
		}
		if l.Dir == rtl {
			for _, sentences := range []map[string]string{l.Texts, l.Answers} {
				for english, own := range sentences {
					sentences[english] = isolateForeign(own)
				}
			}
		}
		set = append(set, l)
	}
	return set, nil
}

// Find returns the language of a tag, nil when there is none.
func (s Set) Find(tag string) *Locale {
	i := slices.IndexFunc(s, func(l *Locale) bool { return strings.EqualFold(l.Tag, tag) })
	if i < 0 {
		return nil
	}
	return s[i]
}

// Of returns the language that a request asks for: the one chosen, else the first
// of the browser's that we have, else English. Browsers list the best first, so
// their weights (RFC 9110 section 12.5.4) are not looked at.
func (s Set) Of(r *http.Request) *Locale {
	if c, err := r.Cookie(Cookie); err == nil {
		if l := s.Find(c.Value); l != nil {
			return l
		}
	}
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(tag, "-")
		if l := s.Find(base); l != nil {
			return l
		}
	}
	return s[0]
}
