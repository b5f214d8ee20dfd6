-- The same text makes the tables of SQLite, PostgreSQL and CockroachDB: no SERIAL,
-- no type that only one of them has. Times are microseconds since 1970, truths 0 or 1.

-- +goose Up
CREATE TABLE packages (
    id             TEXT PRIMARY KEY,
    name           TEXT NOT NULL,
    reseller_id    TEXT NOT NULL DEFAULT '', -- '' is the provider
    -- What a customer may have of each; NULL is no limit.
    sites          BIGINT,
    storage        BIGINT,
    cpu            BIGINT,
    memory         BIGINT,
    mailboxes      BIGINT,
    mail_aliases   BIGINT,
    domain_aliases BIGINT,
    databases      BIGINT,
    backups        BIGINT,
    traffic        BIGINT,
    UNIQUE (reseller_id, name)
);

CREATE TABLE users (
    id          TEXT PRIMARY KEY,
    email       TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    role        TEXT NOT NULL,
    reseller_id TEXT REFERENCES users (id),
    package_id  TEXT REFERENCES packages (id),
    suspended   BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL
);
CREATE INDEX users_of_reseller ON users (reseller_id, email);
CREATE INDEX users_of_package ON users (package_id);

CREATE TABLE sites (
    name           TEXT PRIMARY KEY,
    object         TEXT NOT NULL UNIQUE,
    owner_id       TEXT NOT NULL REFERENCES users (id),
    state          TEXT NOT NULL,
    held           BIGINT NOT NULL DEFAULT 0,
    suspended      BIGINT NOT NULL DEFAULT 0,
    created_at     BIGINT NOT NULL,
    changed_at     BIGINT NOT NULL,
    -- What the site counts of each resource.
    sites          BIGINT NOT NULL DEFAULT 0,
    storage        BIGINT NOT NULL DEFAULT 0,
    cpu            BIGINT NOT NULL DEFAULT 0,
    memory         BIGINT NOT NULL DEFAULT 0,
    mailboxes      BIGINT NOT NULL DEFAULT 0,
    mail_aliases   BIGINT NOT NULL DEFAULT 0,
    domain_aliases BIGINT NOT NULL DEFAULT 0,
    databases      BIGINT NOT NULL DEFAULT 0,
    backups        BIGINT NOT NULL DEFAULT 0,
    traffic        BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sites_of_owner ON sites (owner_id, name);

CREATE TABLE site_names (
    name TEXT PRIMARY KEY,
    site TEXT NOT NULL REFERENCES sites (name) ON DELETE CASCADE
);
CREATE INDEX names_of_site ON site_names (site);

CREATE TABLE grants (
    collaborator_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    customer_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    site            TEXT NOT NULL DEFAULT '', -- '' is every site of the customer
    rights          TEXT NOT NULL,
    PRIMARY KEY (collaborator_id, customer_id, site)
);
CREATE INDEX grants_on_customer ON grants (customer_id);

CREATE TABLE logins (
    user_id       TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    password_hash TEXT NOT NULL,
    totp          BYTEA, -- encrypted
    totp_step     BIGINT NOT NULL DEFAULT 0,
    recovery      TEXT NOT NULL DEFAULT '[]'
);

CREATE TABLE sessions (
    id         TEXT PRIMARY KEY,
    user_id    TEXT REFERENCES users (id) ON DELETE CASCADE,
    data       BYTEA NOT NULL,
    address    TEXT NOT NULL,
    agent      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE passkeys (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    data       BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX passkeys_of_user ON passkeys (user_id);

CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    user_id    TEXT REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    hash       TEXT NOT NULL UNIQUE,
    scopes     TEXT, -- NULL is everything that the account may do
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX tokens_of_user ON tokens (user_id, kind);
CREATE INDEX tokens_by_end ON tokens (expires_at);

CREATE TABLE tries (
    key TEXT NOT NULL,
    at  BIGINT NOT NULL,
    id  TEXT NOT NULL,
    PRIMARY KEY (key, at, id)
);
CREATE INDEX tries_by_time ON tries (at);

CREATE TABLE trail (
    seq         BIGINT PRIMARY KEY,
    at          BIGINT NOT NULL,
    actor       TEXT NOT NULL,
    actor_name  TEXT NOT NULL,
    behind      TEXT NOT NULL,
    behind_name TEXT NOT NULL,
    address     TEXT NOT NULL,
    did         TEXT NOT NULL,
    object      TEXT NOT NULL,
    owner       TEXT NOT NULL,
    reseller    TEXT NOT NULL,
    before      TEXT NOT NULL,
    after       TEXT NOT NULL,
    hash        TEXT NOT NULL
);
CREATE INDEX trail_of_owner ON trail (owner, seq);
CREATE INDEX trail_of_reseller ON trail (reseller, seq);
CREATE INDEX trail_of_actor ON trail (actor, seq);
CREATE INDEX trail_of_object ON trail (object, seq);

-- The end of the trail; one row.
CREATE TABLE trail_end (
    id   BIGINT PRIMARY KEY,
    seq  BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO trail_end (id, seq, hash) VALUES (1, 0, '');
