package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// InsertDevice keeps a device's request.
func (db *DB) InsertDevice(ctx context.Context, d auth.DeviceRequest) error {
	_, err := db.pool.Exec(ctx, `
		INSERT INTO oauth_devices (signature, user_code, client_id, scopes, resource, addr, host_name, host_user,
			created_at, expires_at, interval_s)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		d.Signature, d.UserCode, d.ClientID, d.Scopes.String(), d.Resource, d.Addr, d.HostName, d.HostUser,
		d.CreatedAt, d.ExpiresAt, int(d.Interval.Seconds()))
	if isDuplicate(err, "oauth_devices_user_code_key") {
		return auth.ErrCodeTaken
	}
	return explain("insert the device request", err)
}

// deviceColumns are what scanDevice reads, of oauth_devices d and oauth_clients c.
const deviceColumns = `d.signature, d.user_code, d.client_id, c.name, c.kind, coalesce(c.metadata->>'client_uri', ''), d.scopes,
	d.resource, d.addr, d.host_name, d.host_user, d.created_at, d.expires_at, d.interval_s, d.polled_at, d.decided_at,
	coalesce(d.grant_id, ''), d.spent_at`

func scanDevice(row pgx.Row) (auth.DeviceRequest, error) {
	var d auth.DeviceRequest
	var scopes string
	var seconds int
	err := row.Scan(&d.Signature, &d.UserCode, &d.ClientID, &d.Client, &d.Kind, &d.ClientURI, &scopes,
		&d.Resource, &d.Addr, &d.HostName, &d.HostUser, &d.CreatedAt, &d.ExpiresAt, &seconds, &d.PolledAt, &d.DecidedAt,
		&d.Grant, &d.SpentAt)
	d.Scopes, d.Interval = auth.ParseScopes(scopes), time.Duration(seconds)*time.Second
	return d, err
}

// Device finds a request that waits for a person.
func (db *DB) Device(ctx context.Context, userCode string, now time.Time) (auth.DeviceRequest, error) {
	request, err := scanDevice(db.pool.QueryRow(ctx, `
		SELECT `+deviceColumns+`
		FROM oauth_devices d JOIN oauth_clients c ON c.id = d.client_id
		WHERE d.user_code = $1 AND d.decided_at IS NULL AND d.expires_at > $2 AND c.disabled_at IS NULL`, userCode, now))
	return request, explain("find the device request", err)
}

// DecideDevice settles a request, once.
func (db *DB) DecideDevice(ctx context.Context, userCode string, grant *auth.Grant, at time.Time) error {
	return db.begin(ctx, "decide the device request", func(tx pgx.Tx) error {
		var id *auth.GrantID
		if grant != nil {
			id = &grant.ID
			if err := insertGrant(ctx, tx, *grant); err != nil {
				return err
			}
		}
		tag, err := tx.Exec(ctx, `
			UPDATE oauth_devices SET decided_at = $2, grant_id = $3
			WHERE user_code = $1 AND decided_at IS NULL AND expires_at > $2`, userCode, at, id)
		if err == nil && tag.RowsAffected() == 0 {
			err = pgx.ErrNoRows
		}
		return err
	})
}

// LockDevice finds a request by its device code. Whoever else polls with it waits for the end of this transaction,
// and then sees what it did.
func (x exchange) LockDevice(ctx context.Context, signature string) (auth.DeviceRequest, error) {
	request, err := scanDevice(x.tx.QueryRow(ctx, `
		SELECT `+deviceColumns+`
		FROM oauth_devices d JOIN oauth_clients c ON c.id = d.client_id
		WHERE d.signature = $1
		FOR UPDATE OF d`, signature))
	return request, explain("lock the device request", err)
}

// PollDevice notes that a device asked.
func (x exchange) PollDevice(ctx context.Context, signature string, at time.Time, interval time.Duration) error {
	_, err := x.tx.Exec(ctx, `
		UPDATE oauth_devices SET polled_at = $2, interval_s = $3
		WHERE signature = $1`, signature, at, int(interval.Seconds()))
	return explain("note the poll", err)
}

// SpendDevice marks a request's tokens as handed out, once.
func (x exchange) SpendDevice(ctx context.Context, signature string, at time.Time) error {
	tag, err := x.tx.Exec(ctx, `
		UPDATE oauth_devices SET spent_at = $2
		WHERE signature = $1 AND spent_at IS NULL`, signature, at)
	if err == nil && tag.RowsAffected() == 0 {
		err = pgx.ErrNoRows
	}
	return explain("spend the device code", err)
}

// LockGrant finds a grant that is alive, so that tokens are not issued beside a revocation.
func (x exchange) LockGrant(ctx context.Context, id auth.GrantID) (auth.Grant, error) {
	rows, _ := x.tx.Query(ctx, `
		SELECT `+grantColumns+`
		FROM oauth_grants g JOIN users u ON u.id = g.user_id JOIN oauth_clients c ON c.id = g.client_id
		WHERE g.id = $1 AND g.revoked_at IS NULL AND u.suspended_at IS NULL AND c.disabled_at IS NULL
		FOR UPDATE OF g`, id)
	grant, err := pgx.CollectExactlyOneRow(rows, scanGrant)
	return grant, explain("lock the grant", err)
}
