-- +goose Up

-- Answers that people gave to questions and that have allowed what they allow, once. They expire, and are deleted.
CREATE TABLE used_answers (
    id         text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX used_answers_expiry ON used_answers (expires_at);

-- +goose Down
DROP TABLE used_answers;
