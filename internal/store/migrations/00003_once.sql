-- Requests of the API that count once.

-- +goose Up
CREATE TABLE once (
    id         TEXT PRIMARY KEY,
    actor_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key        TEXT NOT NULL,
    request    TEXT NOT NULL,
    first_at   BIGINT NOT NULL,
    begun_at   BIGINT NOT NULL,
    made       TEXT NOT NULL DEFAULT '',
    answer     BYTEA, -- encrypted
    expires_at BIGINT NOT NULL,
    UNIQUE (actor_id, key)
);
CREATE INDEX once_by_end ON once (expires_at);
