-- +goose Up

-- People.
CREATE TABLE users (
    id            text PRIMARY KEY,
    name          text NOT NULL UNIQUE CHECK (name = lower(name)), -- what one logs in with
    display_name  text NOT NULL,
    role          text NOT NULL CHECK (role IN ('admin', 'member')),
    password_hash text NOT NULL,                                   -- argon2id, PHC string
    created_at    timestamptz NOT NULL DEFAULT now(),
    suspended_at  timestamptz
);

-- One-time links that make an account. The first administrator's has no inviter.
CREATE TABLE invites (
    token_hash bytea PRIMARY KEY,
    role       text NOT NULL CHECK (role IN ('admin', 'member')),
    invited_by text REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    used_by    text REFERENCES users
);

-- Browser logins.
CREATE TABLE web_sessions (
    token_hash   bytea PRIMARY KEY,
    user_id      text NOT NULL REFERENCES users,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    addr         text NOT NULL DEFAULT ''
);
CREATE INDEX web_sessions_user ON web_sessions (user_id);

-- Logins that failed or are under way, for the brute-force limit.
CREATE TABLE login_failures (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    addr    text NOT NULL,
    at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_failures_account ON login_failures (account, at);
CREATE INDEX login_failures_addr ON login_failures (addr, at);

-- OAuth clients, registered dynamically (RFC 7591).
CREATE TABLE oauth_clients (
    id            text PRIMARY KEY,
    name          text NOT NULL,
    redirect_uris text[] NOT NULL,
    auth_method   text NOT NULL,
    secret_hash   bytea,
    metadata      jsonb NOT NULL,          -- what else it said of itself: its site, its policies
    created_at    timestamptz NOT NULL DEFAULT now(),
    disabled_at   timestamptz
);

-- What a person allowed a client: one row for each consent, the family of its codes and tokens.
CREATE TABLE oauth_grants (
    id           text PRIMARY KEY,
    user_id      text NOT NULL REFERENCES users,
    client_id    text NOT NULL REFERENCES oauth_clients,
    scopes       text NOT NULL,
    resource     text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    last_addr    text NOT NULL DEFAULT '',
    revoked_at   timestamptz,
    revoked_why  text NOT NULL DEFAULT ''
);
CREATE INDEX oauth_grants_user ON oauth_grants (user_id);
CREATE INDEX oauth_grants_client ON oauth_grants (client_id);

-- Codes, access tokens and refresh tokens, as signatures only. Each is spent by a conditional update.
CREATE TABLE oauth_tokens (
    kind         text NOT NULL CHECK (kind IN ('code', 'access', 'refresh')),
    signature    text NOT NULL,
    grant_id     text NOT NULL REFERENCES oauth_grants ON DELETE CASCADE,
    scopes       text NOT NULL,             -- of an access token: may be fewer than its grant's
    redirect_uri text NOT NULL DEFAULT '',  -- of a code
    challenge    text NOT NULL DEFAULT '',  -- of a code: PKCE, S256
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    spent_at     timestamptz,               -- a code was redeemed, a refresh token rotated
    PRIMARY KEY (kind, signature)
);
CREATE INDEX oauth_tokens_grant ON oauth_tokens (grant_id);
CREATE INDEX oauth_tokens_expiry ON oauth_tokens (expires_at);

-- Hosts.
CREATE TABLE hosts (
    id            text PRIMARY KEY,
    name          text NOT NULL,           -- what people call it; unique among those that are not removed
    owner_id      text REFERENCES users,   -- null until there is a first administrator
    nkey          text NOT NULL UNIQUE,    -- the host's public key
    created_at    timestamptz NOT NULL DEFAULT now(),
    removed_at    timestamptz,
    connected_at  timestamptz,
    last_seen_at  timestamptz,
    away_since    timestamptz,             -- null while connected
    contract      integer NOT NULL DEFAULT 0,
    agent_version text NOT NULL DEFAULT '',
    hostname      text NOT NULL DEFAULT '',
    os            text NOT NULL DEFAULT '',
    arch          text NOT NULL DEFAULT '',
    kinds         jsonb NOT NULL DEFAULT '[]',
    roots         text[] NOT NULL DEFAULT '{}',
    modes         text[] NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX hosts_name ON hosts (lower(name)) WHERE removed_at IS NULL;

CREATE TABLE host_shares (
    host_id    text NOT NULL REFERENCES hosts,
    user_id    text NOT NULL REFERENCES users,
    access     text NOT NULL CHECK (access IN ('viewer', 'operator')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (host_id, user_id)
);
CREATE INDEX host_shares_user ON host_shares (user_id);

CREATE TABLE join_tokens (
    token_hash bytea PRIMARY KEY,
    host_name  text NOT NULL,
    owner_id   text REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    used_by    text REFERENCES hosts
);

-- Sessions: what each one's host last said.
CREATE TABLE sessions (
    id              text PRIMARY KEY,
    host_id         text NOT NULL REFERENCES hosts,
    handle          text NOT NULL UNIQUE,
    name            text NOT NULL,
    created_by      text NOT NULL REFERENCES users,
    idempotency_key text,
    request         bytea NOT NULL DEFAULT '', -- hash of what was asked for, to know a repeat by
    agent           text NOT NULL,
    agent_version   text NOT NULL DEFAULT '',
    working_dir     text NOT NULL,
    permission_mode text NOT NULL,
    state           text NOT NULL,
    evidence        text NOT NULL,
    state_at        timestamptz NOT NULL,
    started_at      timestamptz NOT NULL,
    exited_at       timestamptz,
    exit_code       integer,
    exit_reason     text NOT NULL DEFAULT '',
    last_seq        bigint NOT NULL DEFAULT 0, -- of the last committed event
    state_seq       bigint NOT NULL DEFAULT 0, -- the event up to which state and what follows it are known
    UNIQUE (created_by, idempotency_key)
);
CREATE INDEX sessions_host ON sessions (host_id, started_at DESC);
CREATE INDEX sessions_name ON sessions (lower(name));

-- Every event of every session, exactly once, without a gap.
CREATE TABLE events (
    session_id text NOT NULL REFERENCES sessions,
    seq        bigint NOT NULL,
    at         timestamptz NOT NULL,
    kind       text NOT NULL,
    body       jsonb NOT NULL,
    PRIMARY KEY (session_id, seq)
);
CREATE INDEX events_entries ON events (session_id, seq) WHERE kind = 'entry';
-- What search looks through. A tsvector holds at most 1 MB.
CREATE INDEX events_words ON events USING gin (to_tsvector('simple', left(body->>'text', 65536))) WHERE kind = 'entry';

CREATE TABLE messages (
    id              text PRIMARY KEY,
    session_id      text NOT NULL REFERENCES sessions,
    author_id       text NOT NULL REFERENCES users,
    client_id       text NOT NULL,
    idempotency_key text,
    body            text NOT NULL,
    status          text NOT NULL,
    detail          text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (author_id, idempotency_key)
);
CREATE INDEX messages_session ON messages (session_id, created_at DESC);

CREATE TABLE prompts (
    id          text PRIMARY KEY,
    session_id  text NOT NULL REFERENCES sessions,
    status      text NOT NULL CHECK (status IN ('asked', 'answering', 'settled')),
    prompt      jsonb NOT NULL,       -- protocol.Prompt, as the host asked it
    asked_at    timestamptz NOT NULL,
    answered_by text REFERENCES users, -- whose answer was handed over; first one wins
    answered_at timestamptz,
    answer      jsonb,                 -- protocol.Answer
    command_id  text,
    settlement  jsonb,                 -- protocol.Settlement
    settled_at  timestamptz
);
CREATE INDEX prompts_open ON prompts (session_id) WHERE status <> 'settled';
CREATE INDEX prompts_session ON prompts (session_id, asked_at DESC);

CREATE TABLE templates (
    name            text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    description     text NOT NULL DEFAULT '',
    host_id         text REFERENCES hosts, -- null: the caller says, or has only one
    working_dir     text NOT NULL DEFAULT '',
    agent           text NOT NULL DEFAULT '',
    permission_mode text NOT NULL DEFAULT '',
    message         text NOT NULL DEFAULT '',
    created_by      text NOT NULL REFERENCES users,
    created_at      timestamptz NOT NULL DEFAULT now()
);

-- The audit chain. Nothing updates or deletes here.
CREATE TABLE audit_events (
    seq       bigint PRIMARY KEY,
    at        timestamptz NOT NULL,
    user_id   text NOT NULL,
    user_name text NOT NULL,
    client_id text NOT NULL,
    client    text NOT NULL,
    addr      text NOT NULL,
    action    text NOT NULL,
    host      text NOT NULL,
    session   text NOT NULL,
    target    text NOT NULL,
    allowed   boolean NOT NULL,
    detail    jsonb NOT NULL,
    previous  bytea,
    hash      bytea NOT NULL
);
CREATE INDEX audit_events_session ON audit_events (session, seq DESC);
CREATE INDEX audit_events_host ON audit_events (host, seq DESC);
CREATE INDEX audit_events_user ON audit_events (user_id, seq DESC);

-- +goose StatementBegin
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_events is append-only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

-- +goose Down
DROP TABLE audit_events, templates, prompts, messages, events, sessions, join_tokens, host_shares, hosts,
    oauth_tokens, oauth_grants, oauth_clients, login_failures, web_sessions, invites, users;
DROP FUNCTION audit_is_append_only;
