-- +goose Up

-- Sessions of MCP clients that speak a version before 2026-07-28.
CREATE TABLE mcp_sessions (
    id         text PRIMARY KEY,
    user_id    text NOT NULL REFERENCES users,
    client_id  text NOT NULL,
    initialize bytea NOT NULL,            -- the request, as it came
    created_at timestamptz NOT NULL,
    used_at    timestamptz NOT NULL       -- to the minute
);
CREATE INDEX mcp_sessions_owner ON mcp_sessions (user_id, client_id, used_at);
CREATE INDEX mcp_sessions_used ON mcp_sessions (used_at);

-- Their streams of events, to come back to with Last-Event-ID.
CREATE TABLE mcp_streams (
    session_id text NOT NULL REFERENCES mcp_sessions ON DELETE CASCADE,
    id         text NOT NULL,
    request_id text,                      -- JSON; NULL: the client listens
    last_seq   integer NOT NULL DEFAULT 0,
    closed     boolean NOT NULL DEFAULT false,
    begun_at   timestamptz NOT NULL,
    alive_at   timestamptz NOT NULL,      -- a replica works on it
    PRIMARY KEY (session_id, id)
);
CREATE INDEX mcp_streams_alive ON mcp_streams (alive_at);

CREATE TABLE mcp_events (
    session_id text NOT NULL,
    stream_id  text NOT NULL,
    seq        integer NOT NULL,
    message    bytea NOT NULL,
    PRIMARY KEY (session_id, stream_id, seq),
    FOREIGN KEY (session_id, stream_id) REFERENCES mcp_streams ON DELETE CASCADE
);

-- Clients' answers that came to another replica than the one which asked.
CREATE TABLE mcp_answers (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id text NOT NULL,
    stream_id  text NOT NULL,             -- on which was asked
    message    bytea NOT NULL,
    FOREIGN KEY (session_id, stream_id) REFERENCES mcp_streams ON DELETE CASCADE
);
CREATE INDEX mcp_answers_stream ON mcp_answers (session_id, stream_id);

-- +goose Down
DROP TABLE mcp_answers, mcp_events, mcp_streams, mcp_sessions;
