package hosting_test

import (
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/idna"

	"kubepanel.io/kubepanel/internal/hosting"
)

func TestParseNameAccepts(t *testing.T) {
	label := strings.Repeat("a", 63)
	longest := strings.Repeat(label+".", 3) + strings.Repeat("b", 61)
	tests := map[string]string{
		"blog.localhost":        "blog.localhost",
		"Blog.Example.":         "blog.example",
		" blog.example ":        "blog.example",
		"blog.my-site.com":      "blog.my-site.com",
		"my--site.example":      "my--site.example",
		"shop.example2.co.uk":   "shop.example2.co.uk",
		"4u.example":            "4u.example",
		"xn--e1afmkfd.xn--p1ai": "xn--e1afmkfd.xn--p1ai",
		"пример.рф":             "xn--e1afmkfd.xn--p1ai",
		"MÜLLER.example":        "xn--mller-kva.example",
		"mu\u0308ller.example":  "xn--mller-kva.example", // decomposed
		"straße.example":        "xn--strae-oqa.example",
		"ｅｘ．ｅｘａｍｐｌｅ":            "ex.example",
		"例え。テスト":                "xn--r8jz45g.xn--zckzah",
		"مثال.إختبار":           "xn--mgbh0fb.xn--kgbechtv",
		"shop.متجر.example":     "shop.xn--pgbep1f.example", // each part in a script of its own
		label + ".example":      label + ".example",
		longest:                 longest,
	}
	for input, want := range tests {
		if got, err := hosting.ParseName(input); err != nil || got != want {
			t.Errorf("ParseName(%q) = %q, %v, want %q", input, got, err, want)
		}
	}
}

func TestParseNameSaysWhatMendsIt(t *testing.T) {
	longest := strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("b", 61)
	tests := map[string]string{
		"":                                       "needs a name",
		"shop":                                   "bare top-level name",
		"مثال":                                   "such as مثال.example or مثال.localhost",
		"متجر1a.example":                         "letters, digits and hyphens", // from both sides at once
		"1٢.example":                             "letters, digits and hyphens", // digits of two scripts
		"ا\u200d.example":                        "letters, digits and hyphens",
		"متجر..مثال":                             "extra dot",
		strings.Repeat("م", 64) + ".example":     "at most 63",
		longest + "b":                            "254 octets, and a name has at most 253",
		strings.Repeat("a", 64) + ".example":     "part of 64 octets, and a part has at most 63",
		"localhost":                              "localhost.localhost",
		"a..example":                             "extra dot",
		".example.com":                           "extra dot",
		"shop.example..":                         "extra dot",
		"-shop.example":                          "remove the hyphen",
		"shop-.example":                          "remove the hyphen",
		"shop_1.example":                         "use a hyphen",
		"sh op.example":                          "letters, digits and hyphens",
		"shop.exam\x00ple":                       "letters, digits and hyphens",
		"shop\xff.example":                       "not valid UTF-8",
		"https://shop.example/":                  "write the name alone",
		"shop.example:8443":                      "without port",
		"shop.example/blog":                      "without port, path",
		"*.shop.example":                         "every alias in full",
		"10.0.0.1":                               "IP address",
		"2001:db8::1":                            "IP address",
		"[2001:db8::1]":                          "IP address",
		"1.2.3":                                  "ends in a number",
		"shop.0x7f":                              "ends in a number",
		"xn--a.example":                          "letters, digits and hyphens",
		"xn--.example":                           "empty part",
		strings.Repeat("a", 64) + ".io":          "at most 63",
		strings.Repeat("abc.", 70) + "x.example": "at most 253",
		strings.Repeat("ü", 60) + ".example":     "at most 63",
		"a\u200db.example":                       "letters, digits and hyphens",
		"\u2067a.example":                        "letters, digits and hyphens",
		"shop.example\u3002\u3002":               "extra dot",
		"\U0001F1E9\U0001F1EA\u0000.example":     "letters, digits and hyphens",
		"xn--shop-\u00fc.example":                "letters, digits and hyphens",
		strings.Repeat("a", 300):                 "at most 253",
		"'; drop table domains; --.example":      "letters, digits and hyphens",
		"$(reboot).example":                      "letters, digits and hyphens",
		"shop.example\nInjected: header":         "without port",
		"a.b\u0661":                              "letters, digits and hyphens",
	}
	for input, want := range tests {
		got, err := hosting.ParseName(input)
		if err == nil {
			t.Errorf("ParseName(%q) = %q, want a fault with %q", input, got, want)
			continue
		}
		if text := err.Error(); !strings.Contains(text, want) {
			t.Errorf("ParseName(%q) = %q, want it to say %q", input, text, want)
		}
	}
}

