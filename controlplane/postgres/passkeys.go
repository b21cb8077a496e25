package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// Passkeys lists a person's, the oldest first.
func (db *DB) Passkeys(ctx context.Context, user auth.UserID) ([]auth.Passkey, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT id, user_id, name, public_key, sign_count, backup_eligible, backed_up, transports, created_at, last_used_at
		FROM passkeys
		WHERE user_id = $1
		ORDER BY created_at, id`, user)
	passkeys, err := pgx.CollectRows(rows, pgx.RowToStructByPos[auth.Passkey])
	return passkeys, explain("list passkeys", err)
}

// Passkey finds one, and whose it is.
func (db *DB) Passkey(ctx context.Context, id []byte) (auth.Passkey, auth.User, error) {
	var p auth.Passkey
	var u auth.User
	err := db.pool.QueryRow(ctx, `
		SELECT p.id, p.user_id, p.name, p.public_key, p.sign_count, p.backup_eligible, p.backed_up, p.transports,
			p.created_at, p.last_used_at,
			u.id, u.name, u.display_name, u.role, u.created_at, u.suspended_at
		FROM passkeys p JOIN users u ON u.id = p.user_id
		WHERE p.id = $1`, id).
		Scan(&p.ID, &p.User, &p.Name, &p.PublicKey, &p.SignCount, &p.BackupEligible, &p.BackedUp, &p.Transports,
			&p.CreatedAt, &p.LastUsedAt,
			&u.ID, &u.Name, &u.DisplayName, &u.Role, &u.CreatedAt, &u.SuspendedAt)
	return p, u, explain("find the passkey", err)
}

// InsertPasskey keeps one.
func (db *DB) InsertPasskey(ctx context.Context, p auth.Passkey) error {
	_, err := db.pool.Exec(ctx, `
		INSERT INTO passkeys (id, user_id, name, public_key, sign_count, backup_eligible, backed_up, transports, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		p.ID, p.User, p.Name, p.PublicKey, p.SignCount, p.BackupEligible, p.BackedUp, p.Transports, p.CreatedAt)
	if isDuplicate(err, "passkeys_pkey") {
		return auth.ErrPasskeyTaken
	}
	return explain("insert the passkey", err)
}

// UsePasskey writes a use, unless the key counts and the count has not grown.
func (db *DB) UsePasskey(ctx context.Context, id []byte, signCount uint32, backedUp bool, at time.Time) error {
	return db.changeOne(ctx, "use the passkey", `
		UPDATE passkeys SET sign_count = $2, backed_up = $3, last_used_at = $4
		WHERE id = $1 AND (sign_count < $2 OR sign_count = 0 AND $2 = 0)`, id, int64(signCount), backedUp, at)
}

// DeletePasskey forgets one.
func (db *DB) DeletePasskey(ctx context.Context, user auth.UserID, id []byte) error {
	return db.changeOne(ctx, "delete the passkey", `DELETE FROM passkeys WHERE user_id = $1 AND id = $2`, user, id)
}

// InsertCeremony keeps a challenge.
func (db *DB) InsertCeremony(ctx context.Context, c auth.Ceremony) error {
	return db.change(ctx, "insert the passkey challenge", `
		INSERT INTO passkey_ceremonies (token_hash, kind, user_id, data, expires_at)
		VALUES ($1, $2, NULLIF($3, ''), $4, $5)`, c.TokenHash, c.Kind, c.User, c.Data, c.ExpiresAt)
}

// TakeCeremony takes a challenge out.
func (db *DB) TakeCeremony(ctx context.Context, tokenHash []byte, kind auth.CeremonyKind, user auth.UserID, now time.Time) ([]byte, error) {
	var data []byte
	err := db.pool.QueryRow(ctx, `
		DELETE FROM passkey_ceremonies
		WHERE token_hash = $1 AND kind = $2 AND coalesce(user_id, '') = $3 AND expires_at > $4
		RETURNING data`, tokenHash, kind, user, now).Scan(&data)
	return data, explain("take the passkey challenge", err)
}
