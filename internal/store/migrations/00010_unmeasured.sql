-- Of the n measurements of a sample: how many have no processor time and memory, and how
-- many no storage. They count for neither's average.

-- +goose Up
ALTER TABLE samples ADD COLUMN blind BIGINT NOT NULL DEFAULT 0;
ALTER TABLE samples ADD COLUMN unstored BIGINT NOT NULL DEFAULT 0;
