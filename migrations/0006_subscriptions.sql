-- +goose Up

-- What clients asked to be told of, at a webhook of theirs (MCP Events). Ends with its grant, or when its time is over.
CREATE TABLE subscriptions (
    id               text PRIMARY KEY,      -- follows from person, client, kind, what it is narrowed to, and url
    user_id          text NOT NULL REFERENCES users,
    client_id        text NOT NULL REFERENCES oauth_clients,
    grant_id         text NOT NULL REFERENCES oauth_grants ON DELETE CASCADE,
    kind             text NOT NULL,         -- of the notices
    session_id       text REFERENCES sessions ON DELETE CASCADE,
    host_id          text REFERENCES hosts,
    url              text NOT NULL,
    secret           bytea NOT NULL,        -- sealed
    old_secret       bytea,                 -- sealed; signs too until old_secret_until
    old_secret_until timestamptz,
    created_at       timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL,
    active           boolean NOT NULL DEFAULT true, -- false: it failed for too long
    next_at          timestamptz NOT NULL,  -- before this nobody sends: a lease, or the wait after a failure
    failures         integer NOT NULL DEFAULT 0, -- in a row
    failed_since     timestamptz,
    last_error       text NOT NULL DEFAULT '',
    last_sent_at     timestamptz
);
CREATE INDEX subscriptions_kind ON subscriptions (kind);
CREATE INDEX subscriptions_due ON subscriptions (next_at) WHERE active;
CREATE INDEX subscriptions_grant ON subscriptions (grant_id);
CREATE INDEX subscriptions_user ON subscriptions (user_id);

-- What is still to be told. Written in the transaction that commits the event from which it follows.
CREATE TABLE notices (
    subscription_id text NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
    session_id      text NOT NULL REFERENCES sessions,
    seq             bigint NOT NULL,        -- of the event
    prompt_id       text,                   -- that needs an answer
    at              timestamptz NOT NULL,
    attempts        integer NOT NULL DEFAULT 0,
    PRIMARY KEY (subscription_id, at, session_id, seq)
);

-- To find the state before a state.
CREATE INDEX events_states ON events (session_id, seq) WHERE kind = 'session_changed';

-- +goose Down
DROP INDEX events_states;
DROP TABLE notices, subscriptions;
