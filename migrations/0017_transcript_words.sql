-- +goose Up

-- A large table takes longer than a statement of a request may.
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = 0;

-- What a session has taken so far, as its host last said: protocol.SessionUsage.
ALTER TABLE sessions ADD COLUMN usage jsonb;
ALTER TABLE sessions ADD COLUMN usage_seq bigint NOT NULL DEFAULT 0; -- the event up to which that is known

-- What there is to be read in an event, as it stands: what was said, what a tool was given, what was asked and
-- answered. A tsvector holds at most 1 MB.
-- +goose StatementBegin
CREATE FUNCTION event_text(kind text, body jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT left(concat_ws(' ', said, (
        SELECT string_agg(word #>> '{}', ' ')
        FROM jsonb_path_query(listed, 'strict $.**{0 to 8} ? (@.type() == "string")', '{}', true) AS word
    ), more), 65536)
    FROM (SELECT
        CASE kind
            WHEN 'entry' THEN concat_ws(' ', body->>'tool', body->>'subagent')
            WHEN 'prompt_asked' THEN concat_ws(' ', body->>'tool', body->>'title')
            WHEN 'prompt_settled' THEN concat_ws(' ', body->>'actor', body->>'answer')
        END,
        CASE kind WHEN 'entry' THEN body->'input' WHEN 'prompt_asked' THEN body->'questions' END,
        CASE kind WHEN 'entry' THEN body->>'text' WHEN 'prompt_asked' THEN body->>'detail' END
    ) AS event (said, listed, more)
$$;
-- +goose StatementEnd

-- What search looks through. The parser takes src/main.go for one word, and so would not find main.go in it.
DROP INDEX events_words;
CREATE INDEX events_words ON events USING gin (to_tsvector('simple', translate(event_text(kind, body), '/\._:=@', '       ')))
    WHERE kind IN ('entry', 'prompt_asked', 'prompt_settled');

-- A transcript has what was asked, too: it is read by the primary key.
DROP INDEX events_entries;

-- +goose Down
DROP INDEX events_words;
DROP FUNCTION event_text;
ALTER TABLE sessions DROP COLUMN usage, DROP COLUMN usage_seq;
CREATE INDEX events_entries ON events (session_id, seq) WHERE kind = 'entry';
CREATE INDEX events_words ON events USING gin (to_tsvector('simple', left(body->>'text', 65536))) WHERE kind = 'entry';
