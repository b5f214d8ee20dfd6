// Package domain makes Domains real: a namespace with everything that a site
// needs, its database, its route, and a status that tells the truth about them.
//
// It must never build an object by hand, which is the work of desired, nor know
// who pays.
package domain

import (
	"context"
	"errors"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/platform"
	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/kube"
	"kubepanel.io/kubepanel/internal/operator"
)

// recheck is how long something that a watch reports may go without news before
// the loop looks again: it only covers a lost event.
const recheck = 30 * time.Second

// Reconciler holds what the steps need.
type Reconciler struct {
	Kube kube.Applier
	// Direct reads past the cache. Only for what is rare: it costs a request.
	Direct client.Reader
	// Runs makes what the cache does not hold, and so could not wait for.
	Runs      client.Writer
	Platform  *platform.Settings
	Databases *Databases
	Edge      *Edge
	// Gateway is nil when each site has a port of its own.
	Gateway *Gateway
	// Pods are asked what became of their configuration.
	Pods *Pods
	// Program names this very version of the operator, with its settings.
	Program string
	// Admit says why no new site may be made now; nil admits all.
	Admit func() error

	queue operator.Depth
	// hosts finds Domains by any name that leads to them, sitePods the pods of a namespace.
	hosts    *kube.Index[*v1alpha1.Domain]
	sitePods *kube.Index[*corev1.Pod]
}

// Steps is the table of contents of this package: read it first. Whatever has
// nothing in After runs at once.
func (r *Reconciler) Steps() []operator.Step[*v1alpha1.Domain] {
	namespace := []string{v1alpha1.ConditionNamespaceReady}
	return []operator.Step[*v1alpha1.Domain]{
		{Condition: v1alpha1.ConditionNamespaceReady, Do: r.namespace},
		{Condition: v1alpha1.ConditionPVCReady, After: namespace, Do: r.storage},
		{Condition: v1alpha1.ConditionConfigMapReady, After: namespace, Do: r.config},
		{Condition: v1alpha1.ConditionDatabaseReady, Do: r.databaseServer},
		{Condition: v1alpha1.ConditionDatabaseProvisioned, Do: r.database, After: []string{
			v1alpha1.ConditionConfigMapReady, v1alpha1.ConditionDatabaseReady,
		}},
		{Condition: v1alpha1.ConditionDeploymentReady, Do: r.workload, After: []string{
			v1alpha1.ConditionNamespaceReady, v1alpha1.ConditionConfigMapReady,
		}},
		{Condition: v1alpha1.ConditionServiceReady, After: namespace, Do: r.service},
		{Condition: v1alpha1.ConditionSFTPServiceReady, After: namespace, Do: r.sftpService},
		{Condition: v1alpha1.ConditionSFTPReady, After: namespace, Do: r.sftp},
		{Condition: v1alpha1.ConditionIngressReady, After: namespace, Do: r.ingress},
		{Condition: v1alpha1.ConditionCronJobsReady, If: r.hasCron, Do: r.cron, After: []string{
			v1alpha1.ConditionNamespaceReady, v1alpha1.ConditionConfigMapReady,
		}},
		{Condition: v1alpha1.ConditionCertificateReady, Do: r.certificate, After: []string{v1alpha1.ConditionIngressReady}},
	}
}

// Cleanup is what has to be gone before a Domain may go.
func (r *Reconciler) Cleanup() []operator.Step[*v1alpha1.Domain] {
	return []operator.Step[*v1alpha1.Domain]{
		{Condition: v1alpha1.ConditionNamespaceReady, Do: r.deleteNamespace},
		{Condition: v1alpha1.ConditionDatabaseProvisioned, Do: r.deleteDatabase},
	}
}

// Summarize puts the conditions into one word and one sentence.
func Summarize(d, before *v1alpha1.Domain, s operator.Summary) {
	d.Status.Message = s.Message
	switch {
	case s.Deleting:
		d.Status.Phase = v1alpha1.DomainTerminating
	case s.Ready:
		d.Status.Phase = v1alpha1.DomainReady
	case s.Paused:
		d.Status.Phase = v1alpha1.DomainSuspended
	case s.Stalled && d.Status.Namespace == "":
		// Nothing was made for it: there is nothing that could have failed.
		d.Status.Phase = v1alpha1.DomainPending
	case s.Stalled && meta.IsStatusConditionTrue(d.Status.Conditions, v1alpha1.ConditionDeploymentReady):
		// It serves, though not as the spec says.
		d.Status.Phase = v1alpha1.DomainDegraded
	case s.Stalled:
		d.Status.Phase = v1alpha1.DomainFailed
	case s.Troubled || served(before) && before.Status.ObservedGeneration == d.Generation:
		d.Status.Phase = v1alpha1.DomainDegraded
		if !served(before) {
			d.Status.Phase = v1alpha1.DomainProvisioning
		}
	default:
		d.Status.Phase = v1alpha1.DomainProvisioning
	}
}

// summarize besides notes what a look that ended well has found.
func (r *Reconciler) summarize(ctx context.Context, d, before *v1alpha1.Domain, s operator.Summary) {
	Summarize(d, before, s)
	if (s.Ready || s.Paused) && !asFound(d) {
		r.digest(ctx, d, before)
	}
}

// served tells whether the site has answered before, so that not answering now is
// a loss and not a beginning.
func served(d *v1alpha1.Domain) bool {
	return d.Status.Phase == v1alpha1.DomainReady || d.Status.Phase == v1alpha1.DomainDegraded ||
		d.Status.Phase == v1alpha1.DomainSuspended
}

func (r *Reconciler) site(d *v1alpha1.Domain) desired.Site {
	return desired.Site{Domain: d, Platform: r.Platform}
}

// apply applies objects that nothing orders, all at once.
func (r *Reconciler) apply(ctx context.Context, d *v1alpha1.Domain, objects ...client.Object) error {
	errs := make([]error, len(objects))
	var all sync.WaitGroup
	for i, o := range objects {
		all.Go(func() { errs[i] = r.Kube.Apply(ctx, d, o) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// pods returns the site's pods from the cache. They are not to be changed.
func (r *Reconciler) pods(ctx context.Context, d *v1alpha1.Domain) ([]*corev1.Pod, error) {
	return r.sitePods.Find(ctx, desired.Namespace(d.Spec.DomainName))
}

func namespaceOf(pod *corev1.Pod) []string { return []string{pod.Namespace} }

// since tells whether a condition has been as it is for at least that long.
func since(d *v1alpha1.Domain, condition string, long time.Duration) bool {
	c := meta.FindStatusCondition(d.Status.Conditions, condition)
	return c != nil && time.Since(c.LastTransitionTime.Time) >= long
}
