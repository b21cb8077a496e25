package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// Document finds what is known of a client's metadata document.
func (db *DB) Document(ctx context.Context, url string) (auth.Document, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT url, checked_at, fresh_until, etag, problem
		FROM client_documents
		WHERE url = $1`, url)
	document, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[auth.Document])
	return document, explain("find the client's document", err)
}

// SaveDocument keeps what is known of a document, with the client that it describes, if any.
func (db *DB) SaveDocument(ctx context.Context, d auth.Document, c *auth.Client) error {
	return db.begin(ctx, "save the client's document", func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`
			INSERT INTO client_documents (url, checked_at, fresh_until, etag, problem)
			VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (url) DO UPDATE SET checked_at = $2, fresh_until = $3, etag = $4, problem = $5`,
			d.URL, d.CheckedAt, d.FreshUntil, d.ETag, d.Problem)
		if c != nil {
			batch.Queue(`
				INSERT INTO oauth_clients (id, kind, name, redirect_uris, auth_method, metadata, created_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (id) DO UPDATE SET name = $3, redirect_uris = $4, metadata = $6`,
				c.ID, c.Kind, c.Name, c.RedirectURIs, c.AuthMethod, c.Metadata, c.CreatedAt)
		}
		return tx.SendBatch(ctx, batch).Close()
	})
}
