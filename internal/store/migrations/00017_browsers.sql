-- Browsers that accounts were signed in with by password, and the codes that are mailed to
-- who comes with another one.

-- +goose Up
CREATE TABLE browsers (
    id         TEXT PRIMARY KEY, -- hash of the cookie's secret
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address    TEXT NOT NULL,
    agent      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX browsers_of_user ON browsers (user_id);
CREATE INDEX browsers_by_end ON browsers (expires_at);

CREATE TABLE mailed_codes (
    id         TEXT PRIMARY KEY, -- hash of the secret of the sign-in that waits for it
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash       TEXT NOT NULL,    -- of the code, keyed by that secret
    wrong      BIGINT NOT NULL,  -- how many other codes were typed
    sent_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX mailed_codes_of_user ON mailed_codes (user_id);
CREATE INDEX mailed_codes_by_end ON mailed_codes (expires_at);
