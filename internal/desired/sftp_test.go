package desired_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
)

// The port that leads in from a node, the one that the server listens at and the
// one that the network policy opens are one and the same.
func TestTheWayToSFTPIsOneFromEndToEnd(t *testing.T) {
	for exposure, peers := range map[string]int{platform.ExposureNodePort: 0, platform.ExposureGateway: 1} {
		t.Run(exposure, func(t *testing.T) {
			site := desired.Site{Domain: &v1alpha1.Domain{Spec: v1alpha1.DomainSpec{DomainName: "a.example"}}, Platform: settings(t)}
			site.Platform.SFTP.Exposure = exposure
			target := intstr.FromInt32(2222)
			service := site.SFTPService().Spec.Ports[0]
			if exposure == platform.ExposureGateway {
				service = site.Service().Spec.Ports[1]
			}
			if service.Port != 22 || service.TargetPort != target {
				t.Errorf("the Service leads from %d to %v, want 22 to %v", service.Port, service.TargetPort.String(), target.String())
			}
			opened := false
			for _, rule := range site.NetworkPolicy().Spec.Ingress {
				if *rule.Ports[0].Port == target {
					opened = true
					if len(rule.From) != peers {
						t.Errorf("the network policy lets %d kinds of peers in, want %d (0: everybody)", len(rule.From), peers)
					}
				}
			}
			if !opened {
				t.Error("the network policy opens no way to SFTP")
			}
		})
	}
}
