package hosting

import (
	"encoding/json"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

func TestTrailTellsWhatChangedAndNoSecret(t *testing.T) {
	was := v1alpha1.DomainSpec{DomainName: "shop.example", Title: "Shop"}
	was.Workload = v1alpha1.WorkloadSpec{Type: "php", Version: "8.4", Env: []v1alpha1.EnvVar{{Name: "DB", Value: "geheim1"}}}
	is := *was.DeepCopy()
	is.Title = "New"
	is.Workload.Env[0].Value = "geheim2"
	is.Workload.Args = []string{"--token=geheim3"}
	is.Workload.CustomConfig = "auth=geheim4"
	is.Webserver.CustomConfig = "# geheim5"
	before, after, err := differing(was, is)
	if err != nil {
		t.Fatal(err)
	}
	if len(before) != 2 || before["title"] != "Shop" || before["workload.env"] != withheld {
		t.Errorf("before = %v, want title and env alone", before)
	}
	if after["title"] != "New" || after["workload.args"] != withheld || after["workload.env"] != withheld || len(after) != 5 {
		t.Errorf("after = %v, want title, env, args and two custom configurations", after)
	}
	for _, side := range []any{before, after} {
		if text, _ := json.Marshal(side); strings.Contains(string(text), "geheim") {
			t.Errorf("the trail has a secret: %s", text)
		}
	}
}

// No two entries have the same text to be hashed, whatever stands in their fields.
func FuzzChain(f *testing.F) {
	f.Add("a", "bc", "ab", "c")
	f.Add("1:a,", "", "", "1:a,")
	f.Fuzz(func(t *testing.T, object1, before1, object2, before2 string) {
		one, two := Entry{Seq: 1, Object: object1, Before: before1}, Entry{Seq: 1, Object: object2, Before: before2}
		same := object1 == object2 && before1 == before2
		if got := one.Chain("") == two.Chain(""); got != same {
			t.Errorf("Chain of (%q, %q) and (%q, %q) equal = %t, want %t", object1, before1, object2, before2, got, same)
		}
	})
}

func FuzzParseEmail(f *testing.F) {
	f.Add("Jo@Shop.example")
	f.Add(" jo@shop.example\x00")
	f.Fuzz(func(t *testing.T, input string) {
		email, err := ParseEmail(input)
		if err != nil {
			return
		}
		if again, err := ParseEmail(email); err != nil || again != email {
			t.Errorf("ParseEmail(%q) = %q, and of that %q, %v", input, email, again, err)
		}
		if strings.ContainsAny(email, " \r\n\x00<>\"") {
			t.Errorf("ParseEmail(%q) = %q, which breaks a mail's header", input, email)
		}
	})
}
