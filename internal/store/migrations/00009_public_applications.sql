-- Applications that have no secret, and which mail addresses people have shown to be theirs.

-- +goose Up
ALTER TABLE applications ADD COLUMN public BIGINT NOT NULL DEFAULT 0;
-- A link that was mailed says where to; who follows it has that address.
ALTER TABLE tokens ADD COLUMN sent_to TEXT NOT NULL DEFAULT '';
ALTER TABLE logins ADD COLUMN confirmed TEXT NOT NULL DEFAULT '';
