package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// InsertWebSession keeps a browser's login.
func (db *DB) InsertWebSession(ctx context.Context, s auth.WebSession) error {
	return db.change(ctx, "insert the web session", `
		INSERT INTO web_sessions (token_hash, user_id, created_at, last_seen_at, expires_at, addr, browser, proof, proved_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		s.TokenHash, s.User, s.CreatedAt, s.LastSeenAt, s.ExpiresAt, s.Addr, s.Browser, s.Proof, s.ProvedAt)
}

// WebSession finds a browser's login and whose it is.
func (db *DB) WebSession(ctx context.Context, tokenHash []byte) (auth.WebSession, auth.User, error) {
	var s auth.WebSession
	var u auth.User
	err := db.pool.QueryRow(ctx, `
		SELECT s.token_hash, s.user_id, s.created_at, s.last_seen_at, s.expires_at, s.addr, s.browser, s.proof, s.proved_at,
			u.id, u.name, u.display_name, u.role, u.created_at, u.suspended_at
		FROM web_sessions s JOIN users u ON u.id = s.user_id
		WHERE s.token_hash = $1`, tokenHash).
		Scan(&s.TokenHash, &s.User, &s.CreatedAt, &s.LastSeenAt, &s.ExpiresAt, &s.Addr, &s.Browser, &s.Proof, &s.ProvedAt,
			&u.ID, &u.Name, &u.DisplayName, &u.Role, &u.CreatedAt, &u.SuspendedAt)
	return s, u, explain("find the web session", err)
}

// WebSessions lists a person's logged-in browsers, the one used last first.
func (db *DB) WebSessions(ctx context.Context, user auth.UserID) ([]auth.WebSession, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT token_hash, user_id, created_at, last_seen_at, expires_at, addr, browser, proof, proved_at
		FROM web_sessions
		WHERE user_id = $1
		ORDER BY last_seen_at DESC, token_hash`, user)
	sessions, err := pgx.CollectRows(rows, pgx.RowToStructByPos[auth.WebSession])
	return sessions, explain("list web sessions", err)
}

// TouchWebSession writes a browser's last visit.
func (db *DB) TouchWebSession(ctx context.Context, tokenHash []byte, addr string, at time.Time) error {
	return db.change(ctx, "touch the web session", `
		UPDATE web_sessions SET last_seen_at = $2, addr = $3
		WHERE token_hash = $1 AND last_seen_at < $2`, tokenHash, at, addr)
}

// RenewWebSession gives a browser's login a new token and a new proof.
func (db *DB) RenewWebSession(ctx context.Context, tokenHash, newHash []byte, proof auth.Proof, at time.Time) error {
	return db.changeOne(ctx, "renew the web session", `
		UPDATE web_sessions SET token_hash = $2, proof = $3, proved_at = $4
		WHERE token_hash = $1`, tokenHash, newHash, proof, at)
}

// DeleteWebSession logs a browser out.
func (db *DB) DeleteWebSession(ctx context.Context, tokenHash []byte) error {
	return db.change(ctx, "delete the web session", `DELETE FROM web_sessions WHERE token_hash = $1`, tokenHash)
}

// DeleteWebSessions logs a person's browsers out, all but one, and those that are half logged in.
func (db *DB) DeleteWebSessions(ctx context.Context, user auth.UserID, keep []byte) error {
	return db.begin(ctx, "delete the web sessions", func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`DELETE FROM web_sessions WHERE user_id = $1 AND token_hash IS DISTINCT FROM $2`, user, keep)
		batch.Queue(`DELETE FROM login_steps WHERE user_id = $1`, user)
		return tx.SendBatch(ctx, batch).Close()
	})
}

// BeginAttempt writes a login that is about to be tried, and counts it and those before.
func (db *DB) BeginAttempt(ctx context.Context, account, addr string, at, since time.Time) (auth.Attempts, error) {
	var a auth.Attempts
	err := db.pool.QueryRow(ctx, `
		INSERT INTO login_failures (account, addr, at) VALUES ($1, $2, $3)
		RETURNING id`, account, addr, at).Scan(&a.ID)
	if err != nil {
		return a, explain("note the login", err)
	}
	err = db.pool.QueryRow(ctx, `
		SELECT
			(SELECT count(*) FROM login_failures WHERE account = $1 AND at > $3),
			(SELECT count(*) FROM login_failures WHERE addr = $2 AND at > $3)`, account, addr, since).
		Scan(&a.OfAccount, &a.OfAddr)
	return a, explain("count the logins", err)
}

// ForgetAttempt forgets a login that is not to count.
func (db *DB) ForgetAttempt(ctx context.Context, id int64) error {
	return db.change(ctx, "forget the login", `DELETE FROM login_failures WHERE id = $1`, id)
}

// ForgetAttempts forgets an account's failed logins from one address.
func (db *DB) ForgetAttempts(ctx context.Context, account, addr string) error {
	return db.change(ctx, "forget failed logins", `DELETE FROM login_failures WHERE account = $1 AND addr = $2`, account, addr)
}

// DeleteStaleLogins removes browser sessions, half logins, invites and login attempts that can no longer matter. Used invites
// stay: they tell who let whom in.
func (db *DB) DeleteStaleLogins(ctx context.Context, now time.Time) error {
	return db.begin(ctx, "delete stale logins", func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`DELETE FROM web_sessions WHERE expires_at <= $1`, now)
		batch.Queue(`DELETE FROM login_steps WHERE expires_at <= $1`, now)
		batch.Queue(`DELETE FROM passkey_ceremonies WHERE expires_at <= $1`, now)
		batch.Queue(`DELETE FROM invites WHERE expires_at <= $1 AND used_at IS NULL`, now)
		batch.Queue(`DELETE FROM provider_logins WHERE expires_at <= $1`, now)
		batch.Queue(`DELETE FROM login_failures WHERE at <= $1`, now.Add(-24*time.Hour))
		return tx.SendBatch(ctx, batch).Close()
	})
}
