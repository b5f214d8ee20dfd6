package web

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"kubepanel.io/kubepanel/internal/hosting"
)

const (
	settingsURL = "/platform/settings"
	logoURL     = "/platform/logo"
	brandURL    = "/brand/"
	// maxLogoBody is a logo and the form around it.
	maxLogoBody = hosting.MaxLogo + 16<<10
	// lookAgain is how long a change of the settings by another panel is not seen here.
	lookAgain = 10 * time.Second
)

// brand is how the provider wants the panel to look, as every page needs it.
type brand struct {
	*hosting.PanelSettings

	// style and logo are the addresses of what is the provider's own; "" for none.
	style, logo string
	css         []byte
}

// look keeps the brand between requests.
type look struct {
	mu   sync.Mutex
	now  *brand
	read time.Time
}

// brand returns the settings as they are, or as they were lookAgain ago: what can't be
// read now changes nothing that is shown.
func (s *Server) brand(ctx context.Context) *brand {
	s.look.mu.Lock()
	defer s.look.mu.Unlock()
	if s.look.now != nil && s.Now().Sub(s.look.read) < lookAgain {
		return s.look.now
	}
	// Others wait for it too, so it is read although the first one leaves.
	settings, err := s.Rules.Look(context.WithoutCancel(ctx))
	if err != nil {
		s.Log.ErrorContext(ctx, "read the panel's settings", "err", err)
		settings = &hosting.PanelSettings{}
		if s.look.now != nil {
			settings = s.look.now.PanelSettings
		}
	}
	s.look.now, s.look.read = newBrand(settings), s.Now()
	return s.look.now
}

// lookedAt takes settings that were just changed here.
func (s *Server) lookedAt(settings *hosting.PanelSettings) {
	s.look.mu.Lock()
	defer s.look.mu.Unlock()
	s.look.now, s.look.read = newBrand(settings), s.Now()
}

func newBrand(settings *hosting.PanelSettings) *brand {
	b := &brand{PanelSettings: settings}
	if digest := settings.LogoDigest(); digest != "" {
		b.logo = brandURL + "logo." + digest + ".png"
	}
	if settings.Light != "" {
		b.css = accentStyle(":root", settings.Light, settings.Dark)
		sum := sha256.Sum256(b.css)
		const octets = 8
		b.style = brandURL + "accent." + hex.EncodeToString(sum[:octets]) + ".css"
	}
	return b
}

// accentStyle gives an element the colours of an accent. Both were parsed, so that they
// are six digits each and nothing else.
func accentStyle(of, light, dark string) []byte {
	l, d := hosting.AccentOf(light, false), hosting.AccentOf(dark, true)
	var b strings.Builder
	fmt.Fprintf(&b, "%s {\n", of)
	for _, one := range [][3]string{{"accent", l.Accent, d.Accent}, {"accent-strong", l.Strong, d.Strong}, {"accent-soft", l.Soft, d.Soft}, {"on-accent", l.Text, d.Text}} {
		fmt.Fprintf(&b, "  --%s: light-dark(%s, %s);\n", one[0], one[1], one[2])
	}
	return []byte(b.String() + "}\n")
}

// brandFile serves the logo and the accent to whoever sees a page. Each has a digest in
// its name, so what a browser keeps is never an old one.
func (s *Server) brandFile(w http.ResponseWriter, r *http.Request) error {
	b, h := s.brand(r.Context()), w.Header()
	var body []byte
	switch r.URL.Path {
	case b.logo:
		h.Set("Content-Type", "image/png")
		body = b.Logo
	case b.style:
		h.Set("Content-Type", "text/css; charset=utf-8")
		body = b.css
	default:
		h.Set("Cache-Control", "no-store")
		http.NotFound(w, r)
		return nil
	}
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body) //nolint:errcheck // a browser that went away
	return nil
}

