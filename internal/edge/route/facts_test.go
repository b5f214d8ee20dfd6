package route

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// ingress makes an Ingress of our class for namespace/name; each rule is
// "host path backend:port", a path with a leading = is exact.
func ingress(name string, age time.Duration, rules ...string) *networkingv1.Ingress {
	namespace, name, _ := strings.Cut(name, "/")
	ing := &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name, UID: types.UID(namespace + name),
			CreationTimestamp: metav1.NewTime(time.Unix(1_000_000, 0).Add(-age)),
		},
		Spec: networkingv1.IngressSpec{IngressClassName: ptr.To("kubepanel")},
	}
	for _, rule := range rules {
		fields := strings.Fields(rule)
		path, exact := strings.CutPrefix(fields[1], "=")
		kind := networkingv1.PathTypePrefix
		if exact {
			kind = networkingv1.PathTypeExact
		}
		ing.Spec.Rules = append(ing.Spec.Rules, networkingv1.IngressRule{
			Host: fields[0],
			IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{Path: path, PathType: &kind, Backend: *backendOf(fields[2])}},
			}},
		})
	}
	return ing
}

func backendOf(s string) *networkingv1.IngressBackend {
	name, port, _ := strings.Cut(s, ":")
	b := &networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: name}}
	if _, err := fmt.Sscanf(port, "%d", &b.Service.Port.Number); err != nil {
		b.Service.Port.Name = port
	}
	return b
}

func annotated(ing *networkingv1.Ingress, annotations ...string) *networkingv1.Ingress {
	ing.Annotations = map[string]string{}
	for i := 0; i < len(annotations); i += 2 {
		ing.Annotations[annotations[i]] = annotations[i+1]
	}
	return ing
}

func service(name string, ports ...corev1.ServicePort) *corev1.Service {
	namespace, name, _ := strings.Cut(name, "/")
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: corev1.ServiceSpec{Ports: ports}}
}

func endpoints(name, service string, ports []discoveryv1.EndpointPort, list ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
	namespace, name, _ := strings.Cut(name, "/")
	return &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: service}},
		AddressType: discoveryv1.AddressTypeIPv4, Ports: ports, Endpoints: list,
	}
}

var httpPort = []discoveryv1.EndpointPort{{Name: ptr.To("http"), Port: ptr.To[int32](8080)}}
