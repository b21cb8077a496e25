package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// InsertClient keeps a client that has registered.
func (db *DB) InsertClient(ctx context.Context, c auth.Client) error {
	return db.change(ctx, "insert the client", `
		INSERT INTO oauth_clients (id, kind, name, redirect_uris, auth_method, secret_hash, metadata, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		c.ID, c.Kind, c.Name, c.RedirectURIs, c.AuthMethod, c.SecretHash, c.Metadata, c.CreatedAt)
}

// Client finds a client, disabled or not.
func (db *DB) Client(ctx context.Context, id string) (auth.Client, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT id, kind, name, redirect_uris, auth_method, secret_hash, metadata, created_at, disabled_at
		FROM oauth_clients
		WHERE id = $1`, id)
	client, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[auth.Client])
	return client, explain("find the client", err)
}

// DeleteStaleGrants removes expired tokens, grants whose code was never redeemed, and clients that made themselves
// known and were never granted anything.
func (db *DB) DeleteStaleGrants(ctx context.Context, now, unusedSince time.Time) error {
	return db.begin(ctx, "delete stale grants", func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		// A spent token is kept a day longer than it could have been used, so that its reuse is noticed.
		batch.Queue(`DELETE FROM oauth_tokens WHERE expires_at <= $1`, now.Add(-24*time.Hour))
		batch.Queue(`DELETE FROM oauth_devices WHERE expires_at <= $1`, now.Add(-24*time.Hour))
		batch.Queue(`
			DELETE FROM oauth_grants
			WHERE last_used_at IS NULL AND created_at <= $1 AND origin <> 'personal'`, unusedSince)
		batch.Queue(`
			DELETE FROM oauth_clients c
			WHERE created_at <= $1 AND kind IN ('registered', 'document')
				AND NOT EXISTS (SELECT FROM oauth_grants g WHERE g.client_id = c.id)`, unusedSince)
		batch.Queue(`
			DELETE FROM client_documents d
			WHERE fresh_until <= $1 AND NOT EXISTS (SELECT FROM oauth_clients c WHERE c.id = d.url)`, unusedSince)
		return tx.SendBatch(ctx, batch).Close()
	})
}