// previewStyle is the style of the settings' preview, made of colours that were taken.
func (s *Server) previewStyle(w http.ResponseWriter, r *http.Request) error {
	light, bad := hosting.ParseAccent(r.URL.Query().Get("light"), false)
	dark, worse := hosting.ParseAccent(r.URL.Query().Get("dark"), true)
	if err := cmp.Or(bad, worse); err != nil {
		return &hosting.Error{Code: hosting.Invalid, Message: "There is nothing to preview.", Mend: "Choose two colours.", Err: err}
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Write(accentStyle(".preview", light, dark)) //nolint:errcheck // a browser that went away
	return nil
}

// settingsPage is the page of what administrators set of the panel itself.
type settingsPage struct {
	*frame

	Form  hosting.PanelSettings
	Wrong faults
	// Previews is the style of the preview; "" for the panel's own colours.
	Previews string
	Scanner  hosting.ScannerState
}

// unguarded names the roles for whom a password may be all that it takes to sign in.
func (p settingsPage) unguarded() string {
	roles := p.server.Doors.Unguarded()
	names := make([]string, 0, len(roles))
	for _, role := range roles {
		names = append(names, p.roleName(role))
	}
	return p.List(names)
}

// platformSettings are its pages.
func (s *Server) platformSettings() map[string]handler {
	return map[string]handler{
		"GET " + settingsURL:          s.showSettings,
		"POST " + settingsURL:         s.changeSettings,
		"POST " + logoURL:             s.changeLogo,
		"POST " + logoURL + "/remove": s.removeLogo,
		"POST /platform/first-steps":  s.putFirstStepsAway,
	}
}

func (s *Server) showSettings(w http.ResponseWriter, r *http.Request) error {
	now, err := s.Rules.PanelSettings(r.Context(), actor(r.Context()))
	if err != nil {
		return err
	}
	return s.settingsAgain(w, r, *now, nil)
}

// settingsAgain shows the form as it was filled in, with what is wrong with it.
func (s *Server) settingsAgain(w http.ResponseWriter, r *http.Request, form hosting.PanelSettings, err error) error {
	wrong, err := s.asked(r, err)
	if err != nil {
		return err
	}
	scanner, err := s.Rules.ScannerState(r.Context(), actor(r.Context()))
	if err != nil {
		return err
	}
	p := settingsPage{frame: s.platformFrame(r, settingsURL), Form: form, Wrong: wrong, Scanner: scanner}
	if form.Light != "" && wrong.Of("light") == "" && wrong.Of("dark") == "" {
		p.Previews = "/brand/preview.css?" + url.Values{"light": {form.Light}, "dark": {form.Dark}}.Encode()
	}
	return show(w, r, wrong.Status, p.view())
}

func (s *Server) changeSettings(w http.ResponseWriter, r *http.Request) error {
	ctx, a := r.Context(), actor(r.Context())
	form := hosting.PanelSettings{Name: strings.TrimSpace(r.PostFormValue("name"))}
	if r.PostFormValue("own") == "" {
		form.Light, form.Dark = r.PostFormValue("light"), r.PostFormValue("dark")
	}
	if r.PostFormValue("do") == "preview" {
		if err := hosting.May(a, hosting.RightPlatformChange, hosting.Object{}); err != nil {
			return err
		}
		return s.settingsAgain(w, r, form, hosting.CheckLook(form.Name, form.Light, form.Dark))
	}
	now, err := s.Rules.ChangePanel(ctx, a, hosting.PanelChange{Name: &form.Name, Light: &form.Light, Dark: &form.Dark})
	if err != nil {
		return s.settingsAgain(w, r, form, err)
	}
	s.lookedAt(now)
	return seeOther(w, r, settingsURL)
}

func (s *Server) changeLogo(w http.ResponseWriter, r *http.Request) error {
	if err := hosting.May(actor(r.Context()), hosting.RightPlatformChange, hosting.Object{}); err != nil {
		return err
	}
	file, _, err := r.FormFile("logo")
	if err != nil && !errors.Is(err, http.ErrMissingFile) {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return err
		}
		return unreadable(err)
	}
	var data []byte
	if err == nil {
		defer file.Close() // it was only read
		if data, err = io.ReadAll(file); err != nil {
			return err
		}
	}
	if len(data) == 0 {
		err = &hosting.Error{Code: hosting.Invalid, Fields: []hosting.Field{{Name: "logo", Message: "Choose a file."}}}
		return s.logoDone(w, r, nil, err)
	}
	now, err := s.Rules.ChangeLogo(r.Context(), actor(r.Context()), data)
	return s.logoDone(w, r, now, err)
}

func (s *Server) removeLogo(w http.ResponseWriter, r *http.Request) error {
	now, err := s.Rules.ChangeLogo(r.Context(), actor(r.Context()), nil)
	return s.logoDone(w, r, now, err)
}

// logoDone goes back to the page, or shows it with what is wrong with a logo.
func (s *Server) logoDone(w http.ResponseWriter, r *http.Request, now *hosting.PanelSettings, err error) error {
	if err == nil {
		s.lookedAt(now)
		return seeOther(w, r, settingsURL)
	}
	kept, unread := s.Rules.PanelSettings(r.Context(), actor(r.Context()))
	if unread != nil {
		return unread
	}
	return s.settingsAgain(w, r, *kept, err)
}

// putFirstStepsAway puts the checklist of the overview away, or brings it back.
func (s *Server) putFirstStepsAway(w http.ResponseWriter, r *http.Request) error {
	away := r.PostFormValue("away") != ""
	now, err := s.Rules.ChangePanel(r.Context(), actor(r.Context()), hosting.PanelChange{FirstStepsAway: &away})
	if err != nil {
		return err
	}
	s.lookedAt(now)
	return seeOther(w, r, local(r.PostFormValue("next")))
}
