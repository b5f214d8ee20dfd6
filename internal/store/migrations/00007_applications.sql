-- Applications that let in who signs in by the panel (OpenID Connect), what was given to
-- them, and the keys that sign it.

-- +goose Up
CREATE TABLE applications (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    redirects   TEXT NOT NULL,
    farewells   TEXT NOT NULL,
    roles       TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);
-- A pass is one sign-in to an application, and ends with the session that it came from.
CREATE TABLE passes (
    id             TEXT PRIMARY KEY,
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    user_id        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id     TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    code_hash      TEXT NOT NULL UNIQUE,
    redirect       TEXT NOT NULL,
    challenge      TEXT NOT NULL,
    nonce          TEXT NOT NULL,
    scopes         TEXT NOT NULL,
    factor         BIGINT NOT NULL,
    proven_at      BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    redeemed_at    BIGINT NOT NULL DEFAULT 0,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX passes_of_application ON passes (application_id);
CREATE INDEX passes_of_user ON passes (user_id);
CREATE INDEX passes_of_session ON passes (session_id);
CREATE INDEX passes_by_end ON passes (expires_at);
CREATE TABLE pass_tokens (
    hash       TEXT PRIMARY KEY,
    pass_id    TEXT NOT NULL REFERENCES passes (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX pass_tokens_of_pass ON pass_tokens (pass_id);
CREATE INDEX pass_tokens_by_end ON pass_tokens (expires_at);
CREATE TABLE signing_keys (
    id        TEXT PRIMARY KEY,
    private   BYTEA NOT NULL, -- encrypted
    begins_at BIGINT NOT NULL,
    ends_at   BIGINT NOT NULL
);
