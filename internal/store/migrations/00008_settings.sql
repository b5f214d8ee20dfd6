-- What administrators set of the panel itself; one row.

-- +goose Up
CREATE TABLE panel_settings (
    id               BIGINT PRIMARY KEY CHECK (id = 1),
    name             TEXT NOT NULL,
    light            TEXT NOT NULL,
    dark             TEXT NOT NULL,
    logo             BYTEA NOT NULL, -- PNG; empty for none
    first_steps_away BIGINT NOT NULL
);
