package lab

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// artifacts is where screenshots and measurements are kept. Git ignores it.
const artifacts = "artifacts"

// keepArtifact writes a file for people to look at after the run.
func keepArtifact(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(artifacts, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(artifacts, name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("kept lab/%s", path)
}

// picture makes a PNG that a person recognises on a screenshot: a sun in a sky
// of slowly changing colour.
func picture(t testing.TB, width, height int) []byte {
	t.Helper()
	sky := image.NewRGBA(image.Rect(0, 0, width, height))
	radius := height / 4
	for y := range height {
		for x := range width {
			dx, dy := x-width/2, y-height/2
			if dx*dx+dy*dy < radius*radius {
				sky.Set(x, y, color.RGBA{R: 250, G: 200, B: 40, A: 255})
				continue
			}
			sky.Set(x, y, color.RGBA{R: shade(x, width), G: 120, B: 255 - shade(y, height), A: 255})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, sky); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// shade maps a place along a side to the darker half of a colour's range.
func shade(at, size int) uint8 { return uint8(at * 127 / size) }
