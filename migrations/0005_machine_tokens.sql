-- +goose Up

-- What a grant came from, and what its person calls it: a personal token's name, or the machine that asked.
ALTER TABLE oauth_grants
    ADD COLUMN origin     text NOT NULL DEFAULT 'code' CHECK (origin IN ('code', 'device', 'personal')),
    ADD COLUMN name       text NOT NULL DEFAULT '',
    ADD COLUMN expires_at timestamptz;             -- of a personal token, which is good until then; others: null

ALTER TABLE oauth_tokens
    DROP CONSTRAINT oauth_tokens_kind_check,
    ADD CONSTRAINT oauth_tokens_kind_check CHECK (kind IN ('code', 'access', 'refresh', 'pat'));

-- Clients that are part of Switchboard; they are never swept. A personal token belongs to one that can do nothing by
-- itself. The host agent may only ask by the device grant, and only to make its machine a host.
INSERT INTO oauth_clients (id, name, redirect_uris, auth_method, metadata) VALUES
    ('personal-token', 'Personal access token', '{}', 'none', '{}'),
    ('hostagent', 'Host agent', '{}', 'none',
        '{"application_type": "native", "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"]}');

-- Device authorization requests (RFC 8628). The device code is kept as its signature only; the user code lets
-- nobody in, since a person who is logged in must type it and allow what he is shown.
CREATE TABLE oauth_devices (
    signature  text PRIMARY KEY,
    user_code  text NOT NULL UNIQUE,
    client_id  text NOT NULL REFERENCES oauth_clients ON DELETE CASCADE,
    scopes     text NOT NULL,
    resource   text NOT NULL,
    addr       text NOT NULL,                      -- from where it was asked for
    host_name  text NOT NULL DEFAULT '',           -- what a machine that wants to become a host says of itself
    host_user  text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    interval_s integer NOT NULL,                   -- seconds that the device must leave between polls
    polled_at  timestamptz,
    decided_at timestamptz,
    grant_id   text REFERENCES oauth_grants ON DELETE CASCADE, -- null although decided: denied
    spent_at   timestamptz                         -- the tokens were handed out
);
CREATE INDEX oauth_devices_expiry ON oauth_devices (expires_at);

-- +goose Down
DROP TABLE oauth_devices;
DELETE FROM oauth_grants WHERE client_id IN ('personal-token', 'hostagent');
DELETE FROM oauth_clients WHERE id IN ('personal-token', 'hostagent');
ALTER TABLE oauth_tokens
    DROP CONSTRAINT oauth_tokens_kind_check,
    ADD CONSTRAINT oauth_tokens_kind_check CHECK (kind IN ('code', 'access', 'refresh'));
ALTER TABLE oauth_grants DROP COLUMN origin, DROP COLUMN name, DROP COLUMN expires_at;
