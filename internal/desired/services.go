package desired

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// portNameHTTP is the name under which the Ingress finds the Service's port.
const portNameHTTP = "http"

// PortNameSSH is the name under which the gateway finds a site's SSH server in the
// EndpointSlices of its Service.
const PortNameSSH = "ssh"

// Service says where the site is, to the edge and to the gateway. Both ask its pod, so it
// has no address of its own: an API server looks through all addresses that were given to
// give one, and each is a rule on every node.
func (s Site) Service() *corev1.Service {
	ports := []corev1.ServicePort{{Name: portNameHTTP, Port: 80, TargetPort: intstr.FromInt32(portHTTP)}}
	if s.sftpEnabled() && s.Platform.SFTP.Gateway() {
		ports = append(ports, corev1.ServicePort{Name: PortNameSSH, Port: 22, TargetPort: intstr.FromInt32(portSFTP)})
	}
	service := s.service(ServiceName(s.name()), corev1.ServiceTypeClusterIP, ports...)
	service.Spec.ClusterIP = corev1.ClusterIPNone
	return service
}

// SFTPService returns the address that customers reach their files at.
func (s Site) SFTPService() *corev1.Service {
	return s.service(SFTPServiceName(s.name()), corev1.ServiceTypeNodePort, corev1.ServicePort{
		Name: "sftp", Port: 22, TargetPort: intstr.FromInt32(portSFTP),
	})
}

func (s Site) service(name string, kind corev1.ServiceType, ports ...corev1.ServicePort) *corev1.Service {
	for i := range ports {
		ports[i].Protocol = corev1.ProtocolTCP
	}
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: s.meta(name),
		Spec: corev1.ServiceSpec{
			Type:           kind,
			Selector:       s.selector(),
			Ports:          ports,
			IPFamilyPolicy: ptr.To(corev1.IPFamilyPolicyPreferDualStack),
			// SFTP is how a customer mends an application that does not start, so it is
			// reached in a pod that is not ready. The edge looks at what serves.
			PublishNotReadyAddresses: s.sftpEnabled(),
		},
	}
}
