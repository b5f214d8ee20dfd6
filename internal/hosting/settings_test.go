package hosting_test

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/hosting"
)

func TestAccentsHaveToBeReadable(t *testing.T) {
	tests := []struct {
		input string
		dark  bool
		want  string // "" is refused
	}{
		{"#1e59cd", false, "#1e59cd"}, {"#87b1fd", true, "#87b1fd"}, // the panel's own
		{" #0B6E4F ", false, "#0b6e4f"}, {"#7fe0b8", true, "#7fe0b8"},
		{"#000000", false, "#000000"}, {"#ffffff", true, "#ffffff"},
		{"#ffff00", false, ""}, {"#808080", false, ""}, {"#ffffff", false, ""},
		{"#000080", true, ""}, {"#000000", true, ""}, {"#555555", true, ""},
		{"1e59cd", false, ""}, {"#1e59c", false, ""}, {"#1e59cdff", false, ""}, {"#+e59cd", false, ""}, {"red", false, ""}, {"", false, ""}, {"#12345;}", false, ""},
	}
	for _, tt := range tests {
		got, err := hosting.ParseAccent(tt.input, tt.dark)
		if (err == nil) != (tt.want != "") || (err == nil && got != tt.want) {
			t.Errorf("ParseAccent(%q, dark %t) = %q, %v, want %q", tt.input, tt.dark, got, err, tt.want)
		}
	}
}

func FuzzParseAccent(f *testing.F) {
	for _, seed := range []string{"#1e59cd", "#FFFFFF", "red", "#;}body{", "#１２３４５６"} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, input string, dark bool) {
		got, err := hosting.ParseAccent(input, dark)
		if err != nil {
			return
		}
		if len(got) != 7 || strings.Trim(got[1:], "0123456789abcdef") != "" || got[0] != '#' {
			t.Errorf("ParseAccent(%q) = %q, want # and six digits", input, got)
		}
		if again, err := hosting.ParseAccent(got, dark); err != nil || again != got {
			t.Errorf("ParseAccent(%q) = %q, %v, want itself", got, again, err)
		}
	})
}

func picture(side int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range side {
		m.Set(i, i, color.RGBA{200, 30, 30, 255})
	}
	return m
}

func encoded(t testing.TB, side int, kind string) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch kind {
	case "png":
		err = png.Encode(&b, picture(side))
	case "jpeg":
		err = jpeg.Encode(&b, picture(side), nil)
	case "gif":
		err = gif.Encode(&b, picture(side), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Of a file only its pixels stay, whatever it was and whatever stood behind them.
func TestLogosAreWrittenAnew(t *testing.T) {
	for _, kind := range []string{"png", "jpeg", "gif"} {
		got, err := hosting.ParseLogo(append(encoded(t, 40, kind), "<script>alert(1)</script>"...))
		if err != nil {
			t.Errorf("ParseLogo(%s) = %v", kind, err)
			continue
		}
		size, format, err := image.DecodeConfig(bytes.NewReader(got))
		if err != nil || format != "png" || size.Width != 40 || bytes.Contains(got, []byte("script")) {
			t.Errorf("ParseLogo(%s) = %s of %d pixels, %v, want a PNG of 40 and nothing behind it", kind, format, size.Width, err)
		}
	}
	wide := encoded(t, 1, "png")
	copy(wide[16:20], []byte{0, 1, 0, 0}) // says that it is 65,536 pixels wide
	refused := map[string][]byte{
		"SVG": []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "HTML": []byte("<html>"), "nothing": {},
		"cut short": encoded(t, 40, "png")[:60], "too many pixels": encoded(t, 1100, "png"), "a lie about its size": wide, "too large": make([]byte, hosting.MaxLogo+1),
	}
	for what, data := range refused {
		if got, err := hosting.ParseLogo(data); err == nil {
			t.Errorf("ParseLogo(%s) = %d octets, want it refused", what, len(got))
		}
	}
}

func FuzzParseLogo(f *testing.F) {
	for _, kind := range []string{"png", "jpeg", "gif"} {
		f.Add(encoded(f, 8, kind))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := hosting.ParseLogo(data)
		if err != nil {
			return
		}
		if _, format, err := image.DecodeConfig(bytes.NewReader(got)); err != nil || format != "png" {
			t.Errorf("ParseLogo made %s, %v, want a PNG", format, err)
		}
	})
}
