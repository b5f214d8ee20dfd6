package desired

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Objects returns everything that the site becomes and that holds no secret, in
// the order in which it is made. live is the volume's claim if there is one.
func (s Site) Objects(live *corev1.PersistentVolumeClaim) ([]runtime.Object, error) {
	config, err := s.Config()
	if err != nil {
		return nil, err
	}
	workload, err := s.Workload()
	if err != nil {
		return nil, err
	}
	objects := []runtime.Object{
		s.Namespace(), s.ResourceQuota(), s.LimitRange(), s.DefaultDeny(), s.NetworkPolicy(), s.Volume(live),
	}
	for _, c := range config {
		objects = append(objects, c)
	}
	objects = append(objects, workload, s.Service())
	if s.sftpEnabled() && !s.Platform.SFTP.Gateway() {
		objects = append(objects, s.SFTPService())
	}
	cron, err := s.cronObjects()
	if err != nil {
		return nil, err
	}
	return append(append(objects, s.Ingress()), cron...), nil
}
