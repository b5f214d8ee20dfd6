package route

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/utils/ptr"
)

func TestEndpointsFollowPods(t *testing.T) {
	ready := func(addresses ...string) discoveryv1.Endpoint { return discoveryv1.Endpoint{Addresses: addresses} }
	condition := func(address string, c discoveryv1.EndpointConditions) discoveryv1.Endpoint {
		return discoveryv1.Endpoint{Addresses: []string{address}, Conditions: c}
	}
	named := corev1.ServicePort{Name: "http", Port: 80}
	tests := map[string]struct {
		service *corev1.Service
		slices  []*discoveryv1.EndpointSlice
		port    string
		want    []string
	}{
		"by number": {service("a/s", named), []*discoveryv1.EndpointSlice{endpoints("a/s-1", "s", httpPort, ready("10.0.0.2"))}, "80", []string{"10.0.0.2:8080"}},
		"by name":   {service("a/s", named), []*discoveryv1.EndpointSlice{endpoints("a/s-1", "s", httpPort, ready("10.0.0.2"))}, "http", []string{"10.0.0.2:8080"}},
		"several slices, in order, each once": {service("a/s", named), []*discoveryv1.EndpointSlice{
			endpoints("a/s-1", "s", httpPort, ready("10.0.0.3"), ready("10.0.0.2")),
			endpoints("a/s-2", "s", httpPort, ready("10.0.0.2"), ready("10.0.0.1")),
		}, "80", []string{"10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.3:8080"}},
		"a number of the pod is none of the Service": {service("a/s", named), []*discoveryv1.EndpointSlice{endpoints("a/s-1", "s", httpPort, ready("10.0.0.2"))}, "8080", nil},
		"unknown name":   {service("a/s", named), []*discoveryv1.EndpointSlice{endpoints("a/s-1", "s", httpPort, ready("10.0.0.2"))}, "ftp", nil},
		"no service":     {service("a/other", named), []*discoveryv1.EndpointSlice{endpoints("a/s-1", "s", httpPort, ready("10.0.0.2"))}, "80", nil},
		"no slice":       {service("a/s", named), nil, "80", nil},
		"not ready":      {service("a/s", named), []*discoveryv1.EndpointSlice{endpoints("a/s-1", "s", httpPort, condition("10.0.0.2", discoveryv1.EndpointConditions{Ready: ptr.To(false)}))}, "80", nil},
		"another's pods": {service("a/s", named), []*discoveryv1.EndpointSlice{endpoints("b/s-1", "s", httpPort, ready("10.0.0.2"))}, "80", nil},
		"ending pods only when no other is left": {service("a/s", named), []*discoveryv1.EndpointSlice{endpoints("a/s-1", "s", httpPort,
			condition("10.0.0.2", discoveryv1.EndpointConditions{Ready: ptr.To(false), Serving: ptr.To(true), Terminating: ptr.To(true)}))}, "80", []string{"10.0.0.2:8080"}},
		"ending pods not beside ready ones": {service("a/s", named), []*discoveryv1.EndpointSlice{endpoints("a/s-1", "s", httpPort, ready("10.0.0.1"),
			condition("10.0.0.2", discoveryv1.EndpointConditions{Ready: ptr.To(false), Serving: ptr.To(true), Terminating: ptr.To(true)}))}, "80", []string{"10.0.0.1:8080"}},
		"published and not ready": {service("a/s", named), []*discoveryv1.EndpointSlice{endpoints("a/s-1", "s", httpPort,
			condition("10.0.0.2", discoveryv1.EndpointConditions{Ready: ptr.To(true), Serving: ptr.To(false)}))}, "80", nil},
		"published and ending not beside ready ones": {service("a/s", named), []*discoveryv1.EndpointSlice{endpoints("a/s-1", "s", httpPort, ready("10.0.0.1"),
			condition("10.0.0.2", discoveryv1.EndpointConditions{Ready: ptr.To(true), Serving: ptr.To(true), Terminating: ptr.To(true)}))}, "80", []string{"10.0.0.1:8080"}},
		"unnamed port": {service("a/s", corev1.ServicePort{Port: 80}), []*discoveryv1.EndpointSlice{
			endpoints("a/s-1", "s", []discoveryv1.EndpointPort{{Port: ptr.To[int32](9000)}}, ready("10.0.0.2"))}, "80", []string{"10.0.0.2:9000"}},
		"UDP is no web": {service("a/s", corev1.ServicePort{Port: 80, Protocol: corev1.ProtocolUDP}), []*discoveryv1.EndpointSlice{
			endpoints("a/s-1", "s", []discoveryv1.EndpointPort{{Port: ptr.To[int32](9000), Protocol: ptr.To(corev1.ProtocolUDP)}}, ready("10.0.0.2"))}, "80", nil},
		"IPv6": {service("a/s", named), []*discoveryv1.EndpointSlice{endpoints("a/s-1", "s", httpPort, ready("fd00::1"))}, "80", []string{"[fd00::1]:8080"}},
		"an ExternalName leads nowhere": {func() *corev1.Service {
			s := service("a/s", named)
			s.Spec.Type = corev1.ServiceTypeExternalName
			return s
		}(), []*discoveryv1.EndpointSlice{endpoints("a/s-1", "s", httpPort, ready("10.0.0.2"))}, "80", nil},
	}
	// Facts come in any order: the pods may be known before or after the Ingress.
	for name, tt := range tests {
		for _, ingressFirst := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/ingress first %v", name, ingressFirst), func(t *testing.T) {
				r := NewRegistry("kubepanel")
				ing := ingress("a/site", 0, "x.test / s:"+tt.port)
				if ingressFirst {
					r.PutIngress(ing)
				}
				r.PutService(tt.service)
				for _, es := range tt.slices {
					r.PutSlice(es)
				}
				if !ingressFirst {
					r.PutIngress(ing)
				}
				r.Publish()
				if got := r.Table().Site("x.test").Backend("/").Endpoints().Addresses; !slices.Equal(got, tt.want) {
					t.Errorf("addresses = %q, want %q", got, tt.want)
				}
			})
		}
	}
}

