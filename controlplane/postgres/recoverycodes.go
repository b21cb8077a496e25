package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// SetRecoveryCodes replaces a person's recovery codes.
func (db *DB) SetRecoveryCodes(ctx context.Context, user auth.UserID, codeHashes [][]byte, at time.Time) error {
	return db.begin(ctx, "set the recovery codes", func(tx pgx.Tx) error {
		return setRecoveryCodes(ctx, tx, user, codeHashes, at)
	})
}

func setRecoveryCodes(ctx context.Context, tx pgx.Tx, user auth.UserID, codeHashes [][]byte, at time.Time) error {
	if _, err := tx.Exec(ctx, `DELETE FROM recovery_codes WHERE user_id = $1`, user); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO recovery_codes (user_id, code_hash, created_at)
		SELECT $1, unnest($2::bytea[]), $3`, user, codeHashes, at)
	return err
}

// UseRecoveryCode takes one out.
func (db *DB) UseRecoveryCode(ctx context.Context, user auth.UserID, codeHash []byte) error {
	return db.changeOne(ctx, "use the recovery code", `
		DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2`, user, codeHash)
}
