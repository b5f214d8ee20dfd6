package route

import (
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
)

// PutClass takes a new or changed IngressClass.
func (r *Registry) PutClass(class *networkingv1.IngressClass) {
	r.setClass(func() { r.classes[class.Name] = class.Spec.Controller })
}

// DeleteClass forgets an IngressClass.
func (r *Registry) DeleteClass(name types.NamespacedName) {
	r.setClass(func() { delete(r.classes, name.Name) })
}

func (r *Registry) setClass(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
	for _, rec := range r.ingresses {
		if active := r.serves(rec.class); active != rec.active {
			rec.active = active
			r.stake(rec)
		}
	}
}

// PutIngress takes a new or changed Ingress of any class, for the class may
// become ours later.
func (r *Registry) PutIngress(ing *networkingv1.Ingress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := types.NamespacedName{Namespace: ing.Namespace, Name: ing.Name}
	class := ing.Annotations[annotationClass]
	if ing.Spec.IngressClassName != nil {
		class = *ing.Spec.IngressClassName
	}
	rec := &record{class: class, claim: compile(ing, r.backend), active: r.serves(class)}
	old := r.ingresses[name]
	// Most updates are of the status, ours included, and change no route.
	if old != nil && old.class == class && reflect.DeepEqual(old.claim, rec.claim) {
		return
	}
	r.take(rec.claim)
	if old != nil {
		old.active = false
		r.stake(old)
		r.release(old.claim)
	}
	r.ingresses[name] = rec
	r.stake(rec)
}

// DeleteIngress forgets an Ingress.
func (r *Registry) DeleteIngress(name types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.ingresses[name]
	if rec == nil {
		return
	}
	rec.active = false
	r.stake(rec)
	r.release(rec.claim)
	delete(r.ingresses, name)
}

// stake puts the record's claim among those to its hosts, or takes it out.
func (r *Registry) stake(rec *record) {
	for host := range rec.claim.sites {
		claims := slices.DeleteFunc(r.hosts[host], func(c *claim) bool { return c == rec.claim })
		if rec.active {
			at, _ := slices.BinarySearchFunc(claims, rec.claim, func(a, b *claim) int {
				if a.before(b) {
					return -1
				}
				return 1
			})
			claims = slices.Insert(claims, at, rec.claim)
		}
		if len(claims) == 0 {
			delete(r.hosts, host)
		} else {
			r.hosts[host] = claims
		}
		r.markDirty(host)
	}
}

// backend returns the one Backend of ref, and makes it when it is missing.
func (r *Registry) backend(ref Ref) *Backend {
	of := r.backends[ref.Service]
	if of == nil {
		of = map[Ref]*shared{}
		r.backends[ref.Service] = of
	}
	b := of[ref]
	if b == nil {
		b = &shared{}
		b.Ref = ref
		of[ref] = b
		r.fill(b)
	}
	return &b.Backend
}

func (r *Registry) take(c *claim) {
	for ref := range c.refs {
		r.backends[ref.Service][ref].users++
	}
}

func (r *Registry) release(c *claim) {
	for ref := range c.refs {
		of := r.backends[ref.Service]
		if of[ref].users--; of[ref].users > 0 {
			continue
		}
		if delete(of, ref); len(of) == 0 {
			delete(r.backends, ref.Service)
		}
	}
}

// PutService takes a new or changed Service.
func (r *Registry) PutService(svc *corev1.Service) {
	r.setPorts(types.NamespacedName{Namespace: svc.Namespace, Name: svc.Name}, portsOf(svc))
}

// DeleteService forgets a Service.
func (r *Registry) DeleteService(name types.NamespacedName) { r.setPorts(name, nil) }

func (r *Registry) setPorts(name types.NamespacedName, ports []port) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(ports) == 0 {
		delete(r.services, name)
	} else {
		r.services[name] = ports
	}
	r.resolve(name)
}

// PutSlice takes a new or changed EndpointSlice.
func (r *Registry) PutSlice(es *discoveryv1.EndpointSlice) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := types.NamespacedName{Namespace: es.Namespace, Name: es.Name}
	service := types.NamespacedName{Namespace: es.Namespace, Name: es.Labels[discoveryv1.LabelServiceName]}
	if was, known := r.owners[name]; known && was != service {
		r.dropSlice(name, was)
	}
	r.owners[name] = service
	if r.slices[service] == nil {
		r.slices[service] = map[string]slice{}
	}
	r.slices[service][es.Name] = sliceOf(es)
	r.resolve(service)
}

// DeleteSlice forgets an EndpointSlice.
func (r *Registry) DeleteSlice(name types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if service, known := r.owners[name]; known {
		r.dropSlice(name, service)
	}
}

func (r *Registry) dropSlice(name, service types.NamespacedName) {
	delete(r.owners, name)
	if delete(r.slices[service], name.Name); len(r.slices[service]) == 0 {
		delete(r.slices, service)
	}
	r.resolve(service)
}

// resolve brings all backends of a Service up to date.
func (r *Registry) resolve(service types.NamespacedName) {
	for _, b := range r.backends[service] {
		r.fill(b)
	}
}

func (r *Registry) fill(b *shared) {
	now := endpointsOf(b.Ref, r.services[b.Ref.Service], r.slices[b.Ref.Service])
	b.endpoints.Store(&now)
}
