// Package panel holds the guides to the panel, so that the panel can show them itself.
// It must never hold anything else.
package panel

import "embed"

// Guides are the guides in Markdown, a file each.
//
//go:embed *.md
var Guides embed.FS
