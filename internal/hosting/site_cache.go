package hosting

import (
	"context"
	"fmt"
	"time"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// PurgeCache empties the page cache of a site, for whoever may restart it.
func (p *Provider) PurgeCache(ctx context.Context, a Actor, name string) error {
	s, err := p.site(ctx, a, RightSiteRestart, name)
	if err != nil {
		return err
	}
	if err := changing(s, SiteChange{}); err != nil {
		return err
	}
	if err := p.recordSite(ctx, a, RightSiteRestart, s, map[string]string{"cache": "emptied"}); err != nil {
		return err
	}
	_, err = p.Panel.PurgeCache(ctx, s.Name, p.Now())
	return err
}

// PurgeCache empties the page cache of a site. It returns Invalid when the site
// has none.
func (p *Panel) PurgeCache(ctx context.Context, name string, now time.Time) (*v1alpha1.Domain, error) {
	var d *v1alpha1.Domain
	for range conflictTries {
		was, err := p.Site(ctx, name)
		if err != nil {
			return nil, err
		}
		if !was.Spec.Webserver.Cache.Enabled {
			return nil, &Error{Code: Invalid,
				Message: fmt.Sprintf("%s has no page cache.", ShowBoth(was.Spec.DomainName)),
				Mend:    "Switch it on with spec.webserver.cache.enabled: kubectl edit domain " + was.Name}
		}
		d = was.DeepCopy()
		if d.Annotations == nil {
			d.Annotations = map[string]string{}
		}
		d.Annotations[v1alpha1.AnnotationPurgeCache] = now.UTC().Format(time.RFC3339Nano)
		if err = p.Writer.ChangeDomain(ctx, was, d, false); err == nil || CodeOf(err) != Conflict {
			return d, err
		}
	}
	return nil, &Error{Code: Conflict, Message: fmt.Sprintf("%s is being changed by somebody else all the time.", ShowBoth(name)), Mend: "Try again."}
}
