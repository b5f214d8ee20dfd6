package route

import (
	"cmp"
	"slices"
	"strings"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Values of the annotation kubepanel.io/www-redirect.
const (
	wwwToRoot = "www-to-root"
	rootToWWW = "root-to-www"
)

// claim is what one Ingress asks for: sites by host, and the backends they use.
type claim struct {
	name    types.NamespacedName
	uid     types.UID
	created time.Time
	sites   map[string]*Site
	refs    map[Ref]struct{}
}

// compile reads an Ingress. resolve returns the one Backend of a ref. It is pure
// apart from what resolve does. Rules without a host are left out: on a platform
// of many tenants nobody owns all the names.
func compile(ing *networkingv1.Ingress, resolve func(Ref) *Backend) *claim {
	c := &claim{
		name:    types.NamespacedName{Namespace: ing.Namespace, Name: ing.Name},
		uid:     ing.UID,
		created: ing.CreationTimestamp.Time,
		sites:   make(map[string]*Site, len(ing.Spec.Rules)),
		refs:    map[Ref]struct{}{},
	}
	use := func(b *networkingv1.IngressBackend) *Backend {
		ref, ok := refOf(ing.Namespace, b)
		if !ok {
			return nil
		}
		ref.HTTPSPort = ing.Annotations[v1alpha1.AnnotationHTTPSPort]
		c.refs[ref] = struct{}{}
		return resolve(ref)
	}
	for i := range ing.Spec.Rules {
		rule := &ing.Spec.Rules[i]
		if rule.Host == "" {
			continue
		}
		host := NormalHost(rule.Host)
		site := c.sites[host]
		if site == nil {
			site = newSite(ing, host)
			site.fallback = use(ing.Spec.DefaultBackend)
			c.sites[host] = site
		}
		if rule.HTTP != nil {
			for j := range rule.HTTP.Paths {
				site.add(&rule.HTTP.Paths[j], use)
			}
		}
	}
	for _, site := range c.sites {
		site.finish(c, ing.Annotations[v1alpha1.AnnotationWWWRedirect])
	}
	return c
}

func newSite(ing *networkingv1.Ingress, host string) *Site {
	return &Site{
		Host:        host,
		Ingress:     types.NamespacedName{Namespace: ing.Namespace, Name: ing.Name},
		SSLRedirect: ing.Annotations[v1alpha1.AnnotationSSLRedirect] != "false",
		httpsOnly:   prefixes(ing.Annotations[v1alpha1.AnnotationHTTPSOnly]),
		Suspended:   ing.Annotations[v1alpha1.AnnotationSuspended] == "true",
		TLSSecret:   tlsSecret(ing, host),
	}
}

// prefixes reads paths with commas between them. What does not begin with a slash is
// no path, and names nothing.
func prefixes(list string) []prefix {
	var all []prefix
	for path := range strings.SplitSeq(list, ",") {
		if path = strings.TrimSpace(path); strings.HasPrefix(path, "/") {
			all = append(all, prefix{path: strings.TrimSuffix(path, "/")})
		}
	}
	return all
}

// add takes one path. ImplementationSpecific is treated like Prefix. Of two equal
// paths the first one stays.
func (s *Site) add(p *networkingv1.HTTPIngressPath, use func(*networkingv1.IngressBackend) *Backend) {
	backend := use(&p.Backend)
	if backend == nil {
		return
	}
	if p.PathType != nil && *p.PathType == networkingv1.PathTypeExact {
		if s.exact == nil {
			s.exact = map[string]*Backend{}
		}
		if _, taken := s.exact[p.Path]; !taken {
			s.exact[p.Path] = backend
		}
		return
	}
	s.prefixes = append(s.prefixes, prefix{path: strings.TrimSuffix(p.Path, "/"), backend: backend})
}

func (s *Site) finish(c *claim, www string) {
	slices.SortStableFunc(s.prefixes, func(a, b prefix) int { return cmp.Compare(len(b.path), len(a.path)) })
	target := ""
	switch www {
	case wwwToRoot:
		target, _ = strings.CutPrefix(s.Host, "www.")
	case rootToWWW:
		target = "www." + s.Host
	}
	// Only to a name that this Ingress serves too: a redirect into nothing would
	// take a working site away.
	if _, ok := c.sites[target]; ok && target != s.Host {
		s.RedirectTo = target
	}
}

// tlsSecret returns the Secret that the Ingress names for host. An entry without
// hosts stands for all of them.
func tlsSecret(ing *networkingv1.Ingress, host string) types.NamespacedName {
	for _, entry := range ing.Spec.TLS {
		if entry.SecretName == "" {
			continue
		}
		covers := func(name string) bool { return HostCovers(NormalHost(name), host) }
		if len(entry.Hosts) == 0 || slices.ContainsFunc(entry.Hosts, covers) {
			return types.NamespacedName{Namespace: ing.Namespace, Name: entry.SecretName}
		}
	}
	return types.NamespacedName{}
}

// HostCovers reports whether pattern, exact or with a leading `*.`, stands for
// host. The wildcard stands for one label.
func HostCovers(pattern, host string) bool {
	if pattern == host {
		return true
	}
	parent, wild := strings.CutPrefix(pattern, "*.")
	label, rest, found := strings.Cut(host, ".")
	return wild && found && label != "" && rest == parent
}

// before orders claims to one host: the older goes first, then the name decides,
// so that every edge comes to the same answer.
func (c *claim) before(o *claim) bool {
	if !c.created.Equal(o.created) {
		return c.created.Before(o.created)
	}
	return c.name.String() < o.name.String()
}
