package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/mark3labs/mcp-go/mcp"
)

// limitRow is as long as what a tool says of a session.
type limitRow struct {
	ID   int       `json:"id"`
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

func makeLimitTables(ctx context.Context, pool *pgxpool.Pool) error {
	if _, err := pool.Exec(ctx, `
		CREATE TABLE IF NOT EXISTS notes (at timestamptz NOT NULL DEFAULT now(), text text NOT NULL);
		CREATE TABLE IF NOT EXISTS rows (id int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), text text NOT NULL)`); err != nil {
		return fmt.Errorf("making the limit's tables: %w", err)
	}
	text := strings.Repeat("about what is said of a session ", 14)
	if _, err := pool.Exec(ctx, `
		INSERT INTO rows (id, text) SELECT n, $1 FROM generate_series(1, $2::int) n ON CONFLICT DO NOTHING`, text, allSessions); err != nil {
		return fmt.Errorf("filling the limit's tables: %w", err)
	}
	return nil
}

func (l *limit) read(ctx context.Context) (*mcp.CallToolResult, error) {
	rows, _ := l.pool.Query(ctx, `SELECT id, at, text FROM rows WHERE id = $1`, 1)
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[limitRow])
	if err != nil {
		return nil, err
	}
	return mcp.NewToolResultStructuredOnly(row), nil
}

func (l *limit) readAll(ctx context.Context) (*mcp.CallToolResult, error) {
	rows, _ := l.pool.Query(ctx, `SELECT id, at, text FROM rows ORDER BY at DESC, id LIMIT 50`)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[limitRow])
	if err != nil {
		return nil, err
	}
	return mcp.NewToolResultStructuredOnly(map[string]any{"rows": all}), nil
}
