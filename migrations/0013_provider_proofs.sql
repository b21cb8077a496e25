-- +goose Up

-- Whether a browser went to the provider so that its person proves again who he is.
ALTER TABLE provider_logins ADD COLUMN again boolean NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE provider_logins DROP COLUMN again;
