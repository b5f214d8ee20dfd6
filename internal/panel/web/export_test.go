package web

import (
	"slices"
	"strings"
)

// Open are the patterns of all that can be looked at by who is not signed in, in order.
func Open() []string {
	var s Server
	var pages []string
	for pattern := range s.open() {
		if path, ok := strings.CutPrefix(pattern, "GET "); ok {
			pages = append(pages, path)
		}
	}
	slices.Sort(pages)
	return pages
}
