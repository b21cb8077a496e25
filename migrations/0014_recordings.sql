-- +goose Up

-- Segments of sessions' recordings, where the host's owner has them copied here. They are rows and not files, so that
-- every replica can show them.
CREATE TABLE recording_segments (
    session_id text NOT NULL REFERENCES sessions ON DELETE CASCADE,
    number     bigint NOT NULL,
    host_id    text NOT NULL REFERENCES hosts,
    began_at   timestamptz NOT NULL,    -- by the host's clock
    ended_at   timestamptz NOT NULL,
    stored_at  timestamptz NOT NULL,
    size       integer NOT NULL,        -- bytes that it counts as: of data, but for small ones
    sha256     bytea NOT NULL,          -- of data
    data       bytea NOT NULL,          -- asciicast v3, packed with zstd; less than 1 MiB
    PRIMARY KEY (session_id, number)
);
ALTER TABLE recording_segments ALTER COLUMN data SET STORAGE EXTERNAL; -- it is packed already
CREATE INDEX recording_segments_host ON recording_segments (host_id, stored_at, session_id, number) INCLUDE (size);
CREATE INDEX recording_segments_age ON recording_segments (stored_at);

-- +goose Down
DROP TABLE recording_segments;
