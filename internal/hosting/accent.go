package hosting

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// readable is the contrast that text needs (WCAG 2.2, success criterion 1.4.3).
const readable = 4.5

// colour is one of sRGB, each part from 0 to 1.
type colour [3]float64

// What the accent stands on or beside, as the panel's style has it: the ground that is
// hardest to read on in a theme, the card, and the text on a button in the accent.
var (
	lightGround, lightCard, lightText = colourOf(0xf4f5f8), colourOf(0xffffff), colourOf(0xffffff)
	darkGround, darkCard, darkText    = colourOf(0x1d2229), colourOf(0x14181e), colourOf(0x09152c)
)

func colourOf(rgb int) colour {
	return colour{float64(rgb>>16) / 255, float64(rgb>>8&255) / 255, float64(rgb&255) / 255}
}

func (c colour) String() string {
	part := func(v float64) int { return int(math.Round(v * 255)) }
	return fmt.Sprintf("#%02x%02x%02x", part(c[0]), part(c[1]), part(c[2]))
}

// over mixes a share of the colour over another one.
func (c colour) over(ground colour, share float64) colour {
	var mixed colour
	for i := range mixed {
		mixed[i] = c[i]*share + ground[i]*(1-share)
	}
	return mixed
}

// luminance is the relative one of WCAG 2.2.
func (c colour) luminance() float64 {
	linear := func(v float64) float64 {
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

// contrast of two colours, from 1 to 21 (WCAG 2.2).
func contrast(a, b colour) float64 {
	high, low := max(a.luminance(), b.luminance()), min(a.luminance(), b.luminance())
	return (high + 0.05) / (low + 0.05)
}

// Accent is an accent in one theme with what is made of it, each written #rrggbb:
// Strong for what is pointed at, Soft for grounds, Text for what stands on it.
type Accent struct{ Accent, Strong, Soft, Text string }

// AccentOf returns the colours that belong to an accent that ParseAccent took.
func AccentOf(accent string, dark bool) Accent {
	c, _ := parseColour(accent)
	strong, soft, text := shades(c, dark)
	return Accent{Accent: c.String(), Strong: strong.String(), Soft: soft.String(), Text: text.String()}
}

// shades are those that are made of an accent.
func shades(c colour, dark bool) (strong, soft, text colour) {
	if dark {
		return c.over(colourOf(0xffffff), 0.75), c.over(darkCard, 0.18), darkText
	}
	return c.over(colourOf(0x000000), 0.82), c.over(lightCard, 0.09), lightText
}

// ParseAccent returns an accent as #rrggbb in lower case. It refuses one in which, or
// on which, text can't be read in its theme.
func ParseAccent(input string, dark bool) (string, error) {
	c, err := parseColour(input)
	if err != nil {
		return input, err
	}
	ground := lightGround
	if dark {
		ground = darkGround
	}
	strong, soft, text := shades(c, dark)
	worst := min(contrast(c, ground), contrast(c, text), contrast(strong, soft), contrast(strong, ground))
	has := strconv.FormatFloat(math.Floor(worst*10)/10, 'f', 1, 64)
	switch {
	case worst < readable && dark:
		return input, fmt.Errorf("text in this colour can't be read in the dark theme: its contrast is %s and has to be 4.5; take a lighter one", has)
	case worst < readable:
		return input, fmt.Errorf("text in this colour can't be read in the light theme: its contrast is %s and has to be 4.5; take a darker one", has)
	}
	return c.String(), nil
}

func parseColour(input string) (colour, error) {
	hex, ok := strings.CutPrefix(strings.TrimSpace(input), "#")
	rgb, err := strconv.ParseUint(hex, 16, 24)
	if !ok || err != nil || len(hex) != 6 {
		return colour{}, fmt.Errorf("%q is not a colour; write six digits such as #1e59cd", input)
	}
	return colourOf(int(rgb)), nil
}
