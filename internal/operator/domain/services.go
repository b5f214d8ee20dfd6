package domain

import (
	"context"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// service keeps the address that the edge sends visitors to.
func (r *Reconciler) service(ctx context.Context, d *v1alpha1.Domain) error {
	if asFound(d) {
		return nil
	}
	return r.apply(ctx, d, r.site(d).Service())
}
