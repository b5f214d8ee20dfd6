package web_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/panel/web/locale"
)

// sentences are all that pages say by T.
func sentences(t *testing.T) []string {
	t.Helper()
	said := regexp.MustCompile(`\bT\(("(?:[^"\\]|\\.)*")`)
	var all []string
	for _, pattern := range []string{"*.go", "*.templ", "../mail/*.go", "locale/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_templ.go") || strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range said.FindAllStringSubmatch(string(text), -1) {
				sentence, err := strconv.Unquote(m[1])
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, sentence)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// placesIn are those for values in a sentence.
func placesIn(sentence string) []string {
	return regexp.MustCompile(`%[a-z]`).FindAllString(sentence, -1)
}

// Every sentence of the pages is in every language, with the same values in it.
func TestLanguagesAreComplete(t *testing.T) {
	set, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	all := sentences(t)
	if len(set) < 3 || len(all) < 100 {
		t.Fatalf("%d languages and %d sentences, want three and a hundred", len(set), len(all))
	}
	for _, l := range set[1:] {
		for _, s := range all {
			own, ok := l.Texts[s]
			if !ok || own == "" {
				t.Errorf("%s lacks %q", l.Tag, s)
			}
		}
		for s, own := range l.Texts {
			if got, want := placesIn(own), placesIn(s); !slices.Equal(got, want) {
				t.Errorf("%s says %q with values %q, want %q", l.Tag, own, got, want)
			}
		}
	}
}

// Lists are joined by locale.List: only Latin has a comma and a space for it. What the trail
// shows of a change is written as the API has it.
func TestPagesJoinListsAsTheirLanguageDoes(t *testing.T) {
	latin := regexp.MustCompile(`strings\.Join\(.*, ", "\)|\{ ", " \}`)
	for _, pattern := range []string{"*.go", "*.templ"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if file == "audit_change.go" || strings.HasSuffix(file, "_templ.go") || strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range latin.FindAllString(string(text), -1) {
				t.Errorf("%s joins a list by a Latin comma: %s", file, m)
			}
		}
	}
	h := newHouse(t)
	h.site("app.example", func(d *v1alpha1.Domain) { d.Spec.Workload.Type, d.Spec.Workload.Version = "python", "3.13" })
	for path, want := range map[string]string{"/platform/settings": "مدير، موزّع", "/sites/app.example/settings": "buffering، "} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Cookie", "language=ar")
		h.ask(r).want(t, http.StatusOK, want)
	}
}

// What is to be typed and ends with a sign is followed by a mark (U+200E) that keeps the
// sign at the word's end: without it Arabic shows NAME= as =NAME.
func TestArabicLeavesSignsAtTheirWords(t *testing.T) {
	set, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	lost := regexp.MustCompile(`[A-Za-z]=[^A-Za-z0-9%\x{200E}\x{2069}]`)
	for _, l := range set {
		for s, own := range l.Texts {
			if l.Tag == "ar" && lost.MatchString(own) {
				t.Errorf("%q in Arabic lets go of a sign: %q", s, own)
			}
		}
	}
}

// Numbers and signs alone go the sentence's way, and a schedule would begin with the weekday.
func TestArabicKeepsSchedulesTogether(t *testing.T) {
	set, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	schedule, found := regexp.MustCompile(`(\x{2066}?)[0-9*/]+(?: [0-9*/]+){4}`), 0
	for _, sentences := range []map[string]string{set.Find("ar").Texts, set.Find("ar").Answers} {
		for _, own := range sentences {
			for _, m := range schedule.FindAllStringSubmatch(own, -1) {
				if found++; m[1] == "" {
					t.Errorf("Arabic turns the schedule %s round: %q", m[0], own)
				}
			}
		}
	}
	if found < 3 {
		t.Errorf("Arabic tells of %d schedules, want three", found)
	}
}

func TestArabicReadsFromTheRight(t *testing.T) {
	h := newHouse(t)
	r := httptest.NewRequest(http.MethodGet, "/sites", nil)
	r.Header.Set("Cookie", "language=ar")
	h.ask(r).want(t, http.StatusOK, `lang="ar" dir="rtl"`, "المواقع")
}
