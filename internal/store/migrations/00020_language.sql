-- The language that somebody last had the panel in, for mails that they do not ask for
-- themselves.

-- +goose Up
ALTER TABLE logins ADD COLUMN language TEXT NOT NULL DEFAULT '';
