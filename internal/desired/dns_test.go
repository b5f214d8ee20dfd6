package desired

import (
	"strings"
	"testing"
)

const podResolvConf = "search kubepanel-system.svc.cluster.example svc.cluster.example cluster.example\nnameserver 10.96.0.10\noptions ndots:5\n"

func TestFullNameOfAService(t *testing.T) {
	tests := map[string]struct{ host, resolvConf, want string }{
		"completed":                 {"mariadb.kubepanel-system.svc", podResolvConf, "mariadb.kubepanel-system.svc.cluster.example"},
		"full already":              {"mariadb.kubepanel-system.svc.cluster.example", podResolvConf, "mariadb.kubepanel-system.svc.cluster.example"},
		"of somebody else":          {"db.example.com", podResolvConf, "db.example.com"},
		"an address":                {"10.1.2.3", podResolvConf, "10.1.2.3"},
		"outside of a cluster":      {"mariadb.kubepanel-system.svc", "nameserver 192.0.2.1\nsearch example.com\n", "mariadb.kubepanel-system.svc"},
		"search domain with a dot":  {"a.b.svc", "search svc.cluster.local.\n", "a.b.svc.cluster.local"},
		"tabs, and no end of line":  {"a.b.svc", "\tsearch\tb.svc.x  svc.x", "a.b.svc.x"},
		"a comment is no directive": {"a.b.svc", "# search svc.x\n", "a.b.svc"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := FullName(tt.host, tt.resolvConf); got != tt.want {
				t.Errorf("FullName(%q) = %q, want %q", tt.host, got, tt.want)
			}
		})
	}
}

func FuzzFullName(f *testing.F) {
	f.Add("mariadb.kubepanel-system.svc", podResolvConf)
	f.Fuzz(func(t *testing.T, host, resolvConf string) {
		got := FullName(host, resolvConf)
		domain, found := strings.CutPrefix(got, host+".")
		if got != host && (!found || len(strings.Fields(domain)) != 1) {
			t.Errorf("FullName(%q, %q) = %q", host, resolvConf, got)
		}
	})
}
