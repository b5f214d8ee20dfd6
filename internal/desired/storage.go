package desired

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// VolumeName is the claim that holds a site's files.
const VolumeName = "data"

// Volume returns the claim of the site's files. live is the one that exists, or
// nil: its storage class can't be changed any more, whatever the settings say now.
func (s Site) Volume(live *corev1.PersistentVolumeClaim) *corev1.PersistentVolumeClaim {
	var class *string
	switch {
	case live != nil:
		class = live.Spec.StorageClassName
	case s.Platform.StorageClass != "":
		class = ptr.To(s.Platform.StorageClass)
	}
	return &corev1.PersistentVolumeClaim{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
		ObjectMeta: s.meta(VolumeName),
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			StorageClassName: class,
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceStorage: resource.MustParse(fmt.Sprintf("%dGi", amount(s.Domain.Spec.Resources.Storage, "Gi"))),
			}},
		},
	}
}
