-- +goose Up

-- How a client came to be known: it registered itself, a document at its id describes it, an administrator added it,
-- or it is part of Switchboard.
ALTER TABLE oauth_clients
    ADD COLUMN kind text NOT NULL DEFAULT 'registered' CHECK (kind IN ('registered', 'document', 'predefined', 'builtin'));
UPDATE oauth_clients SET kind = 'builtin' WHERE id IN ('personal-token', 'hostagent');

-- Where a consent was sent; empty where there was no redirect, or none was kept.
ALTER TABLE oauth_grants ADD COLUMN redirect_uri text NOT NULL DEFAULT '';

-- What was found at the addresses that clients give as their ids, beside the clients themselves.
CREATE TABLE client_documents (
    url         text PRIMARY KEY,
    checked_at  timestamptz NOT NULL, -- the last attempt
    fresh_until timestamptz NOT NULL, -- not asked for again before
    etag        text NOT NULL,        -- of the version that the client was made of
    problem     text NOT NULL         -- of the last attempt; empty: it went well
);

-- +goose Down
DROP TABLE client_documents;
ALTER TABLE oauth_grants DROP COLUMN redirect_uri;
ALTER TABLE oauth_clients DROP COLUMN kind;
