package domain

import (
	"context"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/operator"
)

// ingress keeps the route from the edge to the site.
func (r *Reconciler) ingress(ctx context.Context, d *v1alpha1.Domain) error {
	live := r.site(d).Ingress()
	if err := r.Kube.Apply(ctx, d, live); err != nil {
		return err
	}
	edge := r.Platform.Edge
	d.Status.Endpoints = &v1alpha1.EndpointsStatus{
		HTTP: edge.PlainURL(d.Spec.DomainName), HTTPS: edge.URL(d.Spec.DomainName),
	}
	if len(live.Status.LoadBalancer.Ingress) == 0 {
		return operator.Applied(operator.Wait(recheck, "WaitingForEdge",
			"No edge has taken up the route yet. If that lasts, see whether %s runs in namespace %s.", edge.Service, r.Platform.Namespace))
	}
	return nil
}
