package hosting

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// RenewDatabasePassword asks for another password of a site's database, at the time now.
// It returns Conflict when there is no database or the site is being deleted.
func (p *Panel) RenewDatabasePassword(ctx context.Context, name string, now time.Time) (*v1alpha1.Domain, error) {
	var err error
	for range conflictTries {
		var was *v1alpha1.Domain
		if was, err = p.Site(ctx, name); err != nil {
			return nil, err
		}
		if err = changeable(was); err != nil {
			return nil, err
		}
		if on := was.Spec.Database.Enabled; on != nil && !*on || was.Status.Database == nil {
			return nil, noDatabase(was.Spec.DomainName)
		}
		d := was.DeepCopy()
		metav1.SetMetaDataAnnotation(&d.ObjectMeta, v1alpha1.AnnotationPasswordAskedAt, now.UTC().Format(time.RFC3339Nano))
		if err = p.Writer.ChangeDomain(ctx, was, d, false); err == nil || CodeOf(err) != Conflict {
			return d, err
		}
	}
	return nil, err
}

func noDatabase(site string) error {
	return &Error{Code: Conflict, Message: fmt.Sprintf("The site %s has no database.", ShowBoth(site)), Mend: "When it is still being made, try again in a moment."}
}

// RenewDatabasePassword asks for another password of a site's database. It is shown to
// nobody by that.
func (p *Provider) RenewDatabasePassword(ctx context.Context, a Actor, name string, now time.Time) error {
	s, err := p.site(ctx, a, RightSiteChange, name)
	if err != nil {
		return err
	}
	if _, err := p.Panel.RenewDatabasePassword(ctx, s.Name, now); err != nil {
		return err
	}
	return p.recordSite(ctx, a, RightSiteChange, s, map[string]string{"databasePassword": "renewed"})
}
