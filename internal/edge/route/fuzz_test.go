package route

import (
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
)

// FuzzSite checks that no way to write a host reaches a site but its own name and
// one label before a wildcard.
func FuzzSite(f *testing.F) {
	for _, seed := range []string{"x.test", "X.test.:80", "*.x.test", "a.x.test", "a.b.x.test", "..x.test", "[::1]:80", ":", "x.test:", "x.test:80:90", "\x00.x.test"} {
		f.Add(seed)
	}
	r := NewRegistry("kubepanel")
	r.PutIngress(ingress("a/site", 0, "x.test / s:80", "*.x.test / s:80"))
	r.Publish()
	f.Fuzz(func(t *testing.T, hostport string) {
		host := NormalHost(hostport)
		if again := NormalHost(host); strings.Count(host, ":") == 0 && !strings.HasSuffix(host, ".") && again != host {
			t.Errorf("NormalHost(%q) = %q, and of that %q", hostport, host, again)
		}
		site := r.Table().Site(host)
		if site == nil {
			return
		}
		label, isSub := strings.CutSuffix(host, ".x.test")
		if host != "x.test" && (!isSub || label == "" || strings.Contains(label, ".")) {
			t.Errorf("host %q found site %s", hostport, site.Host)
		}
	})
}

// FuzzBackend holds the matcher against the words of the Ingress specification:
// split at slashes, element by element.
func FuzzBackend(f *testing.F) {
	for _, seed := range [][2]string{{"/foo", "/foo/bar"}, {"/foo/", "/foo"}, {"/", "/"}, {"/a/b", "/a/bc"}, {"/a", "//a"}, {"/a/..", "/"}, {"/a", "/a/../b"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, rule, request string) {
		// The API server admits no other paths.
		if !strings.HasPrefix(rule, "/") || strings.Contains(rule, "//") || strings.Contains(rule, "/.") {
			t.Skip()
		}
		kind := networkingv1.PathTypePrefix
		site := &Site{}
		site.add(&networkingv1.HTTPIngressPath{Path: rule, PathType: &kind},
			func(*networkingv1.IngressBackend) *Backend { return &Backend{} })
		got := site.Backend(request) != nil
		if want := elementsMatch(rule, cleanPath(request)); got != want {
			t.Errorf("prefix %q matches %q = %v, want %v", rule, request, got, want)
		}
	})
}

// FuzzHTTPSOnly holds the list of an annotation against the same words.
func FuzzHTTPSOnly(f *testing.F) {
	for _, seed := range [][2]string{{"/api, /hooks", "/api/v1"}, {"/api/,", "/api"}, {"api,,/", "/x"}, {"/api", "/apiary"}, {"/api", "//x/../api"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, list, request string) {
		if strings.Contains(list, "//") {
			t.Skip() // no path has it
		}
		want := false
		for path := range strings.SplitSeq(list, ",") {
			if path = strings.TrimSpace(path); strings.HasPrefix(path, "/") {
				want = want || elementsMatch(path, cleanPath(request))
			}
		}
		site := &Site{httpsOnly: prefixes(list)}
		if got := site.HTTPSOnly(request); got != want {
			t.Errorf("of %q plain requests for %q are refused = %v, want %v", list, request, got, want)
		}
	})
}

func elementsMatch(rule, request string) bool {
	if rule == "/" {
		return request == "" || request[0] == '/'
	}
	have := strings.Split(request, "/")
	for i, element := range strings.Split(strings.TrimSuffix(rule, "/"), "/") {
		if i >= len(have) || have[i] != element {
			return false
		}
	}
	return true
}

// FuzzCleanPath checks that what comes out can't climb and needs no cleaning.
func FuzzCleanPath(f *testing.F) {
	for _, seed := range []string{"/", "/a/../../b/", "//", "/.", "/a/.", "/a/..", "/...", "/.well-known/x", "*", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got := cleanPath(path)
		if again := cleanPath(got); again != got {
			t.Errorf("cleanPath(%q) = %q, and of that %q", path, got, again)
		}
		if strings.HasPrefix(path, "/") && (strings.Contains(got+"/", "/../") || strings.Contains(got, "//") || strings.Contains(got+"/", "/./")) {
			t.Errorf("cleanPath(%q) = %q", path, got)
		}
	})
}
