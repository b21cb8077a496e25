-- +goose Up

-- The events by which agents accepted messages. Every look at an idle session asks for those after its state's.
CREATE INDEX events_accepted ON events (session_id, seq)
    WHERE kind = 'message_changed' AND body->>'status' = 'accepted';

-- +goose Down
DROP INDEX events_accepted;
