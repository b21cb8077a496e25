-- +goose Up

-- What a session has taken so far, as its host last said: protocol.SessionUsage.
ALTER TABLE sessions ADD COLUMN usage jsonb;
ALTER TABLE sessions ADD COLUMN usage_seq bigint NOT NULL DEFAULT 0; -- the event up to which that is known

-- +goose Down
ALTER TABLE sessions DROP COLUMN usage, DROP COLUMN usage_seq;
