package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// Factors counts what a person can prove himself with beside his password.
func (db *DB) Factors(ctx context.Context, user auth.UserID) (auth.Factors, error) {
	var f auth.Factors
	err := db.pool.QueryRow(ctx, `
		SELECT
			EXISTS (SELECT FROM totp WHERE user_id = $1 AND sealed IS NOT NULL),
			(SELECT count(*) FROM recovery_codes WHERE user_id = $1),
			(SELECT count(*) FROM passkeys WHERE user_id = $1)`, user).
		Scan(&f.TOTP, &f.RecoveryCodes, &f.Passkeys)
	return f, explain("count the second factors", err)
}

// TOTP finds a person's authenticator app.
func (db *DB) TOTP(ctx context.Context, user auth.UserID) (auth.TOTP, error) {
	rows, _ := db.pool.Query(ctx, `SELECT sealed, pending, pending_at FROM totp WHERE user_id = $1`, user)
	totp, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[auth.TOTP])
	return totp, explain("find the authenticator app", err)
}

// SetPendingTOTP keeps a secret that is being set up, unless the person has one already.
func (db *DB) SetPendingTOTP(ctx context.Context, user auth.UserID, sealed []byte, at time.Time) error {
	return db.changeOne(ctx, "start the authenticator app", `
		INSERT INTO totp (user_id, pending, pending_at) VALUES ($1, $2, $3)
		ON CONFLICT (user_id) DO UPDATE SET pending = $2, pending_at = $3
		WHERE totp.sealed IS NULL`, user, sealed, at)
}

// ConfirmTOTP makes the pending secret the person's and gives him recovery codes, both or neither.
func (db *DB) ConfirmTOTP(ctx context.Context, user auth.UserID, pending []byte, step int64, codeHashes [][]byte, at time.Time) error {
	return db.begin(ctx, "confirm the authenticator app", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			UPDATE totp SET sealed = pending, pending = NULL, pending_at = NULL, last_step = $3, confirmed_at = $4
			WHERE user_id = $1 AND pending = $2 AND sealed IS NULL`, user, pending, step, at)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return pgx.ErrNoRows
		}
		return setRecoveryCodes(ctx, tx, user, codeHashes, at)
	})
}

// UseTOTP takes the code of a step that is newer than any that was taken.
func (db *DB) UseTOTP(ctx context.Context, user auth.UserID, step int64) error {
	return db.changeOne(ctx, "use the code", `
		UPDATE totp SET last_step = $2
		WHERE user_id = $1 AND last_step < $2 AND sealed IS NOT NULL`, user, step)
}

// DeleteTOTP forgets a person's authenticator app and recovery codes.
func (db *DB) DeleteTOTP(ctx context.Context, user auth.UserID) error {
	return db.begin(ctx, "delete the authenticator app", func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`DELETE FROM totp WHERE user_id = $1`, user)
		batch.Queue(`DELETE FROM recovery_codes WHERE user_id = $1`, user)
		return tx.SendBatch(ctx, batch).Close()
	})
}

// DeleteFactors forgets all of a person's second factors, and what was begun with them, and ends his logins.
func (db *DB) DeleteFactors(ctx context.Context, user auth.UserID) error {
	return db.begin(ctx, "delete the second factors", func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`DELETE FROM totp WHERE user_id = $1`, user)
		batch.Queue(`DELETE FROM recovery_codes WHERE user_id = $1`, user)
		batch.Queue(`DELETE FROM passkeys WHERE user_id = $1`, user)
		batch.Queue(`DELETE FROM passkey_ceremonies WHERE user_id = $1`, user)
		batch.Queue(`DELETE FROM login_steps WHERE user_id = $1`, user)
		batch.Queue(`DELETE FROM web_sessions WHERE user_id = $1`, user)
		return tx.SendBatch(ctx, batch).Close()
	})
}
