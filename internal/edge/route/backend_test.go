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
				if got := r.Table().Site("x.test").Backend("/").Addresses(); !slices.Equal(got, tt.want) {
					t.Errorf("addresses = %q, want %q", got, tt.want)
				}
			})
		}
	}
}
