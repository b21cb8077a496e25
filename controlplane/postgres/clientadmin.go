package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// Clients lists all clients, newest first.
func (db *DB) Clients(ctx context.Context, now time.Time, most int) ([]auth.KnownClient, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT c.id, c.kind, c.name, c.redirect_uris, c.created_at, c.disabled_at,
			g.live, g.used, g.last_used_at, coalesce(d.problem, '')
		FROM oauth_clients c
			LEFT JOIN client_documents d ON d.url = c.id
			CROSS JOIN LATERAL (
				SELECT
					count(*) FILTER (WHERE revoked_at IS NULL AND (origin = 'personal' OR EXISTS (
						SELECT FROM oauth_tokens t
						WHERE t.grant_id = o.id AND t.kind IN ('access', 'refresh') AND t.spent_at IS NULL AND t.expires_at > $1))) AS live,
					coalesce(bool_or(last_used_at IS NOT NULL OR origin = 'personal'), false) AS used,
					max(last_used_at) AS last_used_at
				FROM oauth_grants o
				WHERE client_id = c.id) g
		ORDER BY c.created_at DESC, c.id
		LIMIT $2`, now, most)
	clients, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (auth.KnownClient, error) {
		var k auth.KnownClient
		err := row.Scan(&k.ID, &k.Kind, &k.Name, &k.RedirectURIs, &k.CreatedAt, &k.DisabledAt,
			&k.Grants, &k.Used, &k.LastUsedAt, &k.Problem)
		return k, err
	})
	return clients, explain("list the clients", err)
}

// SetClientDisabled keeps since when a client is disabled; one that is already keeps its time.
func (db *DB) SetClientDisabled(ctx context.Context, id string, at *time.Time) error {
	return db.changeOne(ctx, "disable the client", `
		UPDATE oauth_clients
		SET disabled_at = CASE WHEN $2::timestamptz IS NOT NULL THEN coalesce(disabled_at, $2) END
		WHERE id = $1`, id, at)
}

// DeleteUnusedClient removes a client, with consents whose code was never redeemed.
func (db *DB) DeleteUnusedClient(ctx context.Context, id string) error {
	return db.begin(ctx, "remove the client", func(tx pgx.Tx) error {
		var builtIn bool
		err := tx.QueryRow(ctx, `SELECT kind = 'builtin' FROM oauth_clients WHERE id = $1 FOR UPDATE`, id).Scan(&builtIn)
		if err != nil {
			return err
		}
		if builtIn {
			return auth.ErrClientUsed
		}
		// Who is redeeming a code at this moment holds its grant; this waits, and then finds that it was used.
		_, err = tx.Exec(ctx, `
			DELETE FROM oauth_grants
			WHERE client_id = $1 AND last_used_at IS NULL AND origin <> 'personal'`, id)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			DELETE FROM oauth_clients
			WHERE id = $1 AND NOT EXISTS (SELECT FROM oauth_grants WHERE client_id = $1)`, id)
		if err == nil && tag.RowsAffected() == 0 {
			err = auth.ErrClientUsed
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM client_documents WHERE url = $1`, id)
		return err
	})
}
