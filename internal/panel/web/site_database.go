package web

import (
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"kubepanel.io/kubepanel/api/v1alpha1"
	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/auth"
	"kubepanel.io/kubepanel/internal/panel/visit"
)

// siteDatabase is the page of a site's database.
type siteDatabase struct {
	sitePage

	// Opens says that there is a phpMyAdmin, and that the site's database can be looked
	// at now.
	Opens bool
	// Renewed is what the operator says while the password before is good as well; ""
	// when there is one alone.
	Renewed string
}

func (s *Server) siteDatabase(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.Rules.SiteFor(r.Context(), actor(r.Context()), hosting.RightSiteDatabase, r.PathValue("site")); err != nil {
		return err
	}
	page, err := s.site(r, "/database")
	if err != nil {
		return err
	}
	p := siteDatabase{sitePage: page, Opens: s.Databases != nil && page.Domain.Status.Database != nil && !page.Domain.Spec.Suspended}
	if c := meta.FindStatusCondition(page.Domain.Status.Conditions, v1alpha1.ConditionDatabaseProvisioned); c != nil && c.Reason == v1alpha1.ReasonRenewed {
		p.Renewed = c.Message
	}
	return show(w, r, http.StatusOK, p.view())
}

func (s *Server) renewPassword(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("site")
	if err := s.Rules.RenewDatabasePassword(r.Context(), actor(r.Context()), name, s.Now()); err != nil {
		return err
	}
	return seeOther(w, r, siteURL(name)+"/database")
}

// handover is the page between the panel and phpMyAdmin: a form, since no secret
// stands in an address.
type handover struct {
	sitePage

	To, Ticket string
}

func (s *Server) openDatabase(w http.ResponseWriter, r *http.Request) error {
	if s.Databases == nil {
		return visit.None()
	}
	page, err := s.site(r, "/database")
	if err != nil {
		return err
	}
	ticket, err := s.Databases.Open(r.Context(), actor(r.Context()), auth.SessionOf(r.Context()), r.PathValue("site"))
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, handover{sitePage: page, To: s.handsOver(w), Ticket: ticket}.view())
}

// beginning is handover for who brings the ticket behind the # of an address. It waits for
// a click: somebody else may have sent the address.
type beginning struct {
	*frame

	To string
}

func (s *Server) beginVisit(w http.ResponseWriter, r *http.Request) error {
	if s.Databases == nil {
		return visit.None()
	}
	p := beginning{frame: s.frame(r, placeNone), To: s.handsOver(w)}
	p.Title = p.T("phpMyAdmin is ready")
	return show(w, r, http.StatusOK, p.view())
}

// handsOver lets a page send its form to phpMyAdmin, and returns where that is.
func (s *Server) handsOver(w http.ResponseWriter) string {
	to := s.Databases.URL.Scheme + "://" + s.Databases.URL.Host
	h := w.Header()
	h.Set("Content-Security-Policy", strings.Replace(policy, "form-action 'self'", "form-action 'self' "+to, 1))
	// The other side wants to see that its ticket comes from here.
	h.Set("Referrer-Policy", "strict-origin")
	return to + visit.PathEnter
}

// leaveDatabases ends what a session that ends has open; what can't be ended now is
// ended by the panel's next look.
func (s *Server) leaveDatabases(r *http.Request, session string) {
	if s.Databases == nil || session == "" {
		return
	}
	if err := s.Databases.Leave(r.Context(), session); err != nil {
		s.Log.WarnContext(r.Context(), "end visits of a session that ended", "err", err)
	}
}
