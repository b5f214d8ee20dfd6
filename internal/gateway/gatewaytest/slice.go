// Package gatewaytest says where sites are, as Kubernetes would.
package gatewaytest

import (
	"net/netip"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"kubepanel.io/kubepanel/internal/desired"
)

// Slice is the EndpointSlice of a domain's site whose SSH server is at address, IP and port.
func Slice(domain, address string) *discoveryv1.EndpointSlice {
	at := netip.MustParseAddrPort(address)
	service := desired.ServiceName(domain)
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: desired.Namespace(domain), Name: service + "-x7k2p",
			Labels: map[string]string{discoveryv1.LabelServiceName: service},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To(desired.PortNameSSH), Port: ptr.To(int32(at.Port()))}},
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{at.Addr().String()}}},
	}
}
