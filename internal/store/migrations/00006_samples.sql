-- What sites used: sums of n measurements during a span (in seconds) that begins at a
-- time (seconds of Unix). A site that is gone leaves them to their age.

-- +goose Up
CREATE TABLE samples (
    site    TEXT NOT NULL,
    span    BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    n       BIGINT NOT NULL,
    cpu     BIGINT NOT NULL,
    memory  BIGINT NOT NULL,
    storage BIGINT NOT NULL,
    PRIMARY KEY (site, span, at)
);
CREATE INDEX samples_by_age ON samples (span, at);
CREATE TABLE sample_turn (
    id     BIGINT PRIMARY KEY,
    holder TEXT NOT NULL,
    until  BIGINT NOT NULL
);
INSERT INTO sample_turn (id, holder, until) VALUES (1, '', 0);
