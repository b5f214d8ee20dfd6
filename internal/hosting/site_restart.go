package hosting

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// RestartSite asks for a new pod of a site that runs, at the time now. It returns
// Conflict when the site is suspended or being deleted.
func (p *Panel) RestartSite(ctx context.Context, name string, now time.Time) (*v1alpha1.Domain, error) {
	var err error
	for range conflictTries {
		var was *v1alpha1.Domain
		if was, err = p.Site(ctx, name); err != nil {
			return nil, err
		}
		if err = changeable(was); err != nil {
			return nil, err
		}
		if was.Spec.Suspended {
			return nil, &Error{Code: Conflict, Message: fmt.Sprintf("The site %s is suspended, so nothing runs that could restart.", ShowBoth(was.Spec.DomainName)),
				Mend: "Start it with: kubepanel site set " + was.Spec.DomainName + " --resume"}
		}
		d := was.DeepCopy()
		metav1.SetMetaDataAnnotation(&d.ObjectMeta, v1alpha1.AnnotationRestartedAt, now.UTC().Format(time.RFC3339Nano))
		if err = p.Writer.ChangeDomain(ctx, was, d, false); err == nil || CodeOf(err) != Conflict {
			return d, err
		}
	}
	return nil, err
}
