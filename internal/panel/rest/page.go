package rest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
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

// paged makes a page of all that a rule returned, ordered by a key that no two have in
// common. The page that follows begins behind the last one's key, whether what had it is
// still there or not.
func paged[T, R any](p Paging, items []T, key func(*T) string, represent func(*T) R) (*answer[List[R]], error) {
	after, err := p.after()
	if err != nil {
		return nil, err
	}
	all := slices.SortedFunc(slices.Values(items), func(a, b T) int { return strings.Compare(key(&a), key(&b)) })
	begin, found := slices.BinarySearchFunc(all, after, func(one T, after string) int { return strings.Compare(key(&one), after) })
	if found {
		begin++
	}
	end := min(begin+p.Limit, len(all))
	page := hosting.Page[T]{Items: all[begin:end], Total: int64(len(all))}
	if end < len(all) {
		page.Next = key(&all[end-1])
	}
	return &answer[List[R]]{listOf(page, represent)}, nil
}

// byName is the key of what has a name that others may have too.
func byName(name string, id hosting.ID) string { return name + "\n" + string(id) }

// newest is the key of what is listed with the newest first. A name may be any octets.
func newest(at time.Time, name string) string {
	const far, nanoseconds = 1 << 40, 1e9 - 1 // far is some 30,000 years ahead
	return fmt.Sprintf("%014d%09d %x", far-at.Unix(), nanoseconds-at.Nanosecond(), name)
}

// answer is a representation.
type answer[T any] struct{ Body T }
