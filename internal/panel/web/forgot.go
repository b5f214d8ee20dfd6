package web

import (
	"net/http"

	"kubepanel.io/kubepanel/internal/hosting"
)

// forgotPage asks for a mail with a link that sets the password anew.
type forgotPage struct {
	*frame

	Email string
	// Asked: a mail is on its way, if there is such an account.
	Asked bool
	Wrong faults
}

func (s *Server) forgotPage(r *http.Request) forgotPage {
	p := forgotPage{frame: s.frame(r, placeNone), Email: r.PostFormValue("email")}
	p.Title = p.T("A new password")
	return p
}

func (s *Server) forgotForm(w http.ResponseWriter, r *http.Request) error {
	return show(w, r, http.StatusOK, s.forgotPage(r).view())
}

func (s *Server) forgot(w http.ResponseWriter, r *http.Request) error {
	p := s.forgotPage(r)
	err := s.Doors.ForgotPassword(r.Context(), p.Email, p.Tag)
	if err == nil {
		p.Asked = true
		return show(w, r, http.StatusOK, p.view())
	}
	if p.Wrong, err = s.asked(r, err); err != nil {
		return err
	}
	return show(w, r, p.Wrong.Status, p.view())
}

// mailInvitation has an account's owner told by mail how to come in.
func (s *Server) mailInvitation(w http.ResponseWriter, r *http.Request) error {
	id := hosting.ID(r.PathValue("user"))
	if err := s.Doors.MailInvitation(r.Context(), actor(r.Context()), id, s.locales.Of(r).Tag); err != nil {
		return err
	}
	return seeOther(w, r, userURL(id)+"?mailed=1")
}
