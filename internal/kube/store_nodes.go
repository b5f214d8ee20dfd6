package kube

import (
	"cmp"
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

var _ hosting.NodeKeeper = Store{}

// NodePods implements hosting.NodeKeeper.
func (s Store) NodePods(ctx context.Context, node string) ([]hosting.NodePod, error) {
	list := &corev1.PodList{}
	if err := s.Client.List(ctx, list, client.MatchingFields{"spec.nodeName": node}); err != nil {
		return nil, s.answer(ctx, "list the pods of node "+node, err)
	}
	pods := make([]hosting.NodePod, 0, len(list.Items))
	for i := range list.Items {
		p := &list.Items[i]
		if p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed {
			continue // nothing of it is on the node but its log
		}
		pods = append(pods, hosting.NodePod{
			Namespace: p.Namespace, Name: p.Name, Site: p.Annotations[v1alpha1.AnnotationDomainName],
			Running: p.Status.Phase == corev1.PodRunning, Leaving: p.DeletionTimestamp != nil, Since: p.CreationTimestamp.Time,
		})
	}
	slices.SortFunc(pods, func(a, b hosting.NodePod) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return pods, nil
}

// Maintenances implements hosting.NodeKeeper.
func (s Store) Maintenances(ctx context.Context) ([]v1alpha1.NodeMaintenance, error) {
	list := &v1alpha1.NodeMaintenanceList{}
	if err := s.Client.List(ctx, list); err != nil {
		return nil, s.answer(ctx, "list node maintenances", err)
	}
	return list.Items, nil
}

// PutMaintenance implements hosting.NodeKeeper.
func (s Store) PutMaintenance(ctx context.Context, m *v1alpha1.NodeMaintenance) error {
	err := s.Client.Create(ctx, m)
	if !apierrors.IsAlreadyExists(err) {
		return s.wrote(ctx, "make node maintenance "+m.Name, err)
	}
	have := &v1alpha1.NodeMaintenance{}
	if err := s.Client.Get(ctx, client.ObjectKeyFromObject(m), have); err != nil {
		return s.answer(ctx, "read node maintenance "+m.Name, err)
	}
	have.Spec = m.Spec
	return s.wrote(ctx, "change node maintenance "+m.Name, s.Client.Update(ctx, have))
}

// DeleteMaintenance implements hosting.NodeKeeper.
func (s Store) DeleteMaintenance(ctx context.Context, name string) error {
	return s.wrote(ctx, "delete node maintenance "+name, s.Client.Delete(ctx, &v1alpha1.NodeMaintenance{ObjectMeta: metav1.ObjectMeta{Name: name}}))
}

func (s Store) wrote(ctx context.Context, what string, err error) error {
	if err != nil {
		return s.answer(ctx, what, err)
	}
	return nil
}
