package breach

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// listOf is a list of passwords as their downloaders write them.
func listOf(passwords []string, line func(hash string, n int) string) string {
	hashes := make([]string, 0, len(passwords))
	for _, p := range passwords {
		hashes = append(hashes, hashOf(p))
	}
	slices.Sort(hashes)
	var all strings.Builder
	for n, h := range hashes {
		all.WriteString(line(h, n))
	}
	return all.String()
}

func written(t *testing.T, list string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hashes.txt")
	if err := os.WriteFile(path, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func numbered(from, to int) []string {
	var all []string
	for n := from; n < to; n++ {
		all = append(all, fmt.Sprintf("password number %d", n))
	}
	return all
}

func TestFileKnowsItsPasswordsAlone(t *testing.T) {
	for name, line := range map[string]func(string, int) string{
		"counted":            func(h string, n int) string { return fmt.Sprintf("%s:%d\r\n", h, 1+n*n) },
		"hashes alone":       func(h string, _ int) string { return h + "\n" },
		"of small letters":   func(h string, n int) string { return strings.ToLower(h) + fmt.Sprintf(":%d\n", n+1) },
		"without a last end": func(h string, n int) string { return strings.Repeat("\n", min(n, 1)) + h },
	} {
		t.Run(name, func(t *testing.T) {
			for _, many := range []int{1, 2, 3, 90, 120, 800} {
				list, err := Open(written(t, listOf(numbered(0, many), line)), nil)
				if err != nil {
					t.Fatalf("Open a list of %d: %v", many, err)
				}
				for n, p := range numbered(0, 2*many) {
					if has, err := list.Has(t.Context(), p); err != nil || has != (n < many) {
						t.Fatalf("of %d passwords: Has(%q) = %v, %v, want %v", many, p, has, err, n < many)
					}
				}
			}
		})
	}
}

func TestNewerListTakesItsPlace(t *testing.T) {
	line := func(h string, _ int) string { return h + "\n" }
	path := written(t, listOf(numbered(0, 10), line))
	list, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(written(t, listOf(numbered(10, 20), line)), path); err != nil {
		t.Fatal(err)
	}
	if has, err := list.Has(t.Context(), "password number 15"); err != nil || !has {
		t.Errorf("Has after the list was replaced = %v, %v, want true", has, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if has, err := list.Has(t.Context(), "password number 15"); err == nil {
		t.Errorf("Has after the list was removed = %v, want an error", has)
	}
}

func TestWhatIsNoListIsRefused(t *testing.T) {
	sorted := listOf(numbered(0, 500), func(h string, _ int) string { return h + "\n" })
	lines := strings.SplitAfter(sorted, "\n")[:500]
	slices.Reverse(lines)
	for name, tt := range map[string]struct{ place, want string }{
		"missing":      {filepath.Join(t.TempDir(), "none"), "no such file"},
		"a folder":     {t.TempDir(), "is a directory"},
		"empty":        {written(t, ""), "it is empty"},
		"NTLM":         {written(t, "32ED87BDB5FDC5E9CBA88547376818D4:42\n"), "SHA-1"},
		"passwords":    {written(t, strings.Join(numbered(0, 90), "\n")), "SHA-1"},
		"one line":     {written(t, strings.Repeat("A", 9000)), "SHA-1"},
		"not in order": {written(t, strings.Join(lines, "")), "not in order"},
		"plain HTTP":   {"http://list.example/", "https://"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Open(tt.place, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Open = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// counted counts reads.
type counted struct {
	io.ReaderAt
	reads int
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	c.reads++
	return c.ReaderAt.ReadAt(p, at)
}

func TestLongListCostsFewReads(t *testing.T) {
	list := listOf(numbered(0, 50_000), func(h string, n int) string { return fmt.Sprintf("%s:%d\r\n", h, n+1) })
	for _, p := range []string{"password number 1", "password number 49999", "somebody's own"} {
		r := &counted{ReaderAt: strings.NewReader(list)}
		if _, err := search(r, int64(len(list)), hashOf(p)); err != nil || r.reads > 25 {
			t.Errorf("search in %d bytes = %v after %d reads, want at most 25", len(list), err, r.reads)
		}
	}
}

// FuzzSearch holds the search against reading through, and the parser against panics.
func FuzzSearch(f *testing.F) {
	line := func(h string, n int) string { return fmt.Sprintf("%s:%d\n", h, n) }
	f.Add(listOf(numbered(0, 200), line), "password number 7")
	f.Add(listOf(numbered(0, 3), line), "password number 9")
	f.Add("\n\n:\nA:B\n", "")
	f.Fuzz(func(t *testing.T, list, password string) {
		want, sorted, last := false, true, ""
		for text := range strings.Lines(list) {
			hash, seen, err := parse(text, hashSize)
			sorted = sorted && err == nil && hash > last && len(text) <= maxLine
			want, last = want || seen && hash == hashOf(password), hash
		}
		got, err := search(strings.NewReader(list), int64(len(list)), hashOf(password))
		if sorted && (err != nil || got != want) {
			t.Errorf("search = %v, %v, want %v", got, err, want)
		}
	})
}
