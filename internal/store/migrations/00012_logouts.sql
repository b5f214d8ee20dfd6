-- Whom to tell that somebody's session ended (OpenID Connect Back-Channel Logout 1.0): one
-- for each application that was signed in to from a session. It outlives both: a logout
-- whose session is gone is one to send.

-- +goose Up
ALTER TABLE applications ADD COLUMN logout TEXT NOT NULL DEFAULT '';
ALTER TABLE applications ADD COLUMN inside BIGINT NOT NULL DEFAULT 0;
CREATE TABLE logouts (
    id             TEXT PRIMARY KEY, -- the sid of tokens
    application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    session_id     TEXT REFERENCES sessions (id) ON DELETE SET NULL,
    user_id        TEXT NOT NULL, -- whose account may be gone by then
    tries          BIGINT NOT NULL DEFAULT 0,
    next_at        BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX logouts_of_application ON logouts (application_id);
CREATE INDEX logouts_of_session ON logouts (session_id);
CREATE INDEX logouts_due ON logouts (next_at) WHERE session_id IS NULL;
