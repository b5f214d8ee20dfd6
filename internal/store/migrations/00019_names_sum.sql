-- A sum of a site's names, so that settling sees without reading them that somebody put
-- another in the place of one past the panel. 0 is of before: settling writes it.

-- +goose Up
ALTER TABLE sites ADD COLUMN names_sum BIGINT NOT NULL DEFAULT 0;
