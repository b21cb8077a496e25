-- +goose Up

-- How far a session's state can be relied on. Empty: its host does not say.
ALTER TABLE sessions ADD COLUMN confidence text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE sessions DROP COLUMN confidence;
