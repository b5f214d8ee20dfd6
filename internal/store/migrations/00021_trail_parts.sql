-- A part of the trail is read in the order of its times, from one place of an index on. Those
-- of before knew the numbers alone, and nothing of actions and times.

-- +goose Up
CREATE INDEX trail_by_time ON trail (at, seq);
CREATE INDEX trail_by_deed ON trail (did, at, seq);
CREATE INDEX trail_by_owner ON trail (owner, at, seq);
CREATE INDEX trail_by_reseller ON trail (reseller, at, seq);
CREATE INDEX trail_by_actor ON trail (actor, at, seq);
CREATE INDEX trail_by_object ON trail (object, at, seq);
DROP INDEX trail_of_owner;
DROP INDEX trail_of_reseller;
DROP INDEX trail_of_actor;
DROP INDEX trail_of_object;
