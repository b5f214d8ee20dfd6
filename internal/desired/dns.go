package desired

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// dnsConfig has a name with a dot in it asked for as it is, before the cluster's
// search domains are tried. A site asks for names of the Internet, and for those
// that we give it in full: with Kubernetes' own ndots of 5 each of them would cost
// three rounds of questions that nobody answers.
func dnsConfig() *corev1.PodDNSConfig {
	return &corev1.PodDNSConfig{Options: []corev1.PodDNSConfigOption{{Name: "ndots", Value: ptr.To("1")}}}
}

// FullName completes the name of a Service that ends in .svc with the cluster's
// domain. That is found in resolvConf, the text of a pod's /etc/resolv.conf: among
// its search domains is svc.DOMAIN. Any other name stays as it is, and so does one
// for which there is no such search domain.
func FullName(host, resolvConf string) string {
	if !strings.HasSuffix(host, ".svc") {
		return host
	}
	for line := range strings.Lines(resolvConf) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "search" {
			continue
		}
		for _, word := range words[1:] {
			if domain, found := strings.CutPrefix(strings.TrimSuffix(word, "."), "svc."); found && domain != "" {
				return host + "." + domain
			}
		}
	}
	return host
}
