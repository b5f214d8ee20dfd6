package web

import (
	"image/color"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quiet is how many modules around a QR code stay free (ISO/IEC 18004, 9.1).
const quiet = 4

// qrPicture is a QR code as SVG: a path of its dark modules.
type qrPicture struct {
	Size int // modules on a side, with what stays free
	Dark string
}

// qrCode draws a text; false when it is too long to be drawn.
func qrCode(text string) (qrPicture, bool) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return qrPicture{}, false
	}
	var b strings.Builder
	side := code.Bounds().Dx()
	for y := range side {
		for x := range side {
			if code.At(x, y) == color.Black {
				b.WriteString("M" + strconv.Itoa(x+quiet) + " " + strconv.Itoa(y+quiet) + "h1v1h-1z")
			}
		}
	}
	return qrPicture{Size: side + 2*quiet, Dark: b.String()}, true
}

// Box is the picture's viewBox.
func (q qrPicture) Box() string { return "0 0 " + strconv.Itoa(q.Size) + " " + strconv.Itoa(q.Size) }

// Ground is the path of all of it, light whatever the page's colours.
func (q qrPicture) Ground() string {
	side := strconv.Itoa(q.Size)
	return "M0 0h" + side + "v" + side + "h-" + side + "z"
}
