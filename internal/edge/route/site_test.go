package route

import (
	"strings"
	"testing"
)

func TestPathsFollowTheIngressSpecification(t *testing.T) {
	r := NewRegistry("kubepanel")
	r.PutIngress(ingress("a/site", 0,
		"x.test / root:80", "x.test /foo foo:80", "x.test /foo/bar/ bar:80", "x.test =/foo exact:80", "x.test =/slash/ slash:80",
		"only.test /api api:80"))
	r.Publish()
	tests := map[string]struct{ host, path, want string }{
		"root":                               {"x.test", "/", "root"},
		"anything":                           {"x.test", "/else", "root"},
		"no path at all":                     {"x.test", "", "root"},
		"exact before prefix":                {"x.test", "/foo", "exact"},
		"exact minds the slash":              {"x.test", "/foo/", "foo"},
		"element-wise":                       {"x.test", "/foobar", "root"},
		"below":                              {"x.test", "/foo/baz", "foo"},
		"longest":                            {"x.test", "/foo/bar/baz", "bar"},
		"a prefix's trailing slash is moot":  {"x.test", "/foo/bar", "bar"},
		"exact with slash":                   {"x.test", "/slash/", "slash"},
		"exact with slash, asked without":    {"x.test", "/slash", "root"},
		"doubled slashes are one":            {"x.test", "//foo//bar", "bar"},
		"dots are resolved":                  {"x.test", "/foo/../x/./y", "root"},
		"dots can't reach above":             {"x.test", "/../../foo/x", "foo"},
		"dots at the end keep the directory": {"x.test", "/slash/x/..", "slash"},
		"case counts":                        {"x.test", "/FOO", "root"},
		"no rule for it":                     {"only.test", "/", ""},
		"a rule for it":                      {"only.test", "/api/v1", "api"},
		"asterisk":                           {"only.test", "*", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := ""
			if b := r.Table().Site(tt.host).Backend(tt.path); b != nil {
				got = b.Ref.Service.Name
			}
			if got != tt.want {
				t.Errorf("backend of %s%s = %q, want %q", tt.host, tt.path, got, tt.want)
			}
		})
	}
}

func TestHosts(t *testing.T) {
	r := NewRegistry("kubepanel")
	r.PutIngress(ingress("a/site", 0, "x.test / s:80", "*.x.test / wild:80", "sub.x.test / sub:80", "UPPER.test / s:80"))
	r.Publish()
	tests := map[string]string{
		"x.test":          "x.test",
		"x.test:8443":     "x.test",
		"x.test.":         "x.test",
		"X.TEST":          "x.test",
		"upper.test":      "upper.test",
		"any.x.test":      "*.x.test",
		"sub.x.test":      "sub.x.test",
		"a.b.x.test":      "",
		".x.test":         "",
		"test":            "",
		"":                "",
		":80":             "",
		"[::1]:80":        "",
		"[::1]":           "",
		"x.test.evil":     "",
		"evilx.test":      "",
		"*.x.test":        "*.x.test",
		"xn--e1afmk.test": "",
	}
	for host, want := range tests {
		got := ""
		if s := r.Table().Site(NormalHost(host)); s != nil {
			got = s.Host
		}
		if got != want {
			t.Errorf("site of %q = %q, want %q", host, got, want)
		}
	}
}

func TestAnnotations(t *testing.T) {
	const ssl, www, suspended = "kubepanel.io/ssl-redirect", "kubepanel.io/www-redirect", "kubepanel.io/suspended"
	both := []string{"x.test / s:80", "www.x.test / s:80", "alias.test / s:80"}
	tests := map[string]struct {
		annotations []string
		rules       []string
		// want is host → what is special about it.
		want map[string]string
	}{
		"none":         {rules: both, want: map[string]string{"x.test": "ssl", "www.x.test": "ssl", "alias.test": "ssl"}},
		"ssl off":      {annotations: []string{ssl, "false"}, rules: both, want: map[string]string{"x.test": "", "www.x.test": ""}},
		"ssl nonsense": {annotations: []string{ssl, "maybe"}, rules: both, want: map[string]string{"x.test": "ssl"}},
		"to root":      {annotations: []string{www, "www-to-root"}, rules: both, want: map[string]string{"x.test": "ssl", "www.x.test": "ssl >x.test", "alias.test": "ssl"}},
		"to www":       {annotations: []string{www, "root-to-www"}, rules: both, want: map[string]string{"x.test": "ssl >www.x.test", "www.x.test": "ssl", "alias.test": "ssl"}},
		"a root that begins with www": {annotations: []string{www, "root-to-www"}, rules: []string{"www.test / s:80", "www.www.test / s:80"},
			want: map[string]string{"www.test": "ssl >www.www.test", "www.www.test": "ssl"}},
		"to none":       {annotations: []string{www, "none"}, rules: both, want: map[string]string{"x.test": "ssl", "www.x.test": "ssl"}},
		"root not here": {annotations: []string{www, "www-to-root"}, rules: both[1:], want: map[string]string{"www.x.test": "ssl"}},
		"suspended":     {annotations: []string{suspended, "true"}, rules: both, want: map[string]string{"x.test": "ssl suspended"}},
		"not suspended": {annotations: []string{suspended, "false"}, rules: both, want: map[string]string{"x.test": "ssl"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := NewRegistry("kubepanel")
			r.PutIngress(annotated(ingress("a/site", 0, tt.rules...), tt.annotations...))
			r.Publish()
			for host, want := range tt.want {
				if got := special(r.Table().Site(host)); got != want {
					t.Errorf("%s = %q, want %q", host, got, want)
				}
			}
		})
	}
}

func special(s *Site) string {
	var words []string
	if s.SSLRedirect {
		words = append(words, "ssl")
	}
	if s.RedirectTo != "" {
		words = append(words, ">"+s.RedirectTo)
	}
	if s.Suspended {
		words = append(words, "suspended")
	}
	return strings.Join(words, " ")
}
