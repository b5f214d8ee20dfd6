package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// keepsAddress tells whether err says nothing but that the Service which obj wants to be
// without an address has some: these can't be changed as other fields can.
func keepsAddress(obj client.Object, err error) bool {
	service, ok := obj.(*corev1.Service)
	invalid, is := errors.AsType[*apierrors.StatusError](err)
	if !ok || !is || service.Spec.ClusterIP != corev1.ClusterIPNone || invalid.ErrStatus.Details == nil {
		return false
	}
	causes := invalid.ErrStatus.Details.Causes
	other := func(c metav1.StatusCause) bool {
		// With addresses of two families the policy is said to be wrong.
		return !strings.HasPrefix(c.Field, "spec.clusterIP") && c.Field != "spec.ipFamilyPolicy"
	}
	return len(causes) > 0 && !slices.ContainsFunc(causes, other)
}

// releaseAddress takes a Service's address away: as another name for a host, the only
// kind that has none, it is until it is applied again. It stays the same object, and
// Kubernetes leaves its EndpointSlices as they are.
func (a Applier) releaseAddress(ctx context.Context, obj client.Object) error {
	between, ok := obj.DeepCopyObject().(*corev1.Service)
	if !ok {
		return fmt.Errorf("%s is no Service", describe(obj))
	}
	between.Spec.Type, between.Spec.ExternalName = corev1.ServiceTypeExternalName, "moving.invalid"
	between.Spec.ClusterIP, between.Spec.IPFamilyPolicy = "", nil
	between.Annotations[AnnotationApplied] = "" // whoever finds it like this applies it again
	body, err := applyBody(between)
	if err != nil {
		return err
	}
	return a.Client.Patch(ctx, between, client.RawPatch(types.ApplyPatchType, body), a.Owner, client.ForceOwnership)
}
