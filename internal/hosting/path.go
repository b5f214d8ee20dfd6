package hosting

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Longest path and name that Linux takes, in octets.
const (
	maxPath     = 4000
	maxFileName = 255
)

// ParsePath reads where something is in a site; "/" is the site's top. Nothing that
// it returns leads above that.
func ParsePath(input string) (string, error) {
	if strings.ContainsRune(input, 0) || len(input) > maxPath {
		return "", &Error{Code: Invalid, Fields: []Field{{"path", "No file has a name like that; choose it from the list."}}}
	}
	return path.Clean("/" + input), nil
}

// someNames refuses what no file can be called among names that somebody chose.
func someNames(names []string) error {
	for _, name := range names {
		if strings.ContainsRune(name, 0) || len(name) > maxFileName {
			return &Error{Code: Invalid, Fields: []Field{{"names", "No file has a name like that; choose it from the list."}}}
		}
	}
	return nil
}

// ParseFileName reads a name that somebody gives to a new file.
func ParseFileName(input string) (string, error) {
	name := strings.TrimSpace(input)
	switch {
	case name == "":
		return "", fmt.Errorf("write a name")
	case len(name) > maxFileName:
		return "", fmt.Errorf("a name has at most %d characters", maxFileName)
	case name == "." || name == ".." || strings.Contains(name, "/"):
		return "", fmt.Errorf("a name has no / in it, and is neither . nor .. itself")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "", fmt.Errorf("the name has characters that nobody can see; write it anew")
	}
	return name, nil
}

// showPath makes a path readable, whatever octets it has.
func showPath(name string) string {
	name = strings.ToValidUTF8(name, "�")
	if name == "" {
		return "that"
	}
	return name
}
