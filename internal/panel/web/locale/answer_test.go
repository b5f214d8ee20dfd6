package locale_test

import (
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/panel/web/locale"
)

func TestAnswer(t *testing.T) {
	l := &locale.Locale{Answers: map[string]string{
		"There is no %s.":                   "Es gibt kein %s.",
		"There is no site %s.":              "Es gibt keine Website %s.",
		"%q is too long: %d octets.":        "%q ist zu lang: %d Oktette.",
		"The site has no room. %s":          "Die Website hat keinen Platz. %s",
		"Try again.":                        "Noch einmal.",
		"The site %s is stuck since %d min": "Die Website %s steckt seit %d min",
	}}
	tests := map[string]string{
		"Try again.":                     "Noch einmal.",
		"There is no site shop.example.": "Es gibt keine Website shop.example.", // and no "site shop.example"
		"There is no /a%d b.":            "Es gibt kein /a%d b.",
		`"a \" is too long: 3 octets." is too long: 70 octets.`: `"a \" is too long: 3 octets." ist zu lang: 70 Oktette.`,
		"The site has no room. Try again.":                      "Die Website hat keinen Platz. Noch einmal.",
		"The site has no room. Nobody knows why.":               "Die Website hat keinen Platz. Nobody knows why.",
		"The site a is stuck since b min":                       "The site a is stuck since b min",
		"Nobody knows.":                                         "Nobody knows.",
		"":                                                      "",
	}
	for english, want := range tests {
		if got := l.Answer(english); got != want {
			t.Errorf("Answer(%q) = %q, want %q", english, got, want)
		}
	}
	if got := (&locale.Locale{}).Answer("There is no x."); got != "There is no x." {
		t.Errorf("English became %q", got)
	}
}

// No answer is lost or cut, whatever a customer's names put into it.
func FuzzAnswer(f *testing.F) {
	set, err := locale.Load()
	if err != nil {
		f.Fatal(err)
	}
	de := set.Find("de")
	f.Add("shop.example")
	f.Add("%s %d %!")
	f.Add("a.\nb")
	f.Fuzz(func(t *testing.T, name string) {
		if got := de.Answer("The name " + name + " is the provider's own; choose another."); len(got) < 4096 && !strings.Contains(got, name) {
			t.Errorf("%q became %q", name, got)
		}
		_ = de.Answer(name)
	})
}

// What a stranger's program wrote into a status costs little, however it reads.
func BenchmarkStrangersWords(b *testing.B) {
	set, err := locale.Load()
	if err != nil {
		b.Fatal(err)
	}
	ar := set.Find("ar")
	for name, text := range map[string]string{
		"plain":  "The site shop.example is stuck at its pod: Container app ended with code 1: panic: no. It is started again.",
		"nested": strings.Repeat("The site is stuck: ", 50),
		"many":   strings.Repeat("There is no a. ", 68),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_ = ar.Parts(text)
			}
		})
	}
}
