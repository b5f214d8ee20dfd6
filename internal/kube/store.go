package kube

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// fieldOwner stands in managedFields for what people asked for.
const fieldOwner = client.FieldOwner("kubepanel-cli")

// Store gives hosting the cluster, with the rights of whoever the kubeconfig
// names. Its errors are hosting's wherever a person can do something about them.
type Store struct {
	Client client.WithWatch
	// Namespace is the platform's.
	Namespace string
	// Server is the address of the API server, for messages.
	Server string

	raw    rest.Interface
	params runtime.ParameterCodec
}

var (
	_ hosting.DomainReader  = Store{}
	_ hosting.DomainWriter  = Store{}
	_ hosting.DomainWatcher = Store{}
	_ hosting.Platform      = Store{}
	_ hosting.Machinery     = Store{}
	_ hosting.Planner       = Store{}
)

// Domain implements hosting.DomainReader.
func (s Store) Domain(ctx context.Context, object string) (*v1alpha1.Domain, error) {
	d := &v1alpha1.Domain{}
	if err := s.Client.Get(ctx, client.ObjectKey{Name: object}, d); err != nil {
		return nil, s.answer(ctx, "read domain "+object, err)
	}
	return named(d), nil
}

// Domains implements hosting.DomainReader.
func (s Store) Domains(ctx context.Context) ([]v1alpha1.Domain, error) {
	list := &v1alpha1.DomainList{}
	if err := s.Client.List(ctx, list); err != nil {
		return nil, s.answer(ctx, "list domains", err)
	}
	for i := range list.Items {
		named(&list.Items[i])
	}
	return list.Items, nil
}

// CreateDomain implements hosting.DomainWriter. The operator's finalizer is there from
// the beginning, which spares the operator a write of its own.
func (s Store) CreateDomain(ctx context.Context, d *v1alpha1.Domain, dryRun bool) error {
	options := []client.CreateOption{fieldOwner}
	if dryRun {
		options = append(options, client.DryRunAll)
	}
	controllerutil.AddFinalizer(d, v1alpha1.FinalizerDomain)
	if err := s.Client.Create(ctx, d, options...); err != nil {
		return s.answer(ctx, "create domain "+d.Name, err)
	}
	named(d)
	return nil
}

// ChangeDomain implements hosting.DomainWriter. Only the difference is sent, so
// fields that a newer API has and this program does not know stay as they are.
func (s Store) ChangeDomain(ctx context.Context, was, d *v1alpha1.Domain, dryRun bool) error {
	options := []client.PatchOption{fieldOwner}
	if dryRun {
		options = append(options, client.DryRunAll)
	}
	patch := client.MergeFromWithOptions(was, client.MergeFromWithOptimisticLock{})
	if err := s.Client.Patch(ctx, d, patch, options...); err != nil {
		return s.answer(ctx, "change domain "+d.Name, err)
	}
	named(d)
	return nil
}

// DeleteDomain implements hosting.DomainWriter.
func (s Store) DeleteDomain(ctx context.Context, d *v1alpha1.Domain, dryRun bool) error {
	options := []client.DeleteOption{client.Preconditions{UID: &d.UID}}
	if dryRun {
		options = append(options, client.DryRunAll)
	}
	if err := s.Client.Delete(ctx, d, options...); err != nil {
		return s.answer(ctx, "delete domain "+d.Name, err)
	}
	return nil
}

// named fills in kind and version, which typed answers leave out, so that d can
// be shown as kubectl shows it; who set which field is noise there.
func named(d *v1alpha1.Domain) *v1alpha1.Domain {
	d.APIVersion, d.Kind = v1alpha1.GroupVersion.String(), "Domain"
	d.ManagedFields = nil
	return d
}
