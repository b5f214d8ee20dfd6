package store

import (
	"context"

	"kubepanel.io/kubepanel/internal/hosting"
)

// PanelSettings implements hosting.SettingsReader.
func (q *queries) PanelSettings(ctx context.Context) (*hosting.PanelSettings, error) {
	s, err := one(ctx, q, func(row scanner) (hosting.PanelSettings, error) {
		var s hosting.PanelSettings
		var away int64
		err := row.Scan(&s.Name, &s.Light, &s.Dark, &s.Logo, &away)
		s.FirstStepsAway = away != 0
		return s, err
	}, `SELECT name, light, dark, logo, first_steps_away FROM panel_settings WHERE id = 1`)
	err = answer("read the panel's settings", err)
	if hosting.CodeOf(err) == hosting.NotFound {
		return &hosting.PanelSettings{}, nil
	}
	return &s, err
}

// PutPanelSettings implements hosting.SettingsWriter.
func (q *queries) PutPanelSettings(ctx context.Context, s *hosting.PanelSettings) error {
	return answer("write the panel's settings", q.exec(ctx, `INSERT INTO panel_settings (id, name, light, dark, logo, first_steps_away) VALUES (1, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, light = excluded.light, dark = excluded.dark, logo = excluded.logo, first_steps_away = excluded.first_steps_away`,
		s.Name, s.Light, s.Dark, append([]byte{}, s.Logo...), truth(s.FirstStepsAway)))
}
