package locale

import (
	"strings"
	"testing"
)

// seen shows the signs that nobody sees.
var seen = strings.NewReplacer(isolateLeft, "<", isolateOwn, "<", isolateEnd, ">")

func TestSentencesFromTheRightKeepTheirPiecesTogether(t *testing.T) {
	tests := map[string]string{
		"مثل 512Mi أو 2Gi.":                     "مثل <512Mi> أو <2Gi>.",
		"يبدأ في /var/www؛ ملفات":               "يبدأ في </var/www>؛ ملفات",
		"احذف --runtime أو --wordpress.":        "احذف <--runtime> أو <--wordpress>.",
		"المعالج 500m (نصف نواة) أو 2.":         "المعالج <500m> (نصف نواة) أو 2.",
		"صالحة حتى %s (UTC).":                   "صالحة حتى <%s (UTC)>.",
		"الجديدة (--drain %s).":                 "الجديدة (<--drain %s>).",
		"يعمل WordPress بـ PHP":                 "يعمل WordPress بـ PHP",
		"اعرضه بـ: kubepanel site show %s":      "اعرضه بـ: <kubepanel site show %s>",
		"انظر: kubepanel platform runtimes.":    "انظر: kubepanel platform runtimes.",
		"%s من %s":                              "%s من %s",
		"الأرشيفات هي .zip و .tar.gz. ثم .tgz.": "الأرشيفات هي <.zip> و <.tar.gz>. ثم <.tgz>.",
		"Nothing here.":                         "Nothing here.",
		"":                                      "",
	}
	for sentence, want := range tests {
		if got := seen.Replace(isolateForeign(sentence)); got != want {
			t.Errorf("isolateForeign(%q) = %q, want %q", sentence, got, want)
		}
	}
}

func TestValuesOfASentenceFromTheRightAreKeptTogether(t *testing.T) {
	ar := &Locale{Dir: rtl, Texts: map[string]string{"%s of %s": "%s من %s", "%d of %q": "%d من %q"},
		Answers: map[string]string{"There is no %s.": "لا يوجد %s.", "It said: %s": "قال: %s"}}
	tests := []struct{ got, want string }{
		{ar.T("%s of %s", "1.7 GiB", "5 GiB"), "<1.7 GiB> من <5 GiB>"},
		{ar.T("%d of %q", 3, `/a "b"`), `3 من <"/a \"b\"">`},
		{ar.Answer("There is no /a/b."), "لا يوجد </a/b>."},
		{ar.Answer("It said: exit status 1."), "قال: <exit status 1.>"},
		{ar.Answer("Nobody knows (yet)."), "<Nobody knows (yet).>"},
		{(&Locale{Dir: "ltr"}).T("%s of %s", "1.7 GiB", "5 GiB"), "1.7 GiB of 5 GiB"},
	}
	for _, one := range tests {
		if seen.Replace(one.got) != one.want {
			t.Errorf("got %q, want %q", seen.Replace(one.got), one.want)
		}
		if strings.ContainsAny(Plain(one.got), isolates) {
			t.Errorf("Plain(%q) = %q, want none of the signs", one.got, Plain(one.got))
		}
	}
}

// A list goes on as its sentence does, and each of its pieces as it is written.
func TestListsAreJoinedAsTheLanguageDoes(t *testing.T) {
	ar := &Locale{Dir: rtl, Texts: map[string]string{", ": "، ", "There are: %s.": "الموجود: %s."}}
	en := &Locale{Dir: "ltr"}
	tests := []struct{ got, want string }{
		{en.List([]string{"a", "b=1", "c"}), "a, b=1, c"},
		{en.T("There are: %s.", en.List([]string{"a", "b"})), "There are: a, b."},
		{ar.List([]string{"a", "b=1"}), "<a>، <b=1>"},
		{ar.List([]string{"a"}), "<a>"},
		{ar.List(nil), ""},
		{ar.T("There are: %s.", ar.List([]string{"/a", "b="})), "الموجود: </a>، <b=>."},
	}
	for _, one := range tests {
		if seen.Replace(one.got) != one.want {
			t.Errorf("got %q, want %q", seen.Replace(one.got), one.want)
		}
	}
	pieces := []string{"a", "b"}
	if ar.List(pieces); pieces[0] != "a" {
		t.Errorf("List changed what it was given into %q", pieces)
	}
}

// No letter is lost or moved, and what is begun ends, whatever a translator writes.
func FuzzIsolateForeign(f *testing.F) {
	for _, seed := range []string{"مثل 512Mi أو 2Gi.", "a (b) /c (", `"--x" %s (UTC).`, ". .", "\xff1 a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sentence string) {
		got := isolateForeign(sentence)
		if Plain(got) != Plain(sentence) {
			t.Errorf("isolateForeign(%q) = %q", sentence, got)
		}
		if begun, ended := strings.Count(got, isolateLeft)-strings.Count(sentence, isolateLeft), strings.Count(got, isolateEnd)-strings.Count(sentence, isolateEnd); begun != ended {
			t.Errorf("isolateForeign(%q) = %q begins %d and ends %d", sentence, got, begun, ended)
		}
	})
}
