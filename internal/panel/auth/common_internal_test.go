package auth

import (
	"slices"
	"strings"
	"testing"
)

// ASVS 5.0, 6.2.4 asks for 3,000.
func TestThousandsOfCommonPasswordsAreKnown(t *testing.T) {
	all := everybodys()
	if len(all) < 40_000 || !slices.IsSorted(all) {
		t.Fatalf("%d passwords, sorted %t, want more than 40,000 that are", len(all), slices.IsSorted(all))
	}
	refused := 0
	for _, p := range all {
		for len(p) < minPassword { // as people make them long enough
			p += p
		}
		if checkPassword(p, "jo@shop.example", "Jo Shop") != nil {
			refused++
		}
	}
	if refused != len(all) {
		t.Errorf("%d of %d common passwords are refused when they are doubled", refused, len(all))
	}
}

func FuzzCommon(f *testing.F) {
	for _, p := range []string{"", "1", "P@ssw0rd!2024", "letmeinletmein1", "\xff\xfe", strings.Repeat("ab", 200)} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, password string) {
		unit := repeated(password)
		if !strings.HasPrefix(password, unit) || unit == "" && password != "" {
			t.Errorf("repeated(%q) = %q", password, unit)
		}
		common(password) // must not panic
	})
}
