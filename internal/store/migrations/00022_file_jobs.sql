-- Long changes of sites' files, for every panel to see: those under way, and how the last
-- ones ended. One whose panel gives no more signs of life has ended with it.

-- +goose Up
CREATE TABLE file_jobs (
    id         TEXT PRIMARY KEY,
    site       TEXT NOT NULL REFERENCES sites (name) ON DELETE CASCADE,
    account_id TEXT NOT NULL,   -- whose it counts as; it may be gone
    deed       TEXT NOT NULL,
    paths      TEXT NOT NULL,   -- JSON
    target     TEXT NOT NULL,
    began_at   BIGINT NOT NULL,
    beat_at    BIGINT NOT NULL, -- the last sign of life
    ended_at   BIGINT NOT NULL, -- 0: under way
    state      TEXT NOT NULL,
    cancel     BIGINT NOT NULL, -- somebody wants it to end
    size       BIGINT NOT NULL, -- octets so far
    entries    BIGINT NOT NULL, -- files so far
    code       TEXT NOT NULL,   -- what went wrong; '' for nothing
    message    TEXT NOT NULL,
    mend       TEXT NOT NULL
);
CREATE INDEX file_jobs_of_site ON file_jobs (site, id);
CREATE INDEX file_jobs_beat ON file_jobs (beat_at);
