package desired

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// portNameHTTP is the name under which the Ingress finds the Service's port.
const portNameHTTP = "http"

// Service returns the address that the edge sends visitors to.
func (s Site) Service() *corev1.Service {
	return s.service(ServiceName(s.name()), corev1.ServiceTypeClusterIP, corev1.ServicePort{
		Name: portNameHTTP, Port: 80, TargetPort: intstr.FromInt32(portHTTP),
	})
}

// SFTPService returns the address that customers reach their files at.
func (s Site) SFTPService() *corev1.Service {
	return s.service(SFTPServiceName(s.name()), corev1.ServiceTypeNodePort, corev1.ServicePort{
		Name: "sftp", Port: 22, TargetPort: intstr.FromInt32(portSFTP),
	})
}

func (s Site) service(name string, kind corev1.ServiceType, port corev1.ServicePort) *corev1.Service {
	port.Protocol = corev1.ProtocolTCP
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: s.meta(name),
		Spec: corev1.ServiceSpec{
			Type:           kind,
			Selector:       s.selector(),
			Ports:          []corev1.ServicePort{port},
			IPFamilyPolicy: ptr.To(corev1.IPFamilyPolicyPreferDualStack),
		},
	}
}
