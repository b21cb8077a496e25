package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// InsertPersonalToken keeps a personal token with its grant, unless the person has too many.
func (db *DB) InsertPersonalToken(ctx context.Context, g auth.Grant, token auth.StoredToken, most int) error {
	return db.begin(ctx, "insert the personal token", func(tx pgx.Tx) error {
		// Whoever else makes a token for the same person waits, so that the count holds.
		if _, err := tx.Exec(ctx, `SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE`, g.User); err != nil {
			return err
		}
		var good int
		err := tx.QueryRow(ctx, `
			SELECT count(*)
			FROM oauth_grants
			WHERE user_id = $1 AND origin = 'personal' AND revoked_at IS NULL AND expires_at > $2`, g.User, g.CreatedAt).
			Scan(&good)
		if err != nil {
			return err
		}
		if good >= most {
			return auth.ErrTooManyTokens
		}
		if err := insertGrant(ctx, tx, g); err != nil {
			return err
		}
		return insertToken(ctx, tx, token)
	})
}
