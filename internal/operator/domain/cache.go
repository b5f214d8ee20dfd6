package domain

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/kube"
)

// CacheOptions keeps in memory only what the platform made: of what nobody reads but
// to compare it a sum, of pods only what tells how they are, and of nothing who wrote
// which field.
func CacheOptions() cache.Options {
	ours := labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy})
	sites := labels.SelectorFromSet(labels.Set{
		v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelComponent: v1alpha1.ComponentSite,
	})
	return cache.Options{
		DefaultLabelSelector: ours,
		DefaultTransform:     kube.Slim,
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.Domain{}:          {Label: labels.Everything(), Transform: slimDomain},
			&v1alpha1.DatabaseAccess{}:  {Label: labels.Everything()},
			&v1alpha1.NodeMaintenance{}: {Label: labels.Everything()},
			&corev1.Pod{}:               {Label: sites, Transform: slimPod},
			&corev1.ResourceQuota{}:     {Label: ours, Transform: slimQuota},

			&corev1.ConfigMap{}:           {Label: ours, Transform: kube.Sum},
			&networkingv1.NetworkPolicy{}: {Label: ours, Transform: kube.Sum},
			&networkingv1.Ingress{}:       {Label: ours, Transform: kube.Sum},
			&appsv1.Deployment{}:          {Label: ours, Transform: kube.Sum},
		},
		NewInformer: newInformer,
	}
}

// fieldNodeName is the number that a pod's node has in the encoding of its spec.
const fieldNodeName = 10

// newInformer leaves out the index by namespace where nobody lists a namespace: an
// entry of it is larger than many an object. All begin with pages of a list.
func newInformer(lw toolscache.ListerWatcher, kind runtime.Object, resync time.Duration, indexers toolscache.Indexers) toolscache.SharedIndexInformer {
	switch kind.(type) {
	case *batchv1.CronJob:
	default:
		delete(indexers, toolscache.NamespaceIndex)
	}
	return kube.InformInPages(lw, kind, reader(kind), func(lw toolscache.ListerWatcher) toolscache.SharedIndexInformer {
		return toolscache.NewSharedIndexInformer(lw, kind, resync, indexers)
	})
}

// reader reads of a list what the transforms keep. Of pods' specs that is the node's name
// (PodSpec.NodeName); our own kinds come as JSON.
func reader(kind runtime.Object) kube.Reader {
	encoded, ok := kind.(kube.Encoded)
	if !ok {
		return nil
	}
	switch kind.(type) {
	case *corev1.ConfigMap, *corev1.ResourceQuota, *networkingv1.NetworkPolicy, *networkingv1.Ingress, *appsv1.Deployment:
		return kube.ReadSums(encoded)
	case *corev1.Pod:
		return kube.ReadParts(encoded, fieldNodeName)
	}
	return kube.ReadParts(encoded)
}

// slimDomain leaves out who wrote which field. The texts of its conditions are the same
// few in all Domains.
func slimDomain(in any) (any, error) {
	if d, ok := in.(*v1alpha1.Domain); ok {
		d.ManagedFields = nil
		for i := range d.Status.Conditions {
			c := &d.Status.Conditions[i]
			c.Type, c.Status, c.Reason, c.Message = kube.Shared(c.Type), kube.Shared(c.Status), kube.Shared(c.Reason), kube.Shared(c.Message)
		}
	}
	return in, nil
}

// slimQuota leaves out what is used, which changes with every pod.
func slimQuota(in any) (any, error) {
	if quota, ok := in.(*corev1.ResourceQuota); ok {
		quota.Status = corev1.ResourceQuotaStatus{}
	}
	return kube.Sum(in)
}

// ClientOptions lets a reconciler read what it wrote itself a moment ago. What it
// writes comes from Go types, so the API server need not parse it once more to look
// for fields that don't exist.
func ClientOptions() client.Options {
	return client.Options{
		Cache:           &client.CacheOptions{EnableReadYourWritesConsistency: ptr.To(true)},
		FieldValidation: metav1.FieldValidationIgnore,
	}
}

// slimPod keeps of a pod what its diagnosis looks at, and what it was told last.
func slimPod(in any) (any, error) {
	pod, ok := in.(*corev1.Pod)
	if !ok {
		return in, nil
	}
	return &corev1.Pod{
		TypeMeta: pod.TypeMeta,
		ObjectMeta: metav1.ObjectMeta{
			Name: pod.Name, Namespace: pod.Namespace, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
			Labels: pod.Labels, Annotations: map[string]string{
				v1alpha1.AnnotationDomainName:   pod.Annotations[v1alpha1.AnnotationDomainName],
				v1alpha1.AnnotationConfigWanted: pod.Annotations[v1alpha1.AnnotationConfigWanted],
			},
			CreationTimestamp: pod.CreationTimestamp, DeletionTimestamp: pod.DeletionTimestamp,
		},
		Spec: corev1.PodSpec{NodeName: pod.Spec.NodeName},
		Status: corev1.PodStatus{
			Phase: pod.Status.Phase, Reason: pod.Status.Reason, Message: pod.Status.Message, HostIP: pod.Status.HostIP, PodIP: pod.Status.PodIP,
			Conditions:            pod.Status.Conditions,
			InitContainerStatuses: slimContainers(pod.Status.InitContainerStatuses), ContainerStatuses: slimContainers(pod.Status.ContainerStatuses),
		},
	}, nil
}

// slimContainers leaves out what kubelet tells of a container's volumes, resources and
// image beside how it is.
func slimContainers(all []corev1.ContainerStatus) []corev1.ContainerStatus {
	for i, s := range all {
		all[i] = corev1.ContainerStatus{
			Name: s.Name, Image: s.Image, Ready: s.Ready, RestartCount: s.RestartCount,
			State: s.State, LastTerminationState: s.LastTerminationState,
		}
	}
	return all
}
