package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// adminLock orders those who make the first administrator or suspend one: there must never be two first ones, and
// never none left.
const adminLock = 0x7365_7475_70

// InsertSetupInvite puts i in the place of every unused invite without an inviter, unless there is an
// administrator.
func (db *DB) InsertSetupInvite(ctx context.Context, i auth.Invite) (needed bool, err error) {
	err = db.begin(ctx, "make the set-up link", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, adminLock); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM users WHERE role = 'admin')`).Scan(&needed)
		if err != nil || !needed {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM invites WHERE invited_by IS NULL AND used_at IS NULL`); err != nil {
			return err
		}
		return insertInvite(ctx, tx, i)
	})
	return needed, err
}

// InsertInvite keeps an invite.
func (db *DB) InsertInvite(ctx context.Context, i auth.Invite) error {
	return explain("insert the invite", insertInvite(ctx, db.pool, i))
}

func insertInvite(ctx context.Context, on executor, i auth.Invite) error {
	_, err := on.Exec(ctx, `
		INSERT INTO invites (token_hash, role, invited_by, created_at, expires_at)
		VALUES ($1, $2, NULLIF($3, ''), $4, $5)`,
		i.TokenHash, i.Role, i.InvitedBy, i.CreatedAt, i.ExpiresAt)
	return err
}

// inviterStands is true of an invite whose inviter is still an administrator: one who was shut out or lowered must not
// come back by a link that he kept. Suspending and lowering take adminLock, as AcceptInvite does, so that of the two at
// the same time one comes first.
const inviterStands = `(invited_by IS NULL
	OR EXISTS (SELECT FROM users u WHERE u.id = invited_by AND u.role = 'admin' AND u.suspended_at IS NULL))`

// OpenInvite finds an invite that is unused, has not expired and whose inviter may still invite.
func (db *DB) OpenInvite(ctx context.Context, tokenHash []byte, now time.Time) (auth.Invite, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT token_hash, role, coalesce(invited_by, ''), created_at, expires_at
		FROM invites
		WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 AND `+inviterStands, tokenHash, now)
	invite, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[auth.Invite])
	return invite, explain("find the invite", err)
}

// AcceptInvite uses an invite up and makes the account, both or neither.
func (db *DB) AcceptInvite(ctx context.Context, tokenHash []byte, u auth.User, passwordHash string, now time.Time) error {
	err := db.begin(ctx, "accept the invite", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, adminLock); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO users (id, name, display_name, role, password_hash, created_at)
			VALUES ($1, $2, $3, $4, $5, $6)`, u.ID, u.Name, u.DisplayName, u.Role, passwordHash, u.CreatedAt)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			UPDATE invites SET used_at = $2, used_by = $3
			WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2 AND `+inviterStands, tokenHash, now, u.ID)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return pgx.ErrNoRows
		}
		return nil
	})
	if isDuplicate(err, "users_name_key") {
		return auth.ErrNameTaken
	}
	return err
}
