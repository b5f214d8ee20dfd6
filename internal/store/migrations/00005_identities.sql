-- +goose Up
CREATE TABLE identity_providers (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    issuer      TEXT NOT NULL,
    client_id   TEXT NOT NULL,
    secret      BYTEA NOT NULL, -- encrypted
    domains     TEXT NOT NULL,
    role        TEXT NOT NULL,
    package_id  TEXT REFERENCES packages (id),
    asks_factor BIGINT NOT NULL
);
CREATE TABLE identities (
    provider_id TEXT NOT NULL REFERENCES identity_providers (id) ON DELETE CASCADE,
    subject     TEXT NOT NULL,
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (provider_id, subject)
);
CREATE INDEX identities_of_user ON identities (user_id);
