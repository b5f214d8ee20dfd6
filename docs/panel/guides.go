// Package panel holds the guides to the panel, so that the panel can show them itself.
// It must never hold anything else.
package panel

import "embed"

// Guides are the guides in Markdown, a file each, and the pictures in them.
//
//go:embed *.md pictures/*.webp
var Guides embed.FS
