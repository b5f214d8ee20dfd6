package route

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/types"
)

// Controller is the value of spec.controller of the IngressClasses we serve.
const Controller = "kubepanel.io/edge"

// annotationClass is the way to name a class from before spec.ingressClassName.
const annotationClass = "kubernetes.io/ingress.class"

// Registry keeps the facts that routing needs, in a few bytes each, and makes
// tables of them. Its methods may be called at the same time.
//
// A change costs what it changes: endpoints are swapped in their Backend, and a
// new table shares what did not change with the old one.
type Registry struct {
	class string
	table atomic.Pointer[Table]
	wake  chan struct{}

	mu        sync.Mutex
	classes   map[string]string // IngressClass → its controller
	ingresses map[types.NamespacedName]*record
	hosts     map[string][]*claim // who claims a host, the winner first
	dirty     map[string]struct{}
	rejected  map[Rejection]struct{}
	backends  map[types.NamespacedName]map[Ref]*shared
	// secrets counts the sites in force that want a Secret's certificate.
	secrets        map[types.NamespacedName]int
	secretsChanged bool
	services       map[types.NamespacedName][]port
	slices         map[types.NamespacedName]map[string]slice
	owners         map[types.NamespacedName]types.NamespacedName // EndpointSlice → its Service
}

type record struct {
	class string
	claim *claim
	// active says that the claim takes part: the class is ours.
	active bool
}

// shared is a Backend and how many Ingresses use it.
type shared struct {
	Backend
	users int
}

// Rejection tells that an Ingress does not get a host, and who has it.
type Rejection struct {
	Ingress types.NamespacedName
	UID     types.UID
	Host    string
	Winner  types.NamespacedName
}

// Changes says what a new table brought.
type Changes struct {
	// Removed hosts are no longer served.
	Removed []string
	// Rejected holds those rejections that the last table did not have.
	Rejected []Rejection
	// TLSSecrets are all Secrets that sites want their certificate from, with how
	// many do; nil when they are the same as before.
	TLSSecrets map[types.NamespacedName]int
}

// NewRegistry returns a registry that serves the Ingresses of class, and of every
// IngressClass that names our controller.
func NewRegistry(class string) *Registry {
	return &Registry{
		class:     class,
		wake:      make(chan struct{}, 1),
		classes:   map[string]string{},
		ingresses: map[types.NamespacedName]*record{},
		hosts:     map[string][]*claim{},
		dirty:     map[string]struct{}{},
		rejected:  map[Rejection]struct{}{},
		backends:  map[types.NamespacedName]map[Ref]*shared{},
		secrets:   map[types.NamespacedName]int{},
		services:  map[types.NamespacedName][]port{},
		slices:    map[types.NamespacedName]map[string]slice{},
		owners:    map[types.NamespacedName]types.NamespacedName{},
	}
}

// Table returns the table in force. It is nil before the first Publish.
func (r *Registry) Table() *Table { return r.table.Load() }

// Wake receives when there is something to publish.
func (r *Registry) Wake() <-chan struct{} { return r.wake }

// Publish puts a table with all changes so far in force.
func (r *Registry) Publish() Changes {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.table.Load()
	next := &Table{}
	if old != nil {
		if len(r.dirty) == 0 {
			return Changes{}
		}
		*next = *old
	}
	var changes Changes
	var copied [shards]bool
	for host := range r.dirty {
		key := keyOf(host)
		shard := shardOf(key)
		if !copied[shard] {
			copied[shard] = true
			if next.sites[shard] = maps.Clone(next.sites[shard]); next.sites[shard] == nil {
				next.sites[shard] = map[string]*Site{}
			}
		}
		var site *Site
		if claims := r.hosts[host]; len(claims) > 0 {
			site = claims[0].sites[host]
		}
		was := next.set(shard, key, site)
		if was != nil && site == nil {
			changes.Removed = append(changes.Removed, host)
		}
		r.countSecret(site, 1)
		r.countSecret(was, -1)
	}
	if r.secretsChanged {
		changes.TLSSecrets = maps.Clone(r.secrets)
		r.secretsChanged = false
	}
	changes.Rejected = r.rejections()
	clear(r.dirty)
	r.table.Store(next)
	return changes
}

// rejections brings r.rejected up to date for the dirty hosts and returns what is
// new in it.
func (r *Registry) rejections() []Rejection {
	for was := range r.rejected {
		if _, touched := r.dirty[was.Host]; touched && !r.stillRejected(was) {
			delete(r.rejected, was)
		}
	}
	var fresh []Rejection
	for host := range r.dirty {
		claims := r.hosts[host]
		for i := 1; i < len(claims); i++ {
			rejection := Rejection{Ingress: claims[i].name, UID: claims[i].uid, Host: host, Winner: claims[0].name}
			if _, known := r.rejected[rejection]; !known {
				r.rejected[rejection] = struct{}{}
				fresh = append(fresh, rejection)
			}
		}
	}
	return fresh
}

func (r *Registry) stillRejected(was Rejection) bool {
	claims := r.hosts[was.Host]
	return len(claims) > 1 && claims[0].name == was.Winner &&
		slices.ContainsFunc(claims[1:], func(c *claim) bool { return c.name == was.Ingress && c.uid == was.UID })
}

// Counts returns how many Ingresses are ours and how many host claims lost.
func (r *Registry) Counts() (ingresses, rejected int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range r.ingresses {
		if rec.active {
			ingresses++
		}
	}
	return ingresses, len(r.rejected)
}

// Ours reports whether the Ingress of that name is one we serve.
func (r *Registry) Ours(name types.NamespacedName) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.ingresses[name]
	return rec != nil && rec.active
}

// countSecret keeps the number of sites that want each Secret.
func (r *Registry) countSecret(site *Site, delta int) {
	if site == nil || site.TLSSecret.Name == "" {
		return
	}
	before := r.secrets[site.TLSSecret]
	if r.secrets[site.TLSSecret] = before + delta; before+delta == 0 {
		delete(r.secrets, site.TLSSecret)
	}
	r.secretsChanged = r.secretsChanged || before == 0 || before+delta == 0
}

func (r *Registry) markDirty(host string) {
	r.dirty[host] = struct{}{}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// serves reports whether a class is ours. The class of the platform's settings is
// also ours when no IngressClass object of that name is there.
func (r *Registry) serves(class string) bool {
	if controller, ok := r.classes[class]; ok {
		return controller == Controller
	}
	return class == r.class
}
