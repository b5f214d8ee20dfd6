package web

import (
	"bytes"
	"io/fs"
	"testing"

	"kubepanel.io/kubepanel/docs/panel"
)

func FuzzWebPSize(f *testing.F) {
	names, err := fs.Glob(panel.Guides, "pictures/*.webp")
	if err != nil || len(names) == 0 {
		f.Fatalf("no pictures: %v", err)
	}
	content, err := fs.ReadFile(panel.Guides, "pictures/sites-light.webp")
	if err != nil {
		f.Fatal(err)
	}
	if width, height, err := webpSize(bytes.NewReader(content)); err != nil || width != 1366 || height != 900 {
		f.Errorf("webpSize(sites-light.webp) = %d, %d, %v, want 1366, 900", width, height, err)
	}
	f.Add(content[:64])
	f.Add(content[:29])
	f.Fuzz(func(t *testing.T, content []byte) {
		width, height, err := webpSize(bytes.NewReader(content))
		if err == nil && (width < 1 || height < 1 || width > 1<<24 || height > 1<<24) {
			t.Errorf("webpSize(%x) = %d, %d", content[:30], width, height)
		}
	})
}
