package desired

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

const (
	// boundsName is that of what bounds the namespace.
	boundsName = "site"
	// maxVolumes leaves room in the quota for a volume that a backup needs for a
	// while; more volumes than that are a mistake.
	maxVolumes = 2
	// maxPods leaves room for a pod that is ending and for jobs of the platform.
	maxPods = 5
)

// Namespace returns the namespace of the site. Pod Security's strictest level is
// enforced in it, by the API server and for everybody.
func (s Site) Namespace() *corev1.Namespace {
	labels := s.labels()
	delete(labels, v1alpha1.LabelComponent)
	for _, mode := range []string{"enforce", "warn", "audit"} {
		labels["pod-security.kubernetes.io/"+mode] = "restricted"
	}
	labels["pod-security.kubernetes.io/enforce-version"] = "latest"
	if owner := s.Domain.Labels[v1alpha1.LabelOwner]; owner != "" {
		labels[v1alpha1.LabelOwner] = owner
	}
	return &corev1.Namespace{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: metav1.ObjectMeta{Name: Namespace(s.name()), Labels: labels, Annotations: s.annotations()},
	}
}

// ResourceQuota bounds the namespace as a whole by what the spec says.
func (s Site) ResourceQuota() *corev1.ResourceQuota {
	r := s.Domain.Spec.Resources
	requestCPU, requestMemory := s.requests()
	return &corev1.ResourceQuota{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ResourceQuota"},
		ObjectMeta: s.meta(boundsName),
		Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{
			corev1.ResourceLimitsCPU:              resource.MustParse(fmt.Sprintf("%dm", amount(r.Limits.CPU, "m"))),
			corev1.ResourceLimitsMemory:           resource.MustParse(fmt.Sprintf("%dMi", amount(r.Limits.Memory, "Mi"))),
			corev1.ResourceRequestsCPU:            resource.MustParse(fmt.Sprintf("%dm", requestCPU)),
			corev1.ResourceRequestsMemory:         resource.MustParse(fmt.Sprintf("%dMi", requestMemory)),
			corev1.ResourceLimitsEphemeralStorage: *s.scratch(),
			corev1.ResourceRequestsStorage:        resource.MustParse(fmt.Sprintf("%dGi", maxVolumes*amount(r.Storage, "Gi"))),
			corev1.ResourcePersistentVolumeClaims: *resource.NewQuantity(maxVolumes, resource.DecimalSI),
			corev1.ResourcePods:                   *resource.NewQuantity(maxPods, resource.DecimalSI),
			corev1.ResourceServicesLoadBalancers:  *resource.NewQuantity(0, resource.DecimalSI),
		}},
	}
}

// requests returns millicores and MiB that the site asks for; what the spec leaves
// out is a tenth of the limit, so that a node can hold many quiet sites.
func (s Site) requests() (cpu, memory int64) {
	r := s.Domain.Spec.Resources
	limitCPU, limitMemory := amount(r.Limits.CPU, "m"), amount(r.Limits.Memory, "Mi")
	cpu, memory = max(limitCPU/10, 1), max(limitMemory/10, 1)
	if r.Requests.CPU != "" {
		cpu = amount(r.Requests.CPU, "m")
	}
	if r.Requests.Memory != "" {
		memory = amount(r.Requests.Memory, "Mi")
	}
	return min(cpu, limitCPU), min(memory, limitMemory)
}
