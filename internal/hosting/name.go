package hosting

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	maxName  = 253 // octets as written, without the root's dot: RFC 1035 section 2.3.4
	maxLabel = 63  // octets: RFC 1035 section 2.3.4
)

var (
	// asciiName is the shape that the CRD asks for: letters, digits and inner
	// hyphens, at least two labels.
	asciiName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$`)

	// numericEnd is a last label that makes browsers read the name as an IPv4
	// address (WHATWG URL standard, "ends in a number").
	numericEnd = regexp.MustCompile(`(^|\.)([0-9]+|0x[0-9a-f]*)$`)
)

// profile is UTS #46, non-transitional, as a browser looks names up. Hyphens in
// the third and fourth place are common in real names, so only asciiName judges
// hyphens.
var profile = sync.OnceValue(func() *idna.Profile {
	return idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckHyphens(false), idna.StrictDomainName(true))
})

// ParseName returns the name of a site as it is stored: lower-case ASCII, with
// international labels in their xn-- form. Its errors are sentences for a person
// that say what is wrong with input and what mends it.
func ParseName(input string) (string, error) {
	name := strings.TrimSuffix(strings.TrimSpace(input), ".")
	if err := looksLikeName(name); err != nil {
		return "", err
	}
	ascii, err := profile().ToASCII(name)
	if err != nil {
		return "", fmt.Errorf("%q can't be a domain name; use letters, digits and hyphens, and dots between the parts", input)
	}
	if err := checkASCII(ascii); err != nil {
		return "", err
	}
	// What can't be shown and read back would be another name to a visitor.
	shown, err := profile().ToUnicode(ascii)
	if err != nil {
		return "", fmt.Errorf("%q has a part that starts with xn-- and stands for no valid name; write the name in its own letters", input)
	}
	if again, err := profile().ToASCII(shown); err != nil || again != ascii {
		return "", fmt.Errorf("%q stands for different names at once; write it in the letters of one script", input)
	}
	return ascii, nil
}

// ShowName returns a stored name as people write it, in Unicode.
func ShowName(ascii string) string {
	if !strings.Contains(ascii, "xn--") {
		return ascii // most names, and a list has many
	}
	shown, err := profile().ToUnicode(ascii)
	if err != nil {
		return ascii
	}
	return shown
}

// ShowBoth returns a stored name as people write it, with the stored form behind
// it where the two differ.
func ShowBoth(ascii string) string {
	if shown := ShowName(ascii); shown != ascii {
		return fmt.Sprintf("%s (%s)", shown, ascii)
	}
	return ascii
}

// looksLikeName finds the usual slips, for which a sentence of their own helps
// more than a rule.
func looksLikeName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("a site needs a name, such as blog.localhost or shop.example")
	case !utf8.ValidString(name):
		return fmt.Errorf("%q is not valid UTF-8; type the name again", name)
	case strings.Contains(name, "://"):
		return fmt.Errorf("%q is an address; write the name alone, without https:// and path", name)
	case isAddress(name):
		return fmt.Errorf("%q is an IP address; use a name that points to it", name)
	case strings.ContainsAny(name, "/:@"):
		return fmt.Errorf("%q holds more than a name; write the name alone, without port, path or user", name)
	case strings.HasPrefix(name, "*."):
		return fmt.Errorf("%q is a wildcard; name every alias in full", name)
	case strings.Contains(name, "_"):
		return fmt.Errorf("%q holds an underscore, which a host name can't have; use a hyphen", name)
	}
	return nil
}

func isAddress(name string) bool {
	_, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil
}

func checkASCII(ascii string) error {
	shown := ShowBoth(ascii)
	if len(ascii) > maxName {
		return fmt.Errorf("%q is too long: %d octets, and a name has at most %d; shorten it", shown, len(ascii), maxName)
	}
	for label := range strings.SplitSeq(ascii, ".") {
		switch {
		case label == "":
			return fmt.Errorf("%q has an empty part; remove the extra dot", shown)
		case len(label) > maxLabel:
			return fmt.Errorf("%q has a part of %d octets, and a part has at most %d; shorten it", shown, len(label), maxLabel)
		case strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-"):
			return fmt.Errorf("%q has a part that starts or ends with a hyphen; remove the hyphen", shown)
		}
	}
	switch {
	case !strings.Contains(ascii, "."):
		own := ShowName(ascii)
		return fmt.Errorf("%q is a bare top-level name; use a full name, such as %s.example or %s.localhost", shown, own, own)
	case numericEnd.MatchString(ascii):
		return fmt.Errorf("%q ends in a number, so browsers take it for an IP address; use a name that ends in letters", shown)
	case !asciiName.MatchString(ascii):
		return fmt.Errorf("%q can't be a domain name; use letters, digits and hyphens, and dots between the parts", shown)
	}
	return nil
}
