package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// InsertLoginStep keeps a login that waits for its second step.
func (db *DB) InsertLoginStep(ctx context.Context, s auth.LoginStep) error {
	return db.change(ctx, "insert the login's step", `
		INSERT INTO login_steps (token_hash, user_id, created_at, expires_at)
		VALUES ($1, $2, $3, $4)`, s.TokenHash, s.User, s.CreatedAt, s.ExpiresAt)
}

// LoginStep finds who waits.
func (db *DB) LoginStep(ctx context.Context, tokenHash []byte, now time.Time) (auth.User, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT u.id, u.name, u.display_name, u.role, u.created_at, u.suspended_at
		FROM login_steps s JOIN users u ON u.id = s.user_id
		WHERE s.token_hash = $1 AND s.expires_at > $2`, tokenHash, now)
	user, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[auth.User])
	return user, explain("find the login's step", err)
}

// TakeLoginStep uses a step up.
func (db *DB) TakeLoginStep(ctx context.Context, tokenHash []byte, now time.Time) error {
	return db.changeOne(ctx, "take the login's step", `
		DELETE FROM login_steps WHERE token_hash = $1 AND expires_at > $2`, tokenHash, now)
}
