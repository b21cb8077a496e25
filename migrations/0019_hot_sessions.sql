-- +goose Up
-- A session's row is written at each of its events. An index whose predicate names a column that such a write changes
-- makes every one of them write all indexes and leave a dead row, which each read passes over until the next vacuum.
-- What is indexed now is a column that changes once in a session's life, and a page has room for a row's next version.
DROP INDEX sessions_unheard;
ALTER TABLE sessions SET (fillfactor = 50);
ALTER TABLE sessions ADD COLUMN unheard boolean NOT NULL
    GENERATED ALWAYS AS (state = 'starting' AND last_seq = 0 AND state_seq = 0) STORED;
CREATE INDEX sessions_unheard ON sessions (started_at) WHERE unheard;

-- +goose Down
DROP INDEX sessions_unheard;
ALTER TABLE sessions DROP COLUMN unheard;
ALTER TABLE sessions RESET (fillfactor);
CREATE INDEX sessions_unheard ON sessions (started_at) WHERE state = 'starting' AND last_seq = 0 AND state_seq = 0;
