package route

import (
	"net"
	"slices"
	"strconv"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// Ref names a port of a Service as an Ingress does: by name or by number.
type Ref struct {
	Service    types.NamespacedName
	PortName   string
	PortNumber int32
	// HTTPSPort is the name of a port that is taken in its place as soon as it speaks
	// TLS and has pods; "" names none.
	HTTPSPort string
}

// Backend is where requests go. Its endpoints change as pods come and go, in one
// atomic step and without a new table.
type Backend struct {
	Ref       Ref
	endpoints atomic.Pointer[Endpoints]
}

// Endpoints is where a backend is, and what it speaks there.
type Endpoints struct {
	// Addresses are host:port, in a stable order. The slice must not be changed.
	Addresses []string
	// TLS says that the Service has this port with `appProtocol: https`.
	TLS bool
}

// Endpoints returns those of now.
func (b *Backend) Endpoints() Endpoints {
	if p := b.endpoints.Load(); p != nil {
		return *p
	}
	return Endpoints{}
}

// port is one port of a Service: what an Ingress names it by, and the name that
// EndpointSlices have it under.
type port struct {
	name   string
	number int32
	// tls says that the Service's owner has it speak TLS.
	tls bool
}

// protocolHTTPS is the standard name (IANA's) that a port's appProtocol has for HTTP over TLS.
const protocolHTTPS = "https"

// slice is what routing needs of an EndpointSlice.
type slice struct {
	ports     []port
	endpoints []endpoint
}

// endpoint is one pod behind a Service.
type endpoint struct {
	addresses []string
	ready     bool
	// draining pods still serve while they end.
	draining bool
}

func portsOf(svc *corev1.Service) []port {
	// An ExternalName would make the edge fetch from wherever a namespace's
	// owner points it, the platform's own addresses included.
	if svc.Spec.Type == corev1.ServiceTypeExternalName {
		return nil
	}
	ports := make([]port, 0, len(svc.Spec.Ports))
	for _, p := range svc.Spec.Ports {
		if p.Protocol == corev1.ProtocolTCP || p.Protocol == "" {
			ports = append(ports, port{name: p.Name, number: p.Port, tls: ptr.Deref(p.AppProtocol, "") == protocolHTTPS})
		}
	}
	return ports
}

func sliceOf(es *discoveryv1.EndpointSlice) slice {
	var s slice
	if es.AddressType == discoveryv1.AddressTypeFQDN {
		return s
	}
	for _, p := range es.Ports {
		if p.Port == nil || p.Protocol != nil && *p.Protocol != corev1.ProtocolTCP {
			continue
		}
		name := ""
		if p.Name != nil {
			name = *p.Name
		}
		s.ports = append(s.ports, port{name: name, number: *p.Port})
	}
	for _, e := range es.Endpoints {
		c := e.Conditions
		// Of these two nil means unknown, which the API says to take for true.
		// Ready alone is no answer: a Service may publish pods that are not.
		serving := ptr.Deref(c.Serving, true)
		ending := ptr.Deref(c.Terminating, false)
		ready := ptr.Deref(c.Ready, true) && serving && !ending
		draining := ending && serving
		if ready || draining {
			s.endpoints = append(s.endpoints, endpoint{addresses: e.Addresses, ready: ready, draining: draining})
		}
	}
	return s
}

// endpointsOf resolves ref. Which port is taken depends on what the API server says
// alone: that a pod does not answer by TLS never leads to one where it speaks plain.
func endpointsOf(ref Ref, ports []port, slices map[string]slice) Endpoints {
	if p, ok := find(Ref{PortName: ref.HTTPSPort}, ports); ref.HTTPSPort != "" && ok && p.tls {
		if list := addresses(p.name, slices); len(list) > 0 {
			return Endpoints{Addresses: list, TLS: true}
		}
	}
	p, ok := find(ref, ports)
	if !ok {
		return Endpoints{}
	}
	return Endpoints{Addresses: addresses(p.name, slices), TLS: p.tls}
}

// addresses returns those of the port of that name. Pods that are ending are used only
// when no other is left, as kube-proxy does.
func addresses(name string, slices map[string]slice) []string {
	var ready, draining []string
	for _, s := range slices {
		for _, p := range s.ports {
			if p.name != name {
				continue
			}
			for _, e := range s.endpoints {
				for _, a := range e.addresses {
					hostport := net.JoinHostPort(a, strconv.Itoa(int(p.number)))
					if e.ready {
						ready = append(ready, hostport)
					} else {
						draining = append(draining, hostport)
					}
				}
			}
		}
	}
	if len(ready) == 0 {
		ready = draining
	}
	return sortedSet(ready)
}

func find(ref Ref, ports []port) (port, bool) {
	for _, p := range ports {
		if ref.PortName != "" && p.name == ref.PortName || ref.PortName == "" && p.number == ref.PortNumber {
			return p, true
		}
	}
	return port{}, false
}

func sortedSet(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}

// refOf returns the Service port that an Ingress backend names. Backends of other
// kinds are not ours to serve.
func refOf(namespace string, b *networkingv1.IngressBackend) (Ref, bool) {
	if b == nil || b.Service == nil {
		return Ref{}, false
	}
	return Ref{
		Service:    types.NamespacedName{Namespace: namespace, Name: b.Service.Name},
		PortName:   b.Service.Port.Name,
		PortNumber: b.Service.Port.Number,
	}, true
}
