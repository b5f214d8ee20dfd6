-- How far the trail came to a log server, by the server's address.

-- +goose Up
CREATE TABLE trail_sent (
    server       TEXT PRIMARY KEY,
    seq          BIGINT NOT NULL, -- the last entry that it confirmed; 0 for none
    hash         TEXT NOT NULL,   -- and its hash
    confirmed_at BIGINT NOT NULL, -- when that was; 0 for never
    tries        BIGINT NOT NULL, -- those that failed since
    fault        TEXT NOT NULL,   -- why the last of them did
    next_at      BIGINT NOT NULL  -- nobody sends before: somebody does now, or the server is given time
);
