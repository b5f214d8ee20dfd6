-- Addresses that are told what happens, and what they were told.

-- +goose Up
CREATE TABLE webhooks (
    id         TEXT PRIMARY KEY,
    owner_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    url        TEXT NOT NULL,
    events     TEXT NOT NULL,
    secret     BYTEA NOT NULL, -- encrypted
    disabled   BIGINT NOT NULL DEFAULT 0,
    why        TEXT NOT NULL DEFAULT '',
    seq        BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX webhooks_of_owner ON webhooks (owner_id);

CREATE TABLE deliveries (
    id         TEXT PRIMARY KEY,
    webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event      TEXT NOT NULL,
    body       TEXT NOT NULL,
    state      TEXT NOT NULL,
    tries      BIGINT NOT NULL DEFAULT 0,
    next_at    BIGINT NOT NULL,
    status     BIGINT NOT NULL DEFAULT 0,
    said       TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    done_at    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX deliveries_of_webhook ON deliveries (webhook_id, id);
CREATE INDEX deliveries_due ON deliveries (state, next_at);
CREATE INDEX deliveries_by_end ON deliveries (done_at);
