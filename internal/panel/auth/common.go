package auth

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// packed are the 49,193 passwords that people use most, a line each in lower case and
// sorted: those of @zxcvbn-ts/language-common 4.1.3 with four characters and more, under the
// licence in common.LICENSE (MIT).
//
//go:embed common.txt.gz
var packed []byte

// everybodys unpacks them once they are needed; about 1.5 MB.
var everybodys = sync.OnceValue(func() []string {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic(err) // the program was built with another file
	}
	text, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return strings.Fields(string(text))
})

// common tells whether a password is one that everybody uses, or such a one that was
// made long enough: repeated, written with digits for letters, or with digits and signs around it.
func common(password string) bool {
	known := everybodys()
	password = strings.ToLower(password)
	for _, stem := range stems(password) {
		if _, found := slices.BinarySearch(known, stem); found && 2*len(stem) >= len(password) {
			return true
		}
		unit := repeated(stem)
		for _, one := range []string{unit, strings.TrimFunc(unit, notLetter)} {
			if _, found := slices.BinarySearch(known, one); found && unit != stem {
				return true
			}
		}
	}
	return false
}

// stems are what may be left of a password without what was put around and into it.
func stems(password string) []string {
	letters := strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")
	bare := strings.TrimFunc(password, notLetter)
	ends := strings.TrimRightFunc(password, notLetter)
	return []string{password, bare, letters.Replace(password), letters.Replace(bare), letters.Replace(ends),
		strings.TrimFunc(letters.Replace(bare), notLetter)}
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) }

// repeated returns the shortest text that a text is a repetition of, the last one cut
// short or not.
func repeated(text string) string {
	for n := 4; 2*n <= len(text)+1; n++ {
		if strings.HasPrefix(strings.Repeat(text[:n], len(text)/n+1), text) {
			return text[:n]
		}
	}
	return text
}
