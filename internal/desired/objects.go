package desired

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
		s.Namespace(), s.ResourceQuota(), s.NetworkPolicy(), s.Volume(live),
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

// Former returns what an earlier version made for each site and this one does not: a
// policy that closed the namespace beside the one that opened it, one of cron jobs, and
// bounds of single containers.
func (s Site) Former() []metav1.Object {
	in := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Namespace: Namespace(s.name())}
	}
	return []metav1.Object{
		&corev1.LimitRange{ObjectMeta: in(boundsName)},
		&networkingv1.NetworkPolicy{ObjectMeta: in("default-deny")}, &networkingv1.NetworkPolicy{ObjectMeta: in("cron")},
	}
}

// Names returns everything that each site becomes, secrets too, by kind and name alone:
// what is there for cron jobs is missing.
func (s Site) Names() []metav1.Object {
	in := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Namespace: Namespace(s.name())}
	}
	names := []metav1.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace(s.name())}},
		&corev1.ResourceQuota{ObjectMeta: in(boundsName)}, &networkingv1.NetworkPolicy{ObjectMeta: in(policySite)},
		&corev1.PersistentVolumeClaim{ObjectMeta: in(VolumeName)},
		&corev1.ConfigMap{ObjectMeta: in(configNginx)}, &corev1.ConfigMap{ObjectMeta: in(configApp)}, &corev1.Secret{ObjectMeta: in(SecretSFTP)},
		&appsv1.Deployment{ObjectMeta: in(ObjectName(s.name()))}, &corev1.Service{ObjectMeta: in(ServiceName(s.name()))},
		&networkingv1.Ingress{ObjectMeta: in(ObjectName(s.name()))},
	}
	if s.databaseEnabled() {
		names = append(names, &corev1.Secret{ObjectMeta: in(SecretDatabase)})
	}
	if s.wordPress() {
		names = append(names, &corev1.Secret{ObjectMeta: in(SecretWordPress)})
	}
	if s.sftpEnabled() && !s.Platform.SFTP.Gateway() {
		names = append(names, &corev1.Service{ObjectMeta: in(SFTPServiceName(s.name()))})
	}
	return names
}
