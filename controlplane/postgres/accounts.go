package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// Users lists everyone, by name.
func (db *DB) Users(ctx context.Context) ([]auth.User, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT id, name, display_name, role, created_at, suspended_at
		FROM users
		ORDER BY name`)
	users, err := pgx.CollectRows(rows, pgx.RowToStructByPos[auth.User])
	return users, explain("list users", err)
}

// User finds a person.
func (db *DB) User(ctx context.Context, id auth.UserID) (auth.User, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT id, name, display_name, role, created_at, suspended_at
		FROM users
		WHERE id = $1`, id)
	user, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[auth.User])
	return user, explain("find the user", err)
}

// Password finds who logs in by a name, and the hash of his password.
func (db *DB) Password(ctx context.Context, name string) (auth.User, string, error) {
	var u auth.User
	var hash string
	err := db.pool.QueryRow(ctx, `
		SELECT id, name, display_name, role, created_at, suspended_at, coalesce(password_hash, '')
		FROM users
		WHERE name = $1`, name).
		Scan(&u.ID, &u.Name, &u.DisplayName, &u.Role, &u.CreatedAt, &u.SuspendedAt, &hash)
	return u, hash, explain("find the user", err)
}

// SetPassword replaces the hash of a person's password.
func (db *DB) SetPassword(ctx context.Context, user auth.UserID, hash string) error {
	return db.changeOne(ctx, "set the password", `UPDATE users SET password_hash = $2 WHERE id = $1`, user, hash)
}

// SetSuspended suspends a person and ends his browser sessions, or readmits him.
func (db *DB) SetSuspended(ctx context.Context, user auth.UserID, at *time.Time) error {
	return db.begin(ctx, "suspend the user", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, adminLock); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `UPDATE users SET suspended_at = $2, shut_out = false WHERE id = $1`, user, at)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return pgx.ErrNoRows
		}
		if at == nil {
			return nil
		}
		if err := checkAdminLeft(ctx, tx); err != nil {
			return err
		}
		return endLogins(ctx, tx, user)
	})
}

// endLogins ends a person's browser sessions, and those that are half begun.
func endLogins(ctx context.Context, tx pgx.Tx, user auth.UserID) error {
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM web_sessions WHERE user_id = $1`, user)
	batch.Queue(`DELETE FROM login_steps WHERE user_id = $1`, user)
	return tx.SendBatch(ctx, batch).Close()
}

// checkAdminLeft refuses what would leave nobody to manage people. Whoever calls it holds adminLock.
func checkAdminLeft(ctx context.Context, tx pgx.Tx) error {
	var left bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM users WHERE role = 'admin' AND suspended_at IS NULL)`).Scan(&left)
	if err == nil && !left {
		err = auth.ErrLastAdmin
	}
	return err
}

// changeOne runs a statement that must find its row.
func (db *DB) changeOne(ctx context.Context, doing, sql string, args ...any) error {
	tag, err := db.pool.Exec(ctx, sql, args...)
	if err == nil && tag.RowsAffected() == 0 {
		err = pgx.ErrNoRows
	}
	return explain(doing, err)
}

// change runs a statement that may find nothing to do.
func (db *DB) change(ctx context.Context, doing, sql string, args ...any) error {
	_, err := db.pool.Exec(ctx, sql, args...)
	return explain(doing, err)
}
