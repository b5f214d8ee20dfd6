package domain

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// CacheOptions keeps in memory only what the platform made, of pods only what
// tells how they are, and of nothing who wrote which field.
func CacheOptions() cache.Options {
	ours := labels.SelectorFromSet(labels.Set{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy})
	sites := labels.SelectorFromSet(labels.Set{
		v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelComponent: v1alpha1.ComponentSite,
	})
	return cache.Options{
		DefaultLabelSelector: ours,
		DefaultTransform:     cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.Domain{}: {Label: labels.Everything(), Transform: cache.TransformStripManagedFields()},
			&corev1.Pod{}:      {Label: sites, Transform: slimPod},
		},
	}
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

// slimPod keeps of a pod what its diagnosis looks at.
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
				v1alpha1.AnnotationDomainName: pod.Annotations[v1alpha1.AnnotationDomainName],
			},
			CreationTimestamp: pod.CreationTimestamp, DeletionTimestamp: pod.DeletionTimestamp,
		},
		Spec: corev1.PodSpec{NodeName: pod.Spec.NodeName},
		Status: corev1.PodStatus{
			Phase: pod.Status.Phase, Reason: pod.Status.Reason, Message: pod.Status.Message, HostIP: pod.Status.HostIP, PodIP: pod.Status.PodIP,
			Conditions:            pod.Status.Conditions,
			InitContainerStatuses: pod.Status.InitContainerStatuses, ContainerStatuses: pod.Status.ContainerStatuses,
		},
	}, nil
}
