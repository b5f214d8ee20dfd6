package rest

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"kubepanel.io/kubepanel/internal/hosting"
)

// Paging is what every list takes.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"1000" doc:"The next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many items a page has."`
}

// after returns what the cursor stands for.
func (p Paging) after() (string, error) {
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil || !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return "", noCursor()
	}
	return string(text), nil
}

func noCursor() error {
	return &hosting.Error{Code: hosting.Invalid, Fields: []hosting.Field{{Name: "cursor",
		Message: "That is not a cursor of ours; take the next of the page before, or leave it out."}}}
}

// before returns the number that the cursor stands for; 0 for the first page.
func (p Paging) before() (int64, error) {
	text, err := p.after()
	if err != nil || text == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, noCursor()
	}
	return n, nil
}

// cursor is how the key of a list's last item goes out: programs have nothing to read
// in it.
func cursor(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

// List is one page of a list.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"The cursor of the page that follows; missing on the last."`
	Total *int64 `json:"total,omitempty" doc:"How many there are on all pages, where that is known."`
}

// listOf makes a page of what a rule returned.
func listOf[T, R any](p hosting.Page[T], represent func(*T) R) List[R] {
	l := List[R]{Items: make([]R, 0, len(p.Items)), Next: cursor(p.Next), Total: &p.Total}
	for i := range p.Items {
		l.Items = append(l.Items, represent(&p.Items[i]))
	}
	return l
}

// answer is a representation.
type answer[T any] struct{ Body T }