// crdName is the CRD's rule, written a second time on purpose.
var crdName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// FuzzParseName: what is accepted has the CRD's shape, is stable, and survives
// being shown in Unicode and typed again.
func FuzzParseName(f *testing.F) {
	for _, seed := range []string{
		"blog.localhost", "Blog.Example.", "пример.рф", "straße.example", "例え。テスト", "xn--e1afmkfd.xn--p1ai",
		"مثال.إختبار", "1.2.3.4", "a..b", "xn--a.b", "\u00adx.example", "a\u200cb.example", "ß.ß", "①.example", "x.0xa",
		"\u0300a.example", "xn--\u00fc.example", ".example.com", "\u3002example.com", "a.b.", "xn--mgbh0fb.com",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		name, err := hosting.ParseName(input)
		if err != nil {
			return
		}
		if len(name) > 253 || !crdName.MatchString(name) {
			t.Fatalf("ParseName(%q) = %q, which the CRD refuses", input, name)
		}
		if again, err := hosting.ParseName(name); err != nil || again != name {
			t.Errorf("ParseName(%q) = %q, %v; want it to accept its own answer", name, again, err)
		}
		if again, err := hosting.ParseName(hosting.ShowName(name)); err != nil || again != name {
			t.Errorf("ParseName(ShowName(%q)) = %q, %v", name, again, err)
		}
		if again, err := idna.Lookup.ToASCII(hosting.ShowName(name)); err == nil && again != name {
			t.Errorf("a browser looks up %q for %q, which we store as %q", again, hosting.ShowName(name), name)
		}
	})
}

func TestNewNamesAreOfOneScript(t *testing.T) {
	accepted := []string{
		"shop.example", "пример.рф", "пример-2.рф", "παράδειγμα.example", "müller4.example", "mu\u0308ller.example", "متجر.example", "shop.متجر.example",
		"日本語テストabc.example", "ひらがなカタカナ漢字.example", "スーパー.example", "漢字ㄅㄆlatin.example", "한국어漢字abc.example", "हिन्दी.example", "4u.example", "xn--r8jz45g.xn--zckzah",
	}
	for _, input := range accepted {
		if _, err := hosting.ParseNewName(input); err != nil {
			t.Errorf("ParseNewName(%q) = %v, want it taken", input, err)
		}
	}
	refused := map[string]string{
		"pаypal.example":        "Latin and Cyrillic", // its second letter is U+0430
		"xn--pypal-4ve.example": "Latin and Cyrillic", // the same, as DNS has it
		"shop.pаypal.example":   "Latin and Cyrillic",
		"рaypal.example":        "Cyrillic and Latin",
		"αpple.example":         "Greek and Latin",
		"аα.example":            "Cyrillic and Greek",
		"한국ひ.example":           "Hangul and Hiragana",
		"漢ㄅひ.example":           "Bopomofo and Hiragana",
		"漢字я.example":           "Han and Cyrillic",
		"хn.example":            "Cyrillic and Latin", // begins like xn-- does
	}
	for input, want := range refused {
		if got, err := hosting.ParseNewName(input); err == nil || !strings.Contains(err.Error(), "mixes "+want+" letters") {
			t.Errorf("ParseNewName(%q) = %q, %v, want a fault with %q", input, got, err, want)
		}
		if _, err := hosting.ParseName(input); err != nil {
			t.Errorf("ParseName(%q) = %v, want that a site of before is found", input, err)
		}
	}
}

// FuzzParseNewName: a new name is a name, is judged the same in each of its forms, and one
// of ASCII letters is never refused for its scripts.
func FuzzParseNewName(f *testing.F) {
	for _, seed := range []string{"pаypal.example", "xn--pypal-4ve.example", "日本語テストabc.example", "한국ひ.example", "a.ب.я", "ー.example", "\u0300а.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		name, err := hosting.ParseName(input)
		fresh, refused := hosting.ParseNewName(input)
		switch {
		case err != nil && refused == nil:
			t.Fatalf("ParseNewName(%q) = %q, which is no name: %v", input, fresh, err)
		case err != nil:
			return
		case refused == nil && fresh != name:
			t.Errorf("ParseNewName(%q) = %q, want %q", input, fresh, name)
		case refused != nil && !strings.Contains(name, "xn--"):
			t.Errorf("ParseNewName(%q) = %v", input, refused)
		}
		for _, form := range []string{name, hosting.ShowName(name)} {
			if _, again := hosting.ParseNewName(form); (again == nil) != (refused == nil) {
				t.Errorf("ParseNewName(%q) = %v, of %q %v", input, refused, form, again)
			}
		}
	})
}
