package desired_test

import (
	"regexp"
	"strings"
	"testing"

	"kubepanel.io/kubepanel/internal/desired"
)

func TestObjectName(t *testing.T) {
	long := strings.Repeat("a", 63) + "." + strings.Repeat("b", 63) + ".example"
	tests := map[string]string{
		"example.com":                    "example-com",
		"my-site.com":                    "my--site-com",
		"my.site.com":                    "my-site-com",
		"xn--e1afmkfd.xn--p1ai":          "xn----e1afmkfd-xn----p1ai",
		"shop.example2.co.uk":            "shop-example2-co-uk",
		strings.Repeat("a", 54) + ".com": strings.Repeat("a", 54) + "-com",
		strings.Repeat("a", 55) + ".com": strings.Repeat("a", 45) + "---jkkjfmnmny",
		long:                             strings.Repeat("a", 45) + "---hs2at7gacf",
	}
	for domain, want := range tests {
		if got := desired.ObjectName(domain); got != want {
			t.Errorf("ObjectName(%s) = %s, want %s", domain, got, want)
		}
	}
}

// Fault of the original: my-site.com and my.site.com were one object.
func TestNamesDoNotCollide(t *testing.T) {
	groups := [][]string{
		{"my-site.com", "my.site.com", "my--site.com", "my.site-com"},
		{"a" + strings.Repeat("b", 80) + ".com", "a" + strings.Repeat("b", 80) + ".net", "a" + strings.Repeat("b", 81) + ".com"},
	}
	for _, names := range groups {
		seen := map[string]string{}
		for _, n := range names {
			o := desired.ObjectName(n)
			if other, ok := seen[o]; ok {
				t.Errorf("ObjectName(%s) = ObjectName(%s) = %s", n, other, o)
			}
			seen[o] = n
		}
	}
}

var (
	domainName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$`)
	dnsLabel   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	service    = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)
)

// FuzzNamesAreInjective: two domain names never share an object name, and every
// name derived from one is a valid name of its kind.
func FuzzNamesAreInjective(f *testing.F) {
	f.Add("my-site.com", "my.site.com")
	f.Add("1and1.example", strings.Repeat("1", 54)+".com")
	f.Add("xn--e1afmkfd.xn--p1ai", "xn.e1afmkfd.xn--p1ai")
	f.Add(strings.Repeat("a", 60)+".com", strings.Repeat("a", 60)+".org")
	f.Add(strings.Repeat("a-", 25)+"a.com", strings.Repeat("a.", 25)+"a.com")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, d := range []string{a, b} {
			if len(d) > 253 || !domainName.MatchString(d) {
				return
			}
		}
		if same := desired.ObjectName(a) == desired.ObjectName(b); same != (a == b) {
			t.Errorf("ObjectName(%q) = ObjectName(%q) = %q", a, b, desired.ObjectName(a))
		}
		for _, n := range []string{desired.Namespace(a), desired.ServiceName(a), desired.SFTPServiceName(a), desired.DatabaseName(a)} {
			if len(n) > 63 || !dnsLabel.MatchString(n) {
				t.Errorf("name %q of %q is no RFC 1123 label", n, a)
			}
		}
		for _, n := range []string{desired.ServiceName(a), desired.SFTPServiceName(a)} {
			if !service.MatchString(n) {
				t.Errorf("Service name %q of %q does not begin with a letter", n, a)
			}
		}
		if strings.ContainsAny(desired.DatabaseName(a), "_%`\\'\"") {
			t.Errorf("DatabaseName(%q) = %q holds a character that MariaDB takes for more", a, desired.DatabaseName(a))
		}
	})
}
