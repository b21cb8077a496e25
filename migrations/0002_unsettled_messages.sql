-- +goose Up

-- What an idle session is still about to take up: the newest of them, however many wait. Every look at a session asks.
CREATE INDEX messages_unsettled ON messages (session_id, updated_at) WHERE status IN ('queued', 'delivered');

-- +goose Down
DROP INDEX messages_unsettled;
