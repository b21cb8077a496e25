package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/mcpsession"
)

var _ mcpsession.Store = (*DB)(nil)

// InsertMCPSession keeps a new session, and forgets the least recently used of its owner's beyond keep.
func (db *DB) InsertMCPSession(ctx context.Context, s mcpsession.Session, keep int) error {
	return db.begin(ctx, "insert the MCP session", func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`
			INSERT INTO mcp_sessions (id, user_id, client_id, initialize, created_at, used_at)
			VALUES ($1, $2, $3, $4, $5, $6)`, s.ID, s.User, s.Client, []byte(s.Initialize), s.CreatedAt, s.UsedAt)
		batch.Queue(`
			DELETE FROM mcp_sessions WHERE id IN (
				SELECT id FROM mcp_sessions WHERE user_id = $1 AND client_id = $2
				ORDER BY id = $3 DESC, used_at DESC, created_at DESC, id OFFSET $4)`, s.User, s.Client, s.ID, keep)
		return tx.SendBatch(ctx, batch).Close()
	})
}

// MCPSession finds a session.
func (db *DB) MCPSession(ctx context.Context, id string) (mcpsession.Session, error) {
	var s mcpsession.Session
	err := db.pool.QueryRow(ctx, `
		SELECT id, user_id, client_id, initialize, created_at, used_at
		FROM mcp_sessions
		WHERE id = $1`, id).
		Scan(&s.ID, &s.User, &s.Client, (*[]byte)(&s.Initialize), &s.CreatedAt, &s.UsedAt)
	return s, explain("find the MCP session", err)
}

// TouchMCPSession writes that a session is in use.
func (db *DB) TouchMCPSession(ctx context.Context, id string, at time.Time) error {
	return db.change(ctx, "touch the MCP session", `
		UPDATE mcp_sessions SET used_at = $2
		WHERE id = $1 AND used_at < $2`, id, at)
}

// DeleteMCPSession ends a session and all that it has.
func (db *DB) DeleteMCPSession(ctx context.Context, id string) error {
	return db.change(ctx, "delete the MCP session", `DELETE FROM mcp_sessions WHERE id = $1`, id)
}

// DeleteStaleMCP forgets sessions that were not used, and streams that nobody worked on, since then.
func (db *DB) DeleteStaleMCP(ctx context.Context, sessions, streams time.Time) error {
	return db.begin(ctx, "delete stale MCP sessions", func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`DELETE FROM mcp_sessions WHERE used_at <= $1`, sessions)
		batch.Queue(`DELETE FROM mcp_streams WHERE alive_at <= $1`, streams)
		return tx.SendBatch(ctx, batch).Close()
	})
}
