-- +goose Up

-- What the host changed in a message's text before it typed it, in words.
ALTER TABLE messages ADD COLUMN changed text[] NOT NULL DEFAULT '{}';

-- +goose Down
ALTER TABLE messages DROP COLUMN changed;
