package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// InsertProviderLogin keeps a login for which a browser has gone to a provider.
func (db *DB) InsertProviderLogin(ctx context.Context, l auth.ProviderLogin) error {
	return db.change(ctx, "insert the provider login", `
		INSERT INTO provider_logins (state_hash, browser_hash, issuer, return_to, connect, again, created_at, expires_at)
		VALUES ($1, $2, $3, $4, NULLIF($5, ''), $6, $7, $8)`,
		l.StateHash, l.BrowserHash, l.Issuer, l.ReturnTo, l.Connect, l.Again, l.CreatedAt, l.ExpiresAt)
}

// TakeProviderLogin finds a login and forgets it. Of two who want the same, one gets it.
func (db *DB) TakeProviderLogin(ctx context.Context, stateHash, browserHash []byte, now time.Time) (auth.ProviderLogin, error) {
	rows, _ := db.pool.Query(ctx, `
		DELETE FROM provider_logins
		WHERE state_hash = $1 AND browser_hash = $2 AND expires_at > $3
		RETURNING state_hash, browser_hash, issuer, return_to, coalesce(connect, ''), again, created_at, expires_at`,
		stateHash, browserHash, now)
	login, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[auth.ProviderLogin])
	return login, explain("take the provider login", err)
}

// IdentityUser finds who an identity is here.
func (db *DB) IdentityUser(ctx context.Context, issuer, subject string) (u auth.User, shutOut bool, err error) {
	err = db.pool.QueryRow(ctx, `
		SELECT u.id, u.name, u.display_name, u.role, u.created_at, u.suspended_at, u.shut_out
		FROM identities i JOIN users u ON u.id = i.user_id
		WHERE i.issuer = $1 AND i.subject = $2`, issuer, subject).
		Scan(&u.ID, &u.Name, &u.DisplayName, &u.Role, &u.CreatedAt, &u.SuspendedAt, &shutOut)
	return u, shutOut, explain("find the identity's user", err)
}

// InsertIdentityUser makes an account with an identity. The first administrator's link, if it waits to be used, dies
// when there is one.
func (db *DB) InsertIdentityUser(ctx context.Context, u auth.User, i auth.Identity) error {
	err := db.begin(ctx, "insert the identity's user", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, adminLock); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO users (id, name, display_name, role, created_at)
			VALUES ($1, $2, $3, $4, $5)`, u.ID, u.Name, u.DisplayName, u.Role, u.CreatedAt)
		if err != nil {
			return err
		}
		if u.Role == auth.RoleAdmin {
			if _, err := tx.Exec(ctx, `DELETE FROM invites WHERE invited_by IS NULL AND used_at IS NULL`); err != nil {
				return err
			}
		}
		return insertIdentity(ctx, tx, i)
	})
	if isDuplicate(err, "users_name_key") {
		return auth.ErrNameTaken
	}
	return identityTaken(err)
}

// InsertIdentity connects an identity to an account.
func (db *DB) InsertIdentity(ctx context.Context, i auth.Identity) error {
	return identityTaken(explain("insert the identity", insertIdentity(ctx, db.pool, i)))
}

func insertIdentity(ctx context.Context, on executor, i auth.Identity) error {
	_, err := on.Exec(ctx, `
		INSERT INTO identities (issuer, subject, user_id, name, created_at, last_login_at)
		VALUES ($1, $2, $3, $4, $5, $6)`, i.Issuer, i.Subject, i.User, i.Name, i.CreatedAt, i.LastLoginAt)
	return err
}

func identityTaken(err error) error {
	if isDuplicate(err, "identities_pkey") || isDuplicate(err, "identities_of_user") {
		return auth.ErrIdentityTaken
	}
	return err
}

// DeleteIdentity disconnects an identity from an account that has a password.
func (db *DB) DeleteIdentity(ctx context.Context, user auth.UserID, issuer string) error {
	err := db.changeOne(ctx, "delete the identity", `
		DELETE FROM identities i USING users u
		WHERE u.id = i.user_id AND i.user_id = $1 AND i.issuer = $2 AND u.password_hash IS NOT NULL`, user, issuer)
	if errors.Is(err, auth.ErrNotFound) {
		return auth.ErrOnlyWayIn
	}
	return err
}

// TouchIdentity writes what the provider now calls a person.
func (db *DB) TouchIdentity(ctx context.Context, i auth.Identity, displayName string) error {
	return db.begin(ctx, "touch the identity", func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`UPDATE identities SET name = $3, last_login_at = $4 WHERE issuer = $1 AND subject = $2`,
			i.Issuer, i.Subject, i.Name, i.LastLoginAt)
		batch.Queue(`UPDATE users SET display_name = $2 WHERE id = $1`, i.User, displayName)
		return tx.SendBatch(ctx, batch).Close()
	})
}

// SetRole gives a person a role.
func (db *DB) SetRole(ctx context.Context, user auth.UserID, role auth.Role) error {
	return db.begin(ctx, "set the role", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, adminLock); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE users SET role = $2 WHERE id = $1`, user, role); err != nil {
			return err
		}
		if role == auth.RoleAdmin {
			return nil
		}
		return checkAdminLeft(ctx, tx)
	})
}

// ShutOut suspends a person for his provider's sake.
func (db *DB) ShutOut(ctx context.Context, user auth.UserID, at time.Time) error {
	return db.begin(ctx, "shut the user out", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, adminLock); err != nil {
			return err
		}
		var was auth.Role
		err := tx.QueryRow(ctx, `
			UPDATE users SET suspended_at = $2, shut_out = true
			WHERE id = $1 AND suspended_at IS NULL
			RETURNING role`, user, at).Scan(&was)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // suspended already
		}
		if err != nil {
			return err
		}
		if was == auth.RoleAdmin { // whoever is none leaves as many as there were, be it none at all
			err = checkAdminLeft(ctx, tx)
		}
		if err != nil {
			return err
		}
		return endLogins(ctx, tx, user)
	})
}

// Readmit lets a person in again whom ShutOut has suspended.
func (db *DB) Readmit(ctx context.Context, user auth.UserID) error {
	return db.change(ctx, "readmit the user", `
		UPDATE users SET suspended_at = NULL, shut_out = false
		WHERE id = $1 AND shut_out`, user)
}

const wayInColumns = `u.id, u.password_hash IS NOT NULL, coalesce(i.name, ''), u.shut_out, i.last_login_at`

// WayIn says how a person can log in.
func (db *DB) WayIn(ctx context.Context, user auth.UserID, issuer string) (auth.WayIn, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+wayInColumns+`
		FROM users u LEFT JOIN identities i ON i.user_id = u.id AND i.issuer = $2
		WHERE u.id = $1`, user, issuer)
	way, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[auth.WayIn])
	return way, explain("find the way in", err)
}

// WaysIn says how everybody can log in.
func (db *DB) WaysIn(ctx context.Context, issuer string) ([]auth.WayIn, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+wayInColumns+`
		FROM users u LEFT JOIN identities i ON i.user_id = u.id AND i.issuer = $1`, issuer)
	ways, err := pgx.CollectRows(rows, pgx.RowToStructByPos[auth.WayIn])
	return ways, explain("list the ways in", err)
}
