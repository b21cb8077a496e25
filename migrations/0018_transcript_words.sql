-- +goose NO TRANSACTION
-- +goose Up

-- A large table takes longer than a statement of a request may. Replicas go on reading and writing meanwhile; after an
-- interruption it begins again.
SET statement_timeout = 0;
SET lock_timeout = 0;

-- What there is to be read in an event, as it stands: what was said, what a tool was given, what was asked and
-- answered. A tsvector holds at most 1 MB.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION event_text(kind text, body jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
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
DROP INDEX CONCURRENTLY IF EXISTS events_text;
CREATE INDEX CONCURRENTLY events_text ON events USING gin (to_tsvector('simple', translate(event_text(kind, body), '/\._:=@', '       ')))
    WHERE kind IN ('entry', 'prompt_asked', 'prompt_settled');

-- Replicas of the version before search without an index from here on, until they are replaced. To keep theirs for so
-- long would be to index each event twice until a later version, which nobody can tell from this one.
DROP INDEX CONCURRENTLY IF EXISTS events_words;

-- A transcript has what was asked, too: it is read by the primary key.
DROP INDEX CONCURRENTLY IF EXISTS events_entries;

RESET statement_timeout;
RESET lock_timeout;

-- +goose Down
DROP INDEX events_text;
DROP FUNCTION event_text;
CREATE INDEX events_entries ON events (session_id, seq) WHERE kind = 'entry';
CREATE INDEX events_words ON events USING gin (to_tsvector('simple', left(body->>'text', 65536))) WHERE kind = 'entry';
