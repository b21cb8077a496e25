-- +goose Up
-- Sessions of whose start nothing was heard. Every replica looks for them every other second.
CREATE INDEX sessions_unheard ON sessions (started_at) WHERE state = 'starting' AND last_seq = 0 AND state_seq = 0;

-- +goose Down
DROP INDEX sessions_unheard;
