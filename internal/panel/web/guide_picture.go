package web

import (
	"embed"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"

	"github.com/yuin/goldmark/ast"

	"kubepanel.io/kubepanel/internal/panel/web/asset"
)

// picture is one that guides show.
type picture struct {
	url           string
	width, height int // in pixels
}

// readPictures has the pictures of the guides served, and returns them by the names that
// guides have for them.
func readPictures(from embed.FS, assets *asset.Set) (map[string]picture, error) {
	names, err := fs.Glob(from, "pictures/*.webp")
	if err != nil {
		return nil, err
	}
	all := make(map[string]picture, len(names))
	for _, name := range names {
		content, err := asset.Embedded(from, name)
		if err != nil {
			return nil, err
		}
		var p picture
		if p.width, p.height, err = webpSize(content); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if p.url, err = assets.Add(path.Base(name), content); err != nil {
			return nil, err
		}
		all[name] = p
	}
	return all, nil
}

// webpSize reads how large a picture of the WebP container's extended format is, which is
// that of Chromium (RFC 9649 section 2.7).
func webpSize(from io.ReaderAt) (width, height int, err error) {
	content := make([]byte, 30) // its header
	if _, err := from.ReadAt(content, 0); err != nil {
		return 0, 0, err
	}
	if string(content[:4]) != "RIFF" || string(content[8:16]) != "WEBPVP8X" {
		return 0, 0, fmt.Errorf("no WebP of the extended format")
	}
	// Two numbers of 24 bits, each less one.
	side := func(at int) int { return int(binary.LittleEndian.Uint32(content[at-1:])>>8) + 1 }
	return side(24), side(27), nil
}

// show has an image of a guide shown when the reader comes there, in a place of its size,
// so that nothing moves.
func (p picture) show(n *ast.Image) {
	n.Destination = []byte(p.url)
	n.SetAttributeString("width", []byte(strconv.Itoa(p.width)))
	n.SetAttributeString("height", []byte(strconv.Itoa(p.height)))
	n.SetAttributeString("loading", []byte("lazy"))
}
