package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/fleet"
)

// firstAdmin is who owns what was made before there was anybody: NULL as long as that is so.
const firstAdmin = `(SELECT id FROM users WHERE role = 'admin' ORDER BY created_at, id LIMIT 1)`

// InsertJoinToken implements fleet.EnrolStore.
func (db *DB) InsertJoinToken(ctx context.Context, hash []byte, t fleet.JoinToken) error {
	_, err := db.pool.Exec(ctx, `
		INSERT INTO join_tokens (token_hash, host_name, owner_id, expires_at)
		VALUES ($1, $2, coalesce(nullif($3, ''), `+firstAdmin+`), $4)
		ON CONFLICT (token_hash) DO NOTHING`, hash, t.HostName, t.Owner, t.ExpiresAt)
	return explain("keep a join token", err)
}

// JoinToken implements fleet.EnrolStore.
func (db *DB) JoinToken(ctx context.Context, hash []byte, nkey string, at time.Time) (fleet.JoinToken, error) {
	var t fleet.JoinToken
	err := db.pool.QueryRow(ctx, `
		SELECT t.host_name, coalesce(t.owner_id, `+firstAdmin+`, ''), t.expires_at, t.used_at IS NOT NULL
		FROM join_tokens t
		LEFT JOIN hosts h ON h.id = t.used_by
		WHERE t.token_hash = $1
			AND (t.used_at IS NULL AND t.expires_at > $3 OR h.nkey = $2 AND h.removed_at IS NULL)`,
		hash, nkey, at).Scan(&t.HostName, &t.Owner, &t.ExpiresAt, &t.Used)
	return t, explain("read a join token", err)
}

// Enrol implements fleet.EnrolStore.
func (db *DB) Enrol(ctx context.Context, hash []byte, h fleet.Host) (fleet.Host, error) {
	err := db.begin(ctx, "enrol a host", func(tx pgx.Tx) error {
		var usedBy *string
		err := tx.QueryRow(ctx, `
			SELECT used_by FROM join_tokens
			WHERE token_hash = $1 AND (used_by IS NOT NULL OR expires_at > $2)
			FOR UPDATE`, hash, h.CreatedAt).Scan(&usedBy)
		if err != nil {
			return err
		}
		if usedBy != nil {
			return sameHost(ctx, tx, *usedBy, h.NKey)
		}
		return insertHost(ctx, tx, hash, h)
	})
	switch {
	case isDuplicate(err, "hosts_name"):
		return fleet.Host{}, fleet.ErrNameTaken
	case isDuplicate(err, "hosts_nkey_key"):
		return fleet.Host{}, fleet.ErrKeyKnown
	case err != nil:
		return fleet.Host{}, err
	}
	return db.HostByKey(ctx, h.NKey)
}

// HostNameTaken implements fleet.EnrolStore.
func (db *DB) HostNameTaken(ctx context.Context, name string) (bool, error) {
	var taken bool
	err := db.pool.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM hosts WHERE lower(name) = lower($1) AND removed_at IS NULL)`, name).Scan(&taken)
	return taken, explain("look for a host's name", err)
}

// sameHost lets a machine repeat its enrolment when the answer to the first did not arrive.
func sameHost(ctx context.Context, tx pgx.Tx, id, nkey string) error {
	var same bool
	err := tx.QueryRow(ctx, `SELECT nkey = $2 AND removed_at IS NULL FROM hosts WHERE id = $1`, id, nkey).Scan(&same)
	if err == nil && !same {
		err = pgx.ErrNoRows
	}
	return err
}

func insertHost(ctx context.Context, tx pgx.Tx, hash []byte, h fleet.Host) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO hosts (id, name, owner_id, nkey, created_at)
		VALUES ($1, $2, coalesce(nullif($3, ''), `+firstAdmin+`), $4, $5)`,
		h.ID, h.Name, string(h.Owner), h.NKey, h.CreatedAt)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE join_tokens SET used_at = $2, used_by = $3 WHERE token_hash = $1`, hash, h.CreatedAt, h.ID)
	return err
}
