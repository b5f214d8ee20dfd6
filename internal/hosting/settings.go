package hosting

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
)

// PanelSettings are what administrators set of the panel itself. What is empty is as
// the panel came.
type PanelSettings struct {
	// Name is the provider's.
	Name string
	// Light and Dark are the accent in either theme, written #rrggbb: both or none.
	Light, Dark string
	// Logo is a PNG that ParseLogo made.
	Logo []byte
	// FirstStepsAway: the checklist of a new platform is not shown.
	FirstStepsAway bool
}

// LogoDigest names the logo by its content; "" for none.
func (s *PanelSettings) LogoDigest() string {
	if len(s.Logo) == 0 {
		return ""
	}
	const octets = 8
	sum := sha256.Sum256(s.Logo)
	return hex.EncodeToString(sum[:octets])
}

// Version names what can be changed of the settings, as they are now.
func (s *PanelSettings) Version() string {
	away := ""
	if s.FirstStepsAway {
		away = "away"
	}
	return version(s.Name, s.Light, s.Dark, s.LogoDigest(), away)
}

// told is what the trail says of the settings: of the logo which one it is.
func (s *PanelSettings) told() any {
	return map[string]any{"name": s.Name, "light": s.Light, "dark": s.Dark, "logo": s.LogoDigest(), "firstStepsAway": s.FirstStepsAway}
}

// SettingsReader reads the panel's settings; those of a new panel are the zero ones.
type SettingsReader interface {
	PanelSettings(ctx context.Context) (*PanelSettings, error)
}

// SettingsWriter writes them.
type SettingsWriter interface {
	PutPanelSettings(ctx context.Context, s *PanelSettings) error
}

// Look returns the settings that everybody sees the panel by, who is signed in or not.
func (p *Provider) Look(ctx context.Context) (*PanelSettings, error) {
	return p.Store.PanelSettings(ctx)
}

// PanelSettings returns the settings to who runs the platform.
func (p *Provider) PanelSettings(ctx context.Context, a Actor) (*PanelSettings, error) {
	if err := May(a, RightPlatformView, Object{}); err != nil {
		return nil, err
	}
	return p.Store.PanelSettings(ctx)
}

// PanelChange says what of the settings is to be another way; nil leaves a thing as it
// is, an empty text makes it what the panel came with.
type PanelChange struct {
	Name, Light, Dark *string
	FirstStepsAway    *bool
}

// ChangePanel changes the settings; Invalid names the field of a colour that texts could
// not be read in.
func (p *Provider) ChangePanel(ctx context.Context, a Actor, c PanelChange) (*PanelSettings, error) {
	return p.set(ctx, a, func(s *PanelSettings) error {
		s.FirstStepsAway = or(c.FirstStepsAway, s.FirstStepsAway)
		if c.Name == nil && c.Light == nil && c.Dark == nil {
			return nil
		}
		return s.look(or(c.Name, s.Name), or(c.Light, s.Light), or(c.Dark, s.Dark))
	})
}

// or returns what was given, or what is now.
func or[T any](given *T, now T) T {
	if given == nil {
		return now
	}
	return *given
}

// CheckLook tells what is wrong with a name and colours before they are set.
func CheckLook(name, light, dark string) error {
	var s PanelSettings
	return s.look(name, light, dark)
}

func (s *PanelSettings) look(name, light, dark string) error {
	var f faults
	var err error
	if s.Name = ""; name != "" {
		s.Name, err = ParsePersonName(name)
		f.check("name", err)
	}
	s.Light, s.Dark = "", ""
	if light == "" && dark == "" {
		return f.err()
	}
	s.Light, err = ParseAccent(light, false)
	f.check("light", err)
	s.Dark, err = ParseAccent(dark, true)
	f.check("dark", err)
	return f.err()
}

// ChangeLogo sets the logo, an image in any format of ParseLogo's; an empty one takes
// it away.
func (p *Provider) ChangeLogo(ctx context.Context, a Actor, image []byte) (*PanelSettings, error) {
	return p.set(ctx, a, func(s *PanelSettings) (err error) {
		if s.Logo = nil; len(image) == 0 {
			return nil
		}
		if s.Logo, err = ParseLogo(image); err != nil {
			var f faults
			f.add("logo", err.Error())
			return f.err()
		}
		return nil
	})
}

// set changes the settings in one transaction.
func (p *Provider) set(ctx context.Context, a Actor, edit func(*PanelSettings) error) (*PanelSettings, error) {
	if err := May(a, RightPlatformChange, Object{}); err != nil {
		return nil, err
	}
	now := &PanelSettings{}
	return now, p.write(ctx, a, func(tx Tx) (change, error) {
		was, err := tx.PanelSettings(ctx)
		if err != nil {
			return change{}, err
		}
		if err := p.expected(was.Version()); err != nil {
			return change{}, err
		}
		*now = *was
		if err := edit(now); err != nil {
			return change{}, err
		}
		return change{did: RightPlatformChange, object: "panel", before: was.told(), after: now.told()}, tx.PutPanelSettings(ctx, now)
	})
}
