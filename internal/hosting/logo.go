package hosting

import (
	"bytes"
	"fmt"
	"image"
	_ "image/gif" // read, and written as PNG
	_ "image/jpeg"
	"image/png"
)

// Bounds of a logo: of the file as it comes, of its sides in pixels, and of the file as
// it is kept.
const (
	MaxLogo     = 512 << 10
	maxLogoSide = 1024
	maxLogoKept = 256 << 10
)

// ParseLogo returns an image as PNG, written anew from its pixels alone: what else was
// in the file is gone. It takes PNG, JPEG and GIF, told by their content. An SVG is a
// document that may carry script, so it is refused.
func ParseLogo(data []byte) ([]byte, error) {
	if len(data) > MaxLogo {
		return nil, fmt.Errorf("the file is larger than %d kB; make it smaller", MaxLogo>>10)
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the file is no PNG, JPEG or GIF; save the logo as PNG")
	}
	if size.Width < 1 || size.Height < 1 || size.Width > maxLogoSide || size.Height > maxLogoSide {
		return nil, fmt.Errorf("the image has %d × %d pixels; make it at most %d × %d", size.Width, size.Height, maxLogoSide, maxLogoSide)
	}
	pixels, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the image is broken; save it anew as PNG")
	}
	var out bytes.Buffer
	if err := png.Encode(&out, pixels); err != nil {
		return nil, err
	}
	if out.Len() > maxLogoKept {
		return nil, fmt.Errorf("the image has %d kB as PNG; make it smaller, at most %d kB", out.Len()>>10, maxLogoKept>>10)
	}
	return out.Bytes(), nil
}
