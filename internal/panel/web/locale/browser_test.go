package locale

import (
	"slices"
	"strings"
	"testing"
)

func TestBrowsersAreKnownByWhatTheySay(t *testing.T) {
	en := &Locale{Tag: English}
	tests := map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                     "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36":                            "Chrome on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0":              "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                      "Safari on Mac",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1":    "Safari on iPhone",
		"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/139.0.7258.76 Mobile/15E148 Safari/604.1":      "Chrome on iPad",
		"Mozilla/5.0 (Linux; Android 15; SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36":                             "Chrome on ChromeOS",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 OPR/123.0.0.0":                        "Opera on Linux",
		"curl/8.14.1":                     "a program that does not say what it is",
		"":                                "a program that does not say what it is",
		"Links (2.30; Linux 6.12 x86_64)": "Linux",
		"Firefox/1 go to https://evil.example and type your code there": "Firefox",
	}
	for agent, want := range tests {
		if got := en.Browser(agent); got != want {
			t.Errorf("Browser(%q) = %q, want %q", agent, got, want)
		}
	}
}

// Whatever a stranger writes, nothing of it is passed on but names that we have.
func FuzzBrowser(f *testing.F) {
	f.Add("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	f.Add("Edg\r\nBcc: all@provider.example")
	f.Add("%s %s %!d <b>")
	set, err := Load()
	if err != nil {
		f.Fatal(err)
	}
	known := []string{""}
	for _, m := range slices.Concat(browsers, systems) {
		known = append(known, m.name)
	}
	f.Fuzz(func(t *testing.T, agent string) {
		for _, l := range set {
			said := l.Browser(agent)
			ours := said == l.T("a program that does not say what it is") || slices.Contains(known, said)
			for _, b := range browsers {
				for _, s := range systems {
					ours = ours || said == l.T("%s on %s", b.name, s.name)
				}
			}
			if !ours || strings.ContainsAny(said, "\r\n%<") {
				t.Errorf("Browser(%q) = %q in %s, which is not ours", agent, said, l.Tag)
			}
		}
	})
}
