package desired

import (
	"slices"
	"strconv"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// Hosts returns every name that leads to a Domain's site: its own, the www form
// of that, and the aliases.
func Hosts(d *v1alpha1.Domain) []string {
	hosts := []string{d.Spec.DomainName}
	if !strings.HasPrefix(d.Spec.DomainName, "www.") && len("www.")+len(d.Spec.DomainName) <= maxDomainName {
		hosts = append(hosts, "www."+d.Spec.DomainName)
	}
	for _, a := range d.Spec.Aliases {
		if !slices.Contains(hosts, a.Name) {
			hosts = append(hosts, a.Name)
		}
	}
	return hosts
}

// maxDomainName is the longest name in DNS (RFC 1035 section 2.3.4) as text.
const maxDomainName = 253

// Ingress tells the edge which names lead here and how to answer for them.
func (s Site) Ingress() *networkingv1.Ingress {
	meta, w := s.meta(ObjectName(s.name())), s.Domain.Spec.Webserver
	meta.Annotations[v1alpha1.AnnotationSSLRedirect] = strconv.FormatBool(enabled(w.SSLRedirect))
	meta.Annotations[v1alpha1.AnnotationWWWRedirect] = orDefault(string(w.WWWRedirect), string(v1alpha1.WWWRedirectNone))
	if s.Domain.Spec.Suspended {
		meta.Annotations[v1alpha1.AnnotationSuspended] = "true"
	}
	hosts := Hosts(s.Domain)
	rules := make([]networkingv1.IngressRule, 0, len(hosts))
	for _, host := range hosts {
		rules = append(rules, networkingv1.IngressRule{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{
			HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{
				Path: "/", PathType: ptr.To(networkingv1.PathTypePrefix),
				Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
					Name: ServiceName(s.name()), Port: networkingv1.ServiceBackendPort{Name: portNameHTTP},
				}},
			}}},
		}})
	}
	return &networkingv1.Ingress{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "Ingress"},
		ObjectMeta: meta,
		Spec: networkingv1.IngressSpec{
			IngressClassName: ptr.To(s.Platform.IngressClass),
			// The edge has the certificates itself, so no Secret is named.
			TLS:   []networkingv1.IngressTLS{{Hosts: hosts}},
			Rules: rules,
		},
	}
}
