-- How far the panel came in looking through each site's files for what is harmful, and
-- what it found. Paths are octets, as Linux has them.

-- +goose Up
CREATE TABLE sweeps (
    site       TEXT PRIMARY KEY REFERENCES sites (name) ON DELETE CASCADE,
    holder     TEXT NOT NULL,   -- who looks now; '' for nobody
    leased     BIGINT NOT NULL, -- until when nobody else does
    next_at    BIGINT NOT NULL, -- when somebody is to look again
    since      BIGINT NOT NULL, -- all that changed before was looked at: nanoseconds by the site's clock
    began      BIGINT NOT NULL, -- when the walk under way began, by that clock; 0 for none
    after      BYTEA NOT NULL,  -- how far it came
    tries      BIGINT NOT NULL, -- those that failed there
    whole      BIGINT NOT NULL, -- it looks at everything
    asked      BIGINT NOT NULL, -- somebody wants the next one to
    whole_at   BIGINT NOT NULL, -- when the last of those began
    signatures TEXT NOT NULL,   -- and what the scanner knew then
    ended_at   BIGINT NOT NULL, -- when the last walk ended; 0 for never
    looked     BIGINT NOT NULL, -- files of the last walk
    found      BIGINT NOT NULL,
    skipped    BIGINT NOT NULL, -- those that could not be looked at
    fault      TEXT NOT NULL
);
CREATE INDEX sweeps_due ON sweeps (next_at);

CREATE TABLE findings (
    id       TEXT PRIMARY KEY,
    site     TEXT NOT NULL REFERENCES sites (name) ON DELETE CASCADE,
    path     BYTEA NOT NULL,
    found    TEXT NOT NULL, -- what the scanner knows it as
    sum      TEXT NOT NULL, -- SHA-256 of the content
    size     BIGINT NOT NULL,
    mode     BIGINT NOT NULL,
    inode    BIGINT NOT NULL,
    changed  BIGINT NOT NULL,
    state    TEXT NOT NULL,
    fault    TEXT NOT NULL, -- why it could not be moved
    found_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL -- when it is removed for good; 0 for never by itself
);
CREATE INDEX findings_of_site ON findings (site, state);
