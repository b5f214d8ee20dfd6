-- Who has to set up a second factor at the next sign-in, since somebody took the old ones
-- away.

-- +goose Up
ALTER TABLE logins ADD COLUMN enrol BIGINT NOT NULL DEFAULT 0;
