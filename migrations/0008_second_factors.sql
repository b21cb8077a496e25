-- +goose Up

-- Authenticator apps. Secrets are sealed for their person with a key that is not in the database.
CREATE TABLE totp (
    user_id      text PRIMARY KEY REFERENCES users,
    sealed       bytea,                     -- null until a first code has been confirmed
    last_step    bigint NOT NULL DEFAULT 0, -- of the newest code that was used: it and older ones are worth nothing
    confirmed_at timestamptz,
    pending      bytea,                     -- one that is being set up
    pending_at   timestamptz
);

-- Recovery codes that have not been used.
CREATE TABLE recovery_codes (
    user_id    text NOT NULL REFERENCES users,
    code_hash  bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);

-- Passkeys: public keys that a person's devices have the private halves of.
CREATE TABLE passkeys (
    id              bytea PRIMARY KEY, -- the credential's
    user_id         text NOT NULL REFERENCES users,
    name            text NOT NULL,
    public_key      bytea NOT NULL,    -- COSE
    sign_count      bigint NOT NULL,
    backup_eligible boolean NOT NULL,
    backed_up       boolean NOT NULL,
    transports      text[] NOT NULL,
    created_at      timestamptz NOT NULL,
    last_used_at    timestamptz
);
CREATE INDEX passkeys_user ON passkeys (user_id);

-- Logins whose password was right and which wait for their second step.
CREATE TABLE login_steps (
    token_hash bytea PRIMARY KEY,
    user_id    text NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX login_steps_user ON login_steps (user_id);

-- Challenges that browsers have been given for passkeys. Each is taken out by its one answer.
CREATE TABLE passkey_ceremonies (
    token_hash bytea PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('login', 'register', 'prove')),
    user_id    text REFERENCES users, -- null before a login
    data       jsonb NOT NULL,        -- what go-webauthn compares the answer with
    expires_at timestamptz NOT NULL
);

-- +goose Down
DROP TABLE passkey_ceremonies, login_steps, passkeys, recovery_codes, totp;
