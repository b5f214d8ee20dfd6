package route

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// Table maps hosts to sites. A table never changes; the registry makes a new one.
type Table struct {
	// sites has exact names as they are, and `*.example.com` as `.example.com`.
	sites [shards]map[string]*Site
	len   int
	// wildcards says whether there is any.
	wildcards int
}

// shards is into how many parts a table is split. A new table shares all of them
// with the old one but those that changed, so that a change beside ten thousand
// sites copies forty.
const shards = 256

// shardOf is FNV-1a, folded to the number of shards.
func shardOf(key string) uint8 {
	hash := uint32(2166136261)
	for i := range len(key) {
		hash = (hash ^ uint32(key[i])) * 16777619
	}
	return uint8(hash ^ hash>>8 ^ hash>>16 ^ hash>>24)
}

// keyOf returns what a host of an Ingress is found under.
func keyOf(host string) string {
	if rest, wild := strings.CutPrefix(host, "*."); wild {
		return "." + rest
	}
	return host
}

func (t *Table) find(key string) *Site { return t.sites[shardOf(key)][key] }

// Site is how the edge answers for one host. A site never changes.
type Site struct {
	// Host is the name as the Ingress has it: exact, or with a leading `*.`.
	Host string
	// Ingress is the object that the site comes from.
	Ingress types.NamespacedName
	// SSLRedirect sends plain HTTP requests to HTTPS.
	SSLRedirect bool
	// httpsOnly are the paths that programs ask for. A redirect would have them go on
	// sending what is secret by plain HTTP first.
	httpsOnly []prefix
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
	if s := t.find(host); s != nil && s.Host == host {
		return s
	}
	if t.wildcards == 0 {
		return nil
	}
	dot := strings.IndexByte(host, '.')
	if dot <= 0 {
		return nil
	}
	return t.find(host[dot:])
}

// set puts a site into a shard that nobody else reads yet, or takes it out, and
// returns the one that was there.
func (t *Table) set(shard uint8, key string, site *Site) (was *Site) {
	was = t.sites[shard][key]
	delta := 0
	switch {
	case site != nil && was == nil:
		delta = 1
	case site == nil && was != nil:
		delta = -1
	}
	t.len += delta
	if key[0] == '.' {
		t.wildcards += delta
	}
	if site == nil {
		delete(t.sites[shard], key)
	} else {
		t.sites[shard][key] = site
	}
	return was
}

// Len returns how many hosts the table has.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return t.len
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
