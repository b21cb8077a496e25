-- +goose Up

-- What a person sees of his browser logins, how he proved who he is, and when he last did.
ALTER TABLE web_sessions
    ADD COLUMN browser   text NOT NULL DEFAULT '',
    ADD COLUMN proof     text NOT NULL DEFAULT 'password'
        CHECK (proof IN ('password', 'password+code', 'passkey', 'sso')),
    ADD COLUMN proved_at timestamptz NOT NULL DEFAULT now();
UPDATE web_sessions SET proved_at = created_at;

-- +goose Down
ALTER TABLE web_sessions DROP COLUMN browser, DROP COLUMN proof, DROP COLUMN proved_at;
