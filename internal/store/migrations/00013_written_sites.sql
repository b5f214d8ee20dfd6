-- The version of a site's Domain that a panel made last, and when, so that another panel
-- waits until it was told of that.

-- +goose Up
ALTER TABLE sites ADD COLUMN written TEXT NOT NULL DEFAULT '';
ALTER TABLE sites ADD COLUMN written_at BIGINT NOT NULL DEFAULT 0;
