package domain

import (
	"context"

	networkingv1 "k8s.io/api/networking/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/desired"
	"kubepanel.io/kubepanel/internal/operator"
)

// ingress keeps the route from the edge to the site.
func (r *Reconciler) ingress(ctx context.Context, d *v1alpha1.Domain) error {
	live := &networkingv1.Ingress{ObjectMeta: inSite(d, desired.ObjectName(d.Spec.DomainName))}
	err := ensure(ctx, r, d, &live, func() (*networkingv1.Ingress, error) { return r.site(d).Ingress(), nil })
	if err != nil {
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
