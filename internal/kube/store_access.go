package kube

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

var _ hosting.Accesses = Store{}

// accessPoll is how often it is looked whether an account was made, which takes the
// operator some ten milliseconds.
const accessPoll = 50 * time.Millisecond

// OpenAccess implements hosting.Accesses.
func (s Store) OpenAccess(ctx context.Context, a *v1alpha1.DatabaseAccess) error {
	if err := s.Client.Create(ctx, a, fieldOwner); err != nil {
		return s.answer(ctx, "create access "+a.Name, err)
	}
	err := wait.PollUntilContextCancel(ctx, accessPoll, true, func(ctx context.Context) (bool, error) {
		err := s.Client.Get(ctx, client.ObjectKeyFromObject(a), a)
		return a.Status.Phase == v1alpha1.DatabaseAccessOpen || a.Status.Phase == v1alpha1.DatabaseAccessRefused, err
	})
	if wait.Interrupted(err) {
		return &hosting.Error{Code: hosting.Timeout, Message: "The account on the database was not made in time.", Err: err,
			Mend: "Try again in a moment; the provider sees why in: kubectl get databaseaccesses -A"}
	}
	if err != nil {
		return s.answer(ctx, "read access "+a.Name, err)
	}
	return nil
}

// MoveAccess implements hosting.Accesses.
func (s Store) MoveAccess(ctx context.Context, namespace, name string, until time.Time) error {
	a := &v1alpha1.DatabaseAccess{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	patch := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"spec":{"expiresAt":%q}}`, until.UTC().Format(time.RFC3339)))
	if err := s.Client.Patch(ctx, a, patch, fieldOwner); err != nil {
		return s.answer(ctx, "move access "+name, err)
	}
	return nil
}

// CloseAccess implements hosting.Accesses.
func (s Store) CloseAccess(ctx context.Context, namespace, name string) error {
	a := &v1alpha1.DatabaseAccess{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if err := s.Client.Delete(ctx, a); err != nil && !apierrors.IsNotFound(err) {
		return s.answer(ctx, "end access "+name, err)
	}
	return nil
}

// Accesses implements hosting.Accesses.
func (s Store) Accesses(ctx context.Context) ([]v1alpha1.DatabaseAccess, error) {
	list := &v1alpha1.DatabaseAccessList{}
	if err := s.Client.List(ctx, list); err != nil {
		return nil, s.answer(ctx, "list accesses", err)
	}
	return list.Items, nil
}
