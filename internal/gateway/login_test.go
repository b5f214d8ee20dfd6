package gateway

import (
	"strings"
	"testing"
)

func TestALoginNamesUserAndSite(t *testing.T) {
	for name, want := range map[string]login{
		"site@blog.example":   {user: "site", domain: "blog.example"},
		"blog.example":        {user: "site", domain: "blog.example"},
		"Site@Blog.Example":   {user: "Site", domain: "blog.example"},
		"a@b@blog.example":    {user: "a@b", domain: "blog.example"},
		"site":                {user: "site"},
		"site@":               {user: "site"},
		"":                    {},
		"@blog.example":       {domain: "blog.example"},
		"xn--bcher-kva.local": {user: "site", domain: "xn--bcher-kva.local"},
	} {
		if got := parseLogin(name); got != want {
			t.Errorf("parseLogin(%q) = %+v, want %+v", name, got, want)
		}
	}
}

func FuzzParseLogin(f *testing.F) {
	f.Add("site@blog.example")
	f.Add("@")
	f.Fuzz(func(t *testing.T, name string) {
		if got := parseLogin(name); strings.Contains(got.domain, "@") {
			t.Errorf("parseLogin(%q) = %+v", name, got)
		}
	})
}
