package route

import (
	"path"
	"slices"
	"strings"
)

// Backend returns what serves a request's decoded path, or nil. The longest
// matching path wins; of two equally long ones the exact one does.
func (s *Site) Backend(requestPath string) *Backend {
	p := cleanPath(requestPath)
	if len(s.exact) > 0 {
		if b, ok := s.exact[p]; ok {
			return b
		}
	}
	for i := range s.prefixes {
		if s.prefixes[i].matches(p) {
			return s.prefixes[i].backend
		}
	}
	return s.fallback
}

// HTTPSOnly reports whether a plain request for a decoded path is refused where
// others are sent to HTTPS (OWASP ASVS 5.0, 4.1.2).
func (s *Site) HTTPSOnly(requestPath string) bool {
	if len(s.httpsOnly) == 0 {
		return false
	}
	p := cleanPath(requestPath)
	return slices.ContainsFunc(s.httpsOnly, func(only prefix) bool { return only.matches(p) })
}

// matches compares whole elements: /foo matches /foo, /foo/ and /foo/bar, and
// not /foobar.
func (p prefix) matches(requestPath string) bool {
	rest, ok := strings.CutPrefix(requestPath, p.path)
	return ok && (rest == "" || rest[0] == '/')
}

// cleanPath resolves `//`, `/./` and `/../`, so that a path can't be written in a
// way that takes another backend than the one that will interpret it so. The
// trailing slash stays, for exact paths tell it.
func cleanPath(p string) string {
	if !strings.Contains(p, "//") && !strings.Contains(p, "/.") {
		return p
	}
	clean := path.Clean("/" + p)
	if clean != "/" && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.") || strings.HasSuffix(p, "/..")) {
		clean += "/"
	}
	return clean
}
