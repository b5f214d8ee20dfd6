package web

import (
	"errors"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
)

// sitePage is what all pages of one site have.
type sitePage struct {
	*frame

	Row    *hosting.OwnedSite
	Domain *v1alpha1.Domain // never nil: empty while nothing is there
}

// site reads the site that the address names and begins its page.
func (s *Server) site(r *http.Request, tab string) (sitePage, error) {
	row, err := s.Rules.Site(r.Context(), actor(r.Context()), r.PathValue("site"))
	if err != nil {
		return sitePage{}, err
	}
	p := sitePage{frame: s.frame(r, placeSites), Row: row, Domain: row.Domain}
	if p.Domain == nil {
		p.Domain = &v1alpha1.Domain{}
	}
	p.Title = hosting.ShowName(row.Name)
	state := p.stateOf(row)
	p.Badge = &state
	p.Crumbs = []link{{Text: p.T("Sites"), To: "/sites"}, {Text: p.Title}}
	p.Tabs = p.siteTabs(row, tab)
	return p, nil
}

// siteTabs are the pages of a site that the actor may see; the first is its overview.
func (f *frame) siteTabs(row *hosting.OwnedSite, at string) []link {
	base := siteURL(row.Name)
	tabs := []link{{Text: f.T("Overview"), To: base}}
	if f.Can(hosting.RightSiteFiles, row.On()) {
		tabs = append(tabs, link{Text: f.T("Files"), To: base + "/files"})
	}
	if f.Can(hosting.RightSiteTerminal, row.On()) {
		tabs = append(tabs, link{Text: f.T("Terminal"), To: base + "/terminal"})
	}
	if f.Can(hosting.RightSiteChange, row.On()) {
		tabs = append(tabs, link{Text: f.T("Domains"), To: base + "/domains"}, link{Text: f.T("Settings"), To: base + "/settings"},
			link{Text: f.T("Access"), To: base + "/access"})
	}
	tabs = append(tabs, link{Text: f.T("Usage"), To: base + "/usage"})
	if f.Can(hosting.RightSiteCron, row.On()) {
		tabs = append(tabs, link{Text: f.T("Cron jobs"), To: base + "/cron"})
	}
	if f.Can(hosting.RightSiteDatabase, row.On()) {
		tabs = append(tabs, link{Text: f.T("Database"), To: base + "/database"})
	}
	if f.Can(hosting.RightSiteLogs, row.On()) {
		tabs = append(tabs, link{Text: f.T("Logs"), To: base + "/logs"})
	}
	if f.Can(hosting.RightSiteChange, row.On()) {
		tabs = append(tabs, link{Text: f.T("Danger zone"), To: base + "/danger"})
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].To == base+at
	}
	return tabs
}

func siteURL(name string) string { return "/sites/" + name }

// stateOf is a site's state in the page's words.
func (f *frame) stateOf(s *hosting.OwnedSite) badge { return f.standing(hosting.StandingOf(s)) }

func (f *frame) standing(s hosting.Standing) badge {
	switch s {
	case hosting.StandingCreating:
		return badge{f.T("Being made"), "busy"}
	case hosting.StandingDeleting:
		return badge{f.T("Being deleted"), "busy"}
	case hosting.StandingStalled:
		return badge{f.T("Needs attention"), "bad"}
	case hosting.StandingSuspended:
		return badge{f.T("Suspended"), ""}
	case hosting.StandingLive:
		return badge{f.T("Live"), "good"}
	case hosting.StandingDegraded:
		return badge{f.T("In trouble"), "warn"}
	case hosting.StandingChanging:
	}
	return badge{f.T("Changing"), "busy"}
}

// moving tells whether a site's state is about to change by itself.
func moving(d *v1alpha1.Domain) bool {
	return d == nil || !d.DeletionTimestamp.IsZero() || (!hosting.Live(d) && hosting.StallOf(d) == nil)
}

// runs is what a site runs, for people.
func (f *frame) runs(d *v1alpha1.Domain) string {
	w := d.Spec.Workload
	name := map[string]string{"php": "PHP", "python": "Python", "nodejs": "Node.js", "static": f.T("Static files")}[w.Type]
	switch {
	case d.Spec.WordPress.Preinstall:
		return "WordPress · PHP " + w.Version
	case name == "":
		name = w.Type
	case w.Type == "static":
		return name
	}
	return name + " " + w.Version
}

// runIcon is its picture.
func runIcon(d *v1alpha1.Domain) string {
	switch kind := d.Spec.Workload.Type; {
	case d.Spec.WordPress.Preinstall:
		return "wordpress"
	case kind == "php", kind == "python", kind == "nodejs", kind == "static":
		return kind
	}
	return "sites"
}

// took is how long after the site's beginning something was, in seconds with the
// precision that Kubernetes has.
func took(began, at time.Time) string {
	if at.IsZero() || at.Before(began) {
		return ""
	}
	return at.Sub(began).Round(time.Second).String()
}

func orEmpty(d *v1alpha1.Domain) *v1alpha1.Domain {
	if d == nil {
		return &v1alpha1.Domain{}
	}
	return d
}

// certificateState is good, bad, or "" while nobody knows.
func certificateState(d *v1alpha1.Domain) string {
	c := meta.FindStatusCondition(d.Status.Conditions, v1alpha1.ConditionCertificateReady)
	switch {
	case c == nil || c.Status == metav1.ConditionUnknown:
		return ""
	case c.Status == metav1.ConditionTrue:
		return "good"
	case c.Reason == "BadCertificate":
		return "bad"
	}
	return ""
}

// Days that a certificate has left when it is shown as a warning, and as a danger. The
// edge renews its own when a third of their life is left (20 days), ACME's clients do
// at 30 days: what is below that was not renewed.
const (
	fewDays   = 14
	hardlyAny = 4
)

// certificateBadge tells how many days a site's certificate lasts, if that is known.
func (f *frame) certificateBadge(d *v1alpha1.Domain) (badge, bool) {
	c := d.Status.Certificate
	if c == nil {
		return badge{}, false
	}
	days := int(c.NotAfter.Sub(f.now).Hours() / 24)
	switch b := (badge{Text: f.T("%d days", days), Kind: "good"}); {
	case c.NotAfter.Time.Before(f.now):
		return badge{f.T("Expired"), "bad"}, true
	case days < hardlyAny:
		b.Kind = "bad"
		return b, true
	case days < fewDays:
		b.Kind = "warn"
		return b, true
	default:
		return b, true
	}
}

func asError(err error) (*hosting.Error, bool) { return errors.AsType[*hosting.Error](err) }

// accounts are those that a site has.
func accounts(d *v1alpha1.Domain) []hosting.Purpose {
	var list []hosting.Purpose
	if d.Spec.WordPress.Preinstall {
		list = append(list, hosting.ForWordPress)
	}
	if d.Status.SFTP != nil {
		list = append(list, hosting.ForSFTP)
	}
	if d.Status.Database != nil {
		list = append(list, hosting.ForDatabase)
	}
	return list
}

// purposeName is what an account is for.
func (f *frame) purposeName(p hosting.Purpose) string {
	switch p {
	case hosting.ForWordPress:
		return "WordPress"
	case hosting.ForSFTP:
		return "SFTP"
	case hosting.ForDatabase:
		return f.T("Database")
	}
	return string(p)
}
