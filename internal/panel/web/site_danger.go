package web

import (
	"net/http"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/web/locale"
)

// siteDanger is the page of what can't be taken back, or stops a site.
type siteDanger struct {
	sitePage

	Typed string
	Wrong faults
}

func (s *Server) siteDangerPage(r *http.Request) (siteDanger, error) {
	page, err := s.site(r, "/danger")
	return siteDanger{sitePage: page}, err
}

// dangerRoutes are what stops a site, for a moment or for good.
func (s *Server) dangerRoutes() map[string]handler {
	return map[string]handler{
		"GET /sites/{site}/danger":       s.siteDanger,
		"POST /sites/{site}/delete":      s.deleteSite,
		"POST /sites/{site}/suspend":     s.suspendSite,
		"POST /sites/{site}/resume":      s.resumeSite,
		"POST /sites/{site}/restart":     s.restartSite,
		"POST /sites/{site}/purge-cache": s.purgeCache,
	}
}

func (s *Server) siteDanger(w http.ResponseWriter, r *http.Request) error {
	p, err := s.siteDangerPage(r)
	if err != nil {
		return err
	}
	return show(w, r, http.StatusOK, p.view())
}

// deleteSite wants the site's name typed, since nothing brings it back.
func (s *Server) deleteSite(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.Rules.SiteFor(r.Context(), actor(r.Context()), hosting.RightSiteDelete, r.PathValue("site")); err != nil {
		return err
	}
	name, typed := r.PathValue("site"), locale.Plain(r.PostFormValue("confirm"))
	if written, err := hosting.ParseName(typed); err != nil || written != name {
		p, err := s.siteDangerPage(r)
		if err != nil {
			return err
		}
		p.Typed = typed
		p.Wrong = faults{fields: map[string]string{"confirm": p.T("Type %s to say that you mean this site.", p.Title)}}
		return show(w, r, http.StatusUnprocessableEntity, p.view())
	}
	if err := s.Rules.DeleteSite(r.Context(), actor(r.Context()), name); err != nil {
		return err
	}
	return seeOther(w, r, siteURL(name))
}

func (s *Server) suspendSite(w http.ResponseWriter, r *http.Request) error {
	return s.setSuspended(w, r, true)
}

func (s *Server) resumeSite(w http.ResponseWriter, r *http.Request) error {
	return s.setSuspended(w, r, false)
}

func (s *Server) setSuspended(w http.ResponseWriter, r *http.Request, to bool) error {
	name := r.PathValue("site")
	if _, _, err := s.Rules.ChangeSite(r.Context(), actor(r.Context()), name, hosting.SiteChange{Suspended: &to}, false); err != nil {
		return err
	}
	return seeOther(w, r, siteURL(name))
}

func (s *Server) purgeCache(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("site")
	if err := s.Rules.PurgeCache(r.Context(), actor(r.Context()), name); err != nil {
		return err
	}
	return seeOther(w, r, siteURL(name))
}

func (s *Server) restartSite(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("site")
	if err := s.Rules.RestartSite(r.Context(), actor(r.Context()), name, s.Now()); err != nil {
		return err
	}
	return seeOther(w, r, siteURL(name))
}
