package route

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// Table maps hosts to sites. A table never changes; the registry makes a new one.
type Table struct {
	exact map[string]*Site
	// wildcard holds `*.example.com` under `example.com`.
	wildcard map[string]*Site
}

// Site is how the edge answers for one host. A site never changes.
type Site struct {
	// Host is the name as the Ingress has it: exact, or with a leading `*.`.
	Host string
	// Ingress is the object that the site comes from.
	Ingress types.NamespacedName
	// SSLRedirect sends plain HTTP requests to HTTPS.
	SSLRedirect bool
	// Suspended answers every request with the provider's page.
	Suspended bool
	// RedirectTo is the host that all requests are sent to; "" serves them here.
	RedirectTo string
	// TLSSecret holds a certificate of the site's own; its Name is "" without one.
	TLSSecret types.NamespacedName

	exact    map[string]*Backend
	prefixes []prefix
	fallback *Backend
}

// prefix is a path without its trailing slash; "" is the prefix of all paths.
type prefix struct {
	path    string
	backend *Backend
}

// Site returns the site of host, which must be normalized, or nil. An exact name
// goes before a wildcard, and a wildcard stands for exactly one label, as the
// Ingress specification has it.
func (t *Table) Site(host string) *Site {
	if t == nil {
		return nil
	}
	if s, ok := t.exact[host]; ok {
		return s
	}
	if len(t.wildcard) == 0 {
		return nil
	}
	label, parent, found := strings.Cut(host, ".")
	if !found || label == "" {
		return nil
	}
	return t.wildcard[parent]
}

// Len returns how many hosts the table has.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return len(t.exact) + len(t.wildcard)
}

// NormalHost returns the host of a Host header or a TLS server name as the table
// has it: without port and trailing dot, in lower case. It allocates only for
// names that are not lower case already.
func NormalHost(hostport string) string {
	host := hostport
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
