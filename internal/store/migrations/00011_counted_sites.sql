-- Each page of a list tells how many sites there are, and SQLite counts by reading the
-- whole of the smallest index: this one has a byte or two for each site.

-- +goose Up
CREATE INDEX sites_counted ON sites (held);
