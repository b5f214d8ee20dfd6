// Package breach knows passwords that were in a breach of some other service: from a
// file, or from a service that is told five characters of a hash (k-anonymity). It must
// never send, keep or log a password or the whole of its hash.
package breach

import (
	"context"
	"crypto/sha1" //nolint:gosec // the lists that there are hold SHA-1; nothing is kept of it
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// List tells of passwords whether they were in a breach.
type List interface {
	// Has returns an error when that can't be told now.
	Has(ctx context.Context, password string) (bool, error)
}

// Open returns the list at a place: an address that begins with https:// and to which the
// first five characters of a hash are added (https://haveibeenpwned.com/API/v3#PwnedPasswords),
// or a file of hashes in their order. With by, addresses are asked by that.
func Open(place string, by http.RoundTripper) (List, error) {
	if strings.HasPrefix(place, "https://") {
		return newRanges(place, by), nil
	}
	if strings.Contains(place, "://") {
		return nil, fmt.Errorf("the list of breached passwords at %q is neither a file nor asked by https://", place)
	}
	f := file(place)
	if err := f.look(); err != nil {
		return nil, err
	}
	return f, nil
}

// hashSize is that of a SHA-1 in hexadecimal digits.
const hashSize = 2 * sha1.Size

func hashOf(password string) string {
	sum := sha1.Sum([]byte(password)) //nolint:gosec // see above
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

var errLine = errors.New("a line that does not begin with a SHA-1 in hexadecimal digits")

// parse reads a line: so many hexadecimal digits, and how often the password was seen
// after a colon where the list says it. A list pads with what was never seen.
func parse(line string, digits int) (hash string, seen bool, err error) {
	hash, count, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
	if len(hash) != digits || strings.Trim(hash, "0123456789abcdefABCDEF") != "" || strings.Trim(count, "0123456789") != "" {
		return "", false, errLine
	}
	return strings.ToUpper(hash), count == "" || strings.Trim(count, "0") != "", nil
}
