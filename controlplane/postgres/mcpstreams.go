package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/mcpsession"
)

// InsertMCPStream keeps a new stream, and forgets those of its session beyond mcpsession.KeepStreams. What somebody
// still works on stays the longest: a client listens on one stream for as long as it makes calls.
func (db *DB) InsertMCPStream(ctx context.Context, s mcpsession.Stream, alive time.Time) error {
	return db.begin(ctx, "insert the MCP stream", func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`
			INSERT INTO mcp_streams (session_id, id, request_id, begun_at, alive_at)
			VALUES ($1, $2, $3, $4, $5)`, s.Session, s.ID, rawText(s.Request), s.BegunAt, s.AliveAt)
		batch.Queue(`
			DELETE FROM mcp_streams WHERE session_id = $1 AND id IN (
				SELECT id FROM mcp_streams WHERE session_id = $1
				ORDER BY id = $2 DESC, NOT closed AND alive_at > $4 DESC, begun_at DESC, id OFFSET $3)`,
			s.Session, s.ID, mcpsession.KeepStreams, alive)
		return tx.SendBatch(ctx, batch).Close()
	})
}

// rawText is JSON as text, or NULL.
func rawText(raw json.RawMessage) *string {
	if raw == nil {
		return nil
	}
	text := string(raw)
	return &text
}

// RenewMCPStream writes that a replica still works on a stream.
func (db *DB) RenewMCPStream(ctx context.Context, session, stream string, at time.Time) error {
	return db.change(ctx, "renew the MCP stream", `
		UPDATE mcp_streams SET alive_at = $3
		WHERE session_id = $1 AND id = $2 AND alive_at < $3`, session, stream, at)
}

// AppendMCPEvent numbers and keeps an event of a stream that is not closed.
func (db *DB) AppendMCPEvent(ctx context.Context, session, stream string, message json.RawMessage, last bool, at time.Time) (seq int, err error) {
	err = db.pool.QueryRow(ctx, `
		WITH stream AS (
			UPDATE mcp_streams SET last_seq = last_seq + 1, closed = $4, alive_at = $5
			WHERE session_id = $1 AND id = $2 AND NOT closed
			RETURNING last_seq
		), forgotten AS (
			DELETE FROM mcp_events USING stream
			WHERE session_id = $1 AND stream_id = $2 AND seq <= stream.last_seq - $6
		)
		INSERT INTO mcp_events (session_id, stream_id, seq, message)
		SELECT $1, $2, last_seq, $3 FROM stream
		RETURNING seq`, session, stream, []byte(message), last, at, mcpsession.KeepEvents).Scan(&seq)
	return seq, explain("append the MCP event", err)
}

// MCPEvents are a stream and its events after a number, of one moment.
func (db *DB) MCPEvents(ctx context.Context, session, stream string, after int) (mcpsession.Stream, []mcpsession.Event, error) {
	found := mcpsession.Stream{Session: session, ID: stream}
	var events []mcpsession.Event
	rows, err := db.pool.Query(ctx, `
		SELECT s.request_id, s.last_seq, s.closed, s.begun_at, s.alive_at, e.seq, e.message
		FROM mcp_streams s LEFT JOIN mcp_events e ON e.session_id = s.session_id AND e.stream_id = s.id AND e.seq > $3
		WHERE s.session_id = $1 AND s.id = $2
		ORDER BY e.seq`, session, stream, after)
	if err != nil {
		return found, nil, explain("find the MCP stream", err)
	}
	var request *string
	var seq *int
	var message []byte
	tag, err := pgx.ForEachRow(rows, []any{&request, &found.LastSeq, &found.Closed, &found.BegunAt, &found.AliveAt, &seq, &message}, func() error {
		if seq != nil {
			events = append(events, mcpsession.Event{Seq: *seq, Message: append(json.RawMessage{}, message...)})
		}
		return nil
	})
	if err == nil && tag.RowsAffected() == 0 {
		err = pgx.ErrNoRows
	}
	if request != nil {
		found.Request = json.RawMessage(*request)
	}
	return found, events, explain("find the MCP stream", err)
}

// InsertMCPAnswer keeps a client's answer for the replica that asked.
func (db *DB) InsertMCPAnswer(ctx context.Context, session, stream string, answer json.RawMessage) error {
	tag, err := db.pool.Exec(ctx, `
		INSERT INTO mcp_answers (session_id, stream_id, message)
		SELECT session_id, id, $3 FROM mcp_streams
		WHERE session_id = $1 AND id = $2 AND NOT closed
			AND (SELECT count(*) FROM mcp_answers WHERE session_id = $1) < $4`,
		session, stream, []byte(answer), mcpsession.KeepAnswers)
	if err == nil && tag.RowsAffected() == 0 {
		err = pgx.ErrNoRows
	}
	return explain("insert the MCP answer", err)
}

// TakeMCPAnswers gives each answer that came for a stream, once.
func (db *DB) TakeMCPAnswers(ctx context.Context, session, stream string) ([]json.RawMessage, error) {
	rows, err := db.pool.Query(ctx, `
		WITH taken AS (
			DELETE FROM mcp_answers WHERE session_id = $1 AND stream_id = $2 RETURNING id, message)
		SELECT message FROM taken ORDER BY id`, session, stream)
	if err != nil {
		return nil, explain("take the MCP answers", err)
	}
	answers, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	var raw []json.RawMessage
	for _, answer := range answers {
		raw = append(raw, answer)
	}
	return raw, explain("take the MCP answers", err)
}
