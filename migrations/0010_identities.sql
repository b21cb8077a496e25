-- +goose Up

-- Whoever logs in by a provider of identities needs no password.
ALTER TABLE users ALTER COLUMN password_hash DROP NOT NULL;
ALTER TABLE users ADD COLUMN shut_out boolean NOT NULL DEFAULT false; -- suspended because his provider said so

-- Who a provider's people are here.
CREATE TABLE identities (
    issuer        text NOT NULL,
    subject       text NOT NULL,
    user_id       text NOT NULL REFERENCES users,
    name          text NOT NULL,      -- what the provider calls the person
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_login_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject),
    CONSTRAINT identities_of_user UNIQUE (user_id, issuer)
);

-- Browsers that have gone to a provider and are expected back, once.
CREATE TABLE provider_logins (
    state_hash   bytea PRIMARY KEY,
    browser_hash bytea NOT NULL,
    issuer       text NOT NULL,
    return_to    text NOT NULL,
    connect      text REFERENCES users, -- null: a login
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX provider_logins_expiry ON provider_logins (expires_at);

-- +goose Down
DROP TABLE provider_logins, identities;
ALTER TABLE users DROP COLUMN shut_out;
ALTER TABLE users ALTER COLUMN password_hash SET NOT NULL;
