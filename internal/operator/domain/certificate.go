package domain

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/operator"
)

// firstChecks is how often we look for a certificate that is about to be made: no
// watch tells of it.
const firstChecks = time.Second

// certificate looks whether a visitor of the site is shown a good certificate.
func (r *Reconciler) certificate(ctx context.Context, d *v1alpha1.Domain) error {
	if meta.IsStatusConditionTrue(d.Status.Conditions, v1alpha1.ConditionCertificateReady) {
		r.Edge.Believe(d.Spec.DomainName)
	}
	shown, err := r.Edge.Check(ctx, d.Spec.DomainName)
	switch {
	case err == nil:
		if shown != nil {
			d.Status.Certificate = certificateStatus(shown)
		}
		return nil
	case !since(d, v1alpha1.ConditionCertificateReady, slow):
		return operator.Wait(firstChecks, "WaitingForEdge", "The edge does not show a certificate for %s yet.", d.Spec.DomainName)
	case errors.Is(err, ErrCertificate):
		d.Status.Certificate = nil
		return operator.Trouble(recheck, "BadCertificate", "Visitors of %s are not shown a good certificate: %s", d.Spec.DomainName, sentence(err.Error()))
	default:
		return operator.Trouble(recheck, "EdgeUnreachable", "The edge does not answer at %s. See whether %s runs in namespace %s.", r.Edge.Address, r.Platform.Edge.Service, r.Platform.Namespace)
	}
}

// certificateStatus is what a certificate says of itself.
func certificateStatus(c *x509.Certificate) *v1alpha1.CertificateStatus {
	s := &v1alpha1.CertificateStatus{NotAfter: metav1.NewTime(c.NotAfter), Issuer: c.Issuer.CommonName}
	if s.Issuer == "" && len(c.Issuer.Organization) > 0 {
		s.Issuer = c.Issuer.Organization[0]
	}
	return s
}
