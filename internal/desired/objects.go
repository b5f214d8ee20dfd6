package desired

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
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

// Name is what an object is called, and an object of its kind, which is not looked at.
type Name struct {
	Kind runtime.Object
	types.NamespacedName
}

// What the objects of a site are like.
var (
	aNamespace     = &corev1.Namespace{}
	aResourceQuota = &corev1.ResourceQuota{}
	aNetworkPolicy = &networkingv1.NetworkPolicy{}
	aVolume        = &corev1.PersistentVolumeClaim{}
	aConfigMap     = &corev1.ConfigMap{}
	aSecret        = &corev1.Secret{}
	aDeployment    = &appsv1.Deployment{}
	aService       = &corev1.Service{}
	anIngress      = &networkingv1.Ingress{}
)

// Names returns everything that each site becomes, secrets too, by kind and name alone:
// what is there for cron jobs is missing.
func (s Site) Names() []Name {
	namespace, object := Namespace(s.name()), ObjectName(s.name())
	names := append(make([]Name, 0, 13), Name{aNamespace, types.NamespacedName{Name: namespace}}) // one piece of memory
	add := func(kind runtime.Object, name string) {
		names = append(names, Name{kind, types.NamespacedName{Namespace: namespace, Name: name}})
	}
	add(aResourceQuota, boundsName)
	add(aNetworkPolicy, policySite)
	add(aVolume, VolumeName)
	add(aConfigMap, configNginx)
	add(aConfigMap, configApp)
	add(aSecret, SecretSFTP)
	add(aDeployment, object)
	add(aService, ServiceName(s.name()))
	add(anIngress, object)
	if s.databaseEnabled() {
		add(aSecret, SecretDatabase)
	}
	if s.wordPress() {
		add(aSecret, SecretWordPress)
	}
	if s.sftpEnabled() && !s.Platform.SFTP.Gateway() {
		add(aService, SFTPServiceName(s.name()))
	}
	return names
}
