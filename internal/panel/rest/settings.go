package rest

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kubepanel.io/kubepanel/internal/hosting"
)

func (s *Server) settings() {
	see, do := hosting.RightPlatformView, hosting.RightPlatformChange
	handle(s, operation{method: http.MethodGet, path: "/platform/settings", id: "getPanelSettings", summary: "Show what is set of the panel itself", scope: see}, s.getSettings)
	handle(s, operation{method: http.MethodPatch, path: "/platform/settings", id: "changePanelSettings", summary: "Change the panel's name or colours", scope: do,
		says: "What is left out stays as it is; what is empty becomes what the panel came with. Pages show it within ten seconds."}, s.changeSettings)
	handle(s, operation{method: http.MethodGet, path: "/platform/settings/logo", id: "getPanelLogo", summary: "Send the panel's logo", scope: see, stream: true}, s.getLogo)
	// A logo that is a little too large is told so by the rule, in pixels and octets.
	handle(s, operation{method: http.MethodPut, path: "/platform/settings/logo", id: "putPanelLogo", summary: "Make the request's body the panel's logo", scope: do, body: 2 * hosting.MaxLogo,
		says: "A PNG, JPEG or GIF of up to 512 kB and 1024 × 1024 pixels. It is written anew from its pixels, so nothing else of the file is kept."}, s.putLogo)
	handle(s, operation{method: http.MethodDelete, path: "/platform/settings/logo", id: "deletePanelLogo", summary: "Take the panel's logo away", scope: do}, s.deleteLogo)
}

// PanelSettings are what is set of the panel itself; what is empty is as the panel came.
type PanelSettings struct {
	Name           string `json:"name" doc:"The provider's name."`
	Light          string `json:"light" doc:"The accent of the light theme; both are set or none." example:"#0a5fd0"`
	Dark           string `json:"dark" doc:"The accent of the dark theme." example:"#7db4ff"`
	Logo           string `json:"logo" doc:"Names the logo by its content; empty for none."`
	FirstStepsAway bool   `json:"firstStepsAway" doc:"The checklist of a new platform is not shown."`
}

func settingsAs(p *hosting.PanelSettings) *versioned[PanelSettings] {
	return versionedAs(p.Version(), PanelSettings{Name: p.Name, Light: p.Light, Dark: p.Dark, Logo: p.LogoDigest(), FirstStepsAway: p.FirstStepsAway})
}

// PanelChange says what of them is to be another way.
type PanelChange struct {
	Name           *string `json:"name,omitempty" maxLength:"300"`
	Light          *string `json:"light,omitempty" maxLength:"100"`
	Dark           *string `json:"dark,omitempty" maxLength:"100"`
	FirstStepsAway *bool   `json:"firstStepsAway,omitempty"`
}

func (s *Server) getSettings(ctx context.Context, a hosting.Actor, _ *struct{}) (*versioned[PanelSettings], error) {
	now, err := s.Rules.PanelSettings(ctx, a)
	if err != nil {
		return nil, err
	}
	return settingsAs(now), nil
}

func (s *Server) changeSettings(ctx context.Context, a hosting.Actor, in *struct {
	Condition
	Body PanelChange
}) (*versioned[PanelSettings], error) {
	now, err := s.Rules.If(in.version()).ChangePanel(ctx, a, hosting.PanelChange(in.Body))
	if err != nil {
		return nil, err
	}
	return settingsAs(now), nil
}

func (s *Server) getLogo(ctx context.Context, a hosting.Actor, _ *struct{}) (*stream, error) {
	now, err := s.Rules.PanelSettings(ctx, a)
	if err != nil {
		return nil, err
	}
	if len(now.Logo) == 0 {
		return nil, &hosting.Error{Code: hosting.NotFound, Message: "The panel has no logo."}
	}
	return &stream{ContentType: "image/png", Body: func(to huma.Context) {
		to.BodyWriter().Write(now.Logo) //nolint:errcheck // a client that went away
	}}, nil
}

func (s *Server) putLogo(ctx context.Context, a hosting.Actor, in *struct {
	Condition
	RawBody []byte
}) (*versioned[PanelSettings], error) {
	if len(in.RawBody) == 0 {
		return nil, &hosting.Error{Code: hosting.Invalid, Fields: []hosting.Field{{Name: "logo", Message: "The request's body is to be the image, and there is none."}}}
	}
	return s.setLogo(ctx, a, in.Condition, in.RawBody)
}

func (s *Server) deleteLogo(ctx context.Context, a hosting.Actor, in *Condition) (*versioned[PanelSettings], error) {
	return s.setLogo(ctx, a, *in, nil)
}

func (s *Server) setLogo(ctx context.Context, a hosting.Actor, c Condition, image []byte) (*versioned[PanelSettings], error) {
	now, err := s.Rules.If(c.version()).ChangeLogo(ctx, a, image)
	if err != nil {
		return nil, err
	}
	return settingsAs(now), nil
}