// Which port is taken, and what is spoken there, is what the API server says alone.
func TestPortThatSpeaksTLS(t *testing.T) {
	plain := corev1.ServicePort{Name: "http", Port: 80}
	safe := corev1.ServicePort{Name: "https", Port: 443, AppProtocol: ptr.To("https")}
	unsaid := corev1.ServicePort{Name: "https", Port: 443}
	both := append(slices.Clone(httpPort), discoveryv1.EndpointPort{Name: ptr.To("https"), Port: ptr.To[int32](8443)})
	tests := map[string]struct {
		service    *corev1.Service
		pods       []discoveryv1.EndpointPort
		port, safe string
		want       Endpoints
	}{
		"named in the rule":         {service("a/s", plain, safe), both, "https", "", Endpoints{[]string{"10.0.0.1:8443"}, true}},
		"not said to speak it":      {service("a/s", plain, unsaid), both, "https", "", Endpoints{[]string{"10.0.0.1:8443"}, false}},
		"not asked for":             {service("a/s", plain, safe), both, "http", "", Endpoints{[]string{"10.0.0.1:8080"}, false}},
		"in its place":              {service("a/s", plain, safe), both, "http", "https", Endpoints{[]string{"10.0.0.1:8443"}, true}},
		"before any pod has it":     {service("a/s", plain, safe), httpPort, "http", "https", Endpoints{[]string{"10.0.0.1:8080"}, false}},
		"before the Service has it": {service("a/s", plain), both, "http", "https", Endpoints{[]string{"10.0.0.1:8080"}, false}},
		"one that is plain too":     {service("a/s", plain, unsaid), both, "http", "https", Endpoints{[]string{"10.0.0.1:8080"}, false}},
		"after the plain one went":  {service("a/s", safe), both, "http", "https", Endpoints{[]string{"10.0.0.1:8443"}, true}},
		"an unnamed port is not it": {service("a/s", corev1.ServicePort{Port: 80, AppProtocol: ptr.To("https")}), both, "http", "", Endpoints{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := NewRegistry("kubepanel")
			r.PutService(tt.service)
			r.PutSlice(endpoints("a/s-1", "s", tt.pods, discoveryv1.Endpoint{Addresses: []string{"10.0.0.1"}}))
			r.PutIngress(annotated(ingress("a/site", 0, "x.test / s:"+tt.port), "kubepanel.io/https-port", tt.safe))
			r.Publish()
			got := r.Table().Site("x.test").Backend("/").Endpoints()
			if !slices.Equal(got.Addresses, tt.want.Addresses) || got.TLS != tt.want.TLS {
				t.Errorf("endpoints = %+v, want %+v", got, tt.want)
			}
		})
	}
}
