package kube

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/kube/plan"
)

// Plan implements hosting.Planner. Of the objects it reads no more than that they
// exist; of Secrets too, but for one that an earlier spec left.
func (s Store) Plan(ctx context.Context, was, d *v1alpha1.Domain) (*hosting.Plan, error) {
	settings, err := s.Settings(ctx)
	if err != nil {
		return nil, err
	}
	facts := plan.Facts{
		Settings: settings, Was: was, Wanted: d,
		Exists: map[plan.Name]bool{}, Kept: map[plan.Name]*corev1.Secret{},
	}
	if was == nil {
		return plan.Compute(facts)
	}
	if err := s.volume(ctx, &facts); err != nil {
		return nil, err
	}
	for _, name := range plan.Names(facts) {
		if facts.Exists[name], err = s.exists(ctx, name); err != nil {
			return nil, err
		}
	}
	for _, name := range plan.Forgotten(facts) {
		content, err := s.Secret(ctx, name.Namespace, name.Name)
		if err != nil {
			return nil, err
		}
		facts.Kept[name] = &corev1.Secret{Data: content}
	}
	if facts.LastStart, err = s.lastStart(ctx, desired.Namespace(was.Spec.DomainName)); err != nil {
		return nil, err
	}
	return plan.Compute(facts)
}

// groups of the kinds that a site consists of; all others are of the core group.
var groups = map[string]schema.GroupVersion{
	"CronJob":       {Group: "batch", Version: "v1"},
	"Deployment":    {Group: "apps", Version: "v1"},
	"Ingress":       networkingv1.SchemeGroupVersion,
	"NetworkPolicy": networkingv1.SchemeGroupVersion,
}

func (s Store) exists(ctx context.Context, n plan.Name) (bool, error) {
	gv, ok := groups[n.Kind]
	if !ok {
		gv = corev1.SchemeGroupVersion
	}
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(gv.WithKind(n.Kind))
	switch err := s.Client.Get(ctx, client.ObjectKey{Namespace: n.Namespace, Name: n.Name}, live); {
	case apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, s.answer(ctx, "look for "+n.Kind+" "+n.Namespace+"/"+n.Name, err)
	}
	return true, nil
}

// volume reads the claim of a site's files and whether its class lets it grow.
func (s Store) volume(ctx context.Context, f *plan.Facts) error {
	claim := &corev1.PersistentVolumeClaim{}
	key := client.ObjectKey{Namespace: desired.Namespace(f.Was.Spec.DomainName), Name: desired.VolumeName}
	err := s.Client.Get(ctx, key, claim)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return s.answer(ctx, "read the claim of "+f.Was.Name, err)
	}
	f.Claim = claim
	if claim.Status.Phase != corev1.ClaimBound || claim.Spec.StorageClassName == nil || *claim.Spec.StorageClassName == "" {
		return nil
	}
	class := &storagev1.StorageClass{}
	if err := s.Client.Get(ctx, client.ObjectKey{Name: *claim.Spec.StorageClassName}, class); client.IgnoreNotFound(err) != nil {
		return s.answer(ctx, "read storage class "+*claim.Spec.StorageClassName, err)
	}
	f.Grows = class.AllowVolumeExpansion != nil && *class.AllowVolumeExpansion
	return nil
}

// longestStart is what a start that means anything for the next one takes at most:
// a pod that became ready later than that waited for something else.
const longestStart = 5 * time.Minute

// lastStart is how long the site's pod took to become ready, 0 when it can't be
// told. Kubernetes' times are whole seconds.
func (s Store) lastStart(ctx context.Context, namespace string) (time.Duration, error) {
	pods := &corev1.PodList{}
	err := s.Client.List(ctx, pods, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelComponent: v1alpha1.ComponentSite})
	if err != nil {
		return 0, s.answer(ctx, "list pods in "+namespace, err)
	}
	for i := range pods.Items {
		for _, c := range pods.Items[i].Status.Conditions {
			took := c.LastTransitionTime.Sub(pods.Items[i].CreationTimestamp.Time)
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue && took > 0 && took < longestStart {
				return took, nil
			}
		}
	}
	return 0, nil
}
