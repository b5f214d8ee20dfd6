package web

import (
	"context"
	"errors"
	"io"
	"net/http"

	"kubepanel.io/kubepanel/internal/hosting"
	"kubepanel.io/kubepanel/internal/panel/httpstatus"
)

// The four steps of passkeys speak with the page's script: they answer what the
// authenticator is told, or nothing, or one sentence.

func (s *Server) beginPasskey(w http.ResponseWriter, r *http.Request) error {
	return s.tell(w, r, s.Doors.BeginPasskey)
}

func (s *Server) finishPasskey(w http.ResponseWriter, r *http.Request) error {
	return s.heard(w, r, s.Doors.FinishPasskey(r.Context(), r))
}

func (s *Server) beginAddPasskey(w http.ResponseWriter, r *http.Request) error {
	return s.tell(w, r, s.Doors.BeginAddPasskey)
}

// finishAddPasskey answers with the recovery codes where there were none before, which the
// script puts in place of what asked for the passkey.
func (s *Server) finishAddPasskey(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	codes, err := s.Doors.FinishAddPasskey(r.Context(), query.Get("name"), r)
	if err != nil || len(codes) == 0 {
		return s.heard(w, r, err)
	}
	return show(w, r, http.StatusOK, passkeyCodes(s.frame(r, placeNone), codes, local(query.Get("next"))))
}

// tell answers what the browser's authenticator is asked.
func (s *Server) tell(w http.ResponseWriter, r *http.Request, begin func(context.Context) ([]byte, error)) error {
	options, err := begin(r.Context())
	if err != nil {
		return s.heard(w, r, err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(options) //nolint:errcheck // a browser that went away
	return nil
}

// heard answers with nothing, or with the sentence of an error that is for people.
func (s *Server) heard(w http.ResponseWriter, r *http.Request, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	e, ok := errors.AsType[*hosting.Error](err)
	if !ok || e.Code == hosting.Internal {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(httpstatus.Of(e.Code))
	io.WriteString(w, words(s.locales.Of(r), e)) //nolint:errcheck // a browser that went away
	return nil
}
