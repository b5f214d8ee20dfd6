INSERT INTO panel_settings (id, name, light, dark, logo, first_steps_away) VALUES (1, 'Hoster', '#0b6e4f', '#7fe0b8', '', 1);
