package web

import (
	"net/http"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/web/locale"
)

// siteDanger is the page of what can't be taken back, or stops a site.
type siteDanger struct {
	sitePage

	Delete loss
}

func (s *Server) siteDangerPage(r *http.Request) (siteDanger, error) {
	page, err := s.site(r, "/danger")
	if err != nil {
		return siteDanger{}, err
	}
	p := siteDanger{sitePage: page}
	p.Delete = loss{
		ID: "delete", To: siteURL(p.Row.Name) + "/delete", Title: p.T("Delete the site"), Button: p.T("Delete %s", p.Title), Name: p.Title, LTR: true, Wide: true,
		Tells: []string{p.T("Its files, its database and its accounts are removed. Nothing brings them back.")},
	}
	return p, nil
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
	name := r.PathValue("site")
	if written, err := hosting.ParseName(locale.Plain(r.PostFormValue("confirm"))); err != nil || written != name {
		p, err := s.siteDangerPage(r)
		if err != nil {
			return err
		}
		if !p.Delete.meant(p.frame, r) { // a name has more than one writing; ParseName knows them
			return show(w, r, p.Delete.Wrong.Status, p.view())
		}
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
