package breach

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	// maxLine bounds a line: a hash, a colon, a count of at most 20 digits, CR and LF.
	maxLine = hashSize + 23
	// near is when lines are read one after another.
	near = 4 << 10
	// samples is how many lines are looked at to tell whether a list is in order.
	samples = 64
)

// file is a list as haveibeenpwned.com's downloader writes it: a hash a line, in their
// order. It is opened anew for each question, so that a newer one may take its place.
type file string

// Has implements List by some 30 short reads, whatever the list's size.
func (f file) Has(_ context.Context, password string) (bool, error) {
	found := false
	err := f.read(func(r *os.File, size int64) error {
		var err error
		found, err = search(r, size, hashOf(password))
		return err
	})
	return found, err
}

// look tells whether the file is such a list.
func (f file) look() error {
	return f.read(func(r *os.File, size int64) error {
		last := ""
		for n := range int64(samples) {
			hash, _, err := lineAfter(r, size*n/samples)
			switch {
			case errors.Is(err, io.EOF) && n > 0:
				return nil // the last line is a long part of it
			case errors.Is(err, io.EOF):
				return errors.New("it is empty")
			case err != nil:
				return err
			case hash < last:
				return errors.New("its hashes are not in order: sort them with LC_ALL=C")
			}
			last = hash
		}
		return nil
	})
}

func (f file) read(do func(r *os.File, size int64) error) error {
	r, err := os.Open(string(f))
	if err != nil {
		return fmt.Errorf("read the list of breached passwords: %w", err)
	}
	defer r.Close()
	info, err := r.Stat()
	if err == nil {
		err = do(r, info.Size())
	}
	if err != nil {
		return fmt.Errorf("read the list of breached passwords %s: %w", string(f), err)
	}
	return nil
}

// search halves the list until what is left can be read through.
func search(r io.ReaderAt, size int64, want string) (bool, error) {
	low, high := int64(0), size // a line that begins at want or before does so from low on
	for high-low > near {
		middle := (low + high) / 2
		hash, at, err := lineAfter(r, middle)
		switch {
		case errors.Is(err, io.EOF):
			high = middle
		case err != nil:
			return false, err
		case hash > want:
			high = middle
		default:
			low = at
		}
	}
	lines := bufio.NewScanner(io.NewSectionReader(r, low, size-low))
	for lines.Scan() {
		hash, seen, err := parse(lines.Text(), hashSize)
		if err != nil || hash >= want {
			return hash == want && seen, err
		}
	}
	return false, lines.Err()
}

// lineAfter returns the hash of the first line that begins at a place or after it, and
// where that begins; io.EOF when there is none.
func lineAfter(r io.ReaderAt, place int64) (hash string, at int64, err error) {
	from := max(place-1, 0) // a line that begins here has the end of another before it
	lines := bufio.NewReaderSize(io.NewSectionReader(r, from, 2*maxLine), 2*maxLine)
	if place > 0 {
		skipped, err := lines.ReadSlice('\n')
		if err != nil {
			return "", 0, endOr(err)
		}
		from += int64(len(skipped))
	}
	line, err := lines.ReadSlice('\n')
	if err != nil && (len(line) == 0 || !errors.Is(err, io.EOF)) {
		return "", 0, endOr(err)
	}
	hash, _, err = parse(string(line), hashSize)
	return hash, from, err
}

// endOr tells the end of the list from a line that does not end.
func endOr(err error) error {
	if errors.Is(err, bufio.ErrBufferFull) {
		return errLine
	}
	return err
}
