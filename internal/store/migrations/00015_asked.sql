-- What a request that counts once asked for is told by an encrypted digest; request has it
-- of those from before, which are forgotten within a day.

-- +goose Up
ALTER TABLE once ADD COLUMN asked BYTEA; -- encrypted
