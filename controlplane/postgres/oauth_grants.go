package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// InsertGrant keeps a consent and its code, both or neither.
func (db *DB) InsertGrant(ctx context.Context, g auth.Grant, code auth.StoredToken) error {
	return db.begin(ctx, "insert the grant", func(tx pgx.Tx) error {
		if err := insertGrant(ctx, tx, g); err != nil {
			return err
		}
		return insertToken(ctx, tx, code)
	})
}

func insertGrant(ctx context.Context, tx pgx.Tx, g auth.Grant) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO oauth_grants (id, user_id, client_id, origin, name, scopes, resource, redirect_uri, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		g.ID, g.User, g.ClientID, g.Origin, g.Name, g.Scopes.String(), g.Resource, g.RedirectURI, g.CreatedAt, g.ExpiresAt)
	return err
}

// grantColumns are what scanGrant reads, of oauth_grants g, users u and oauth_clients c.
const grantColumns = `g.id, g.user_id, u.name, g.client_id, c.kind, c.name, coalesce(c.metadata->>'client_uri', ''),
	g.origin, g.name, g.scopes, g.resource, g.redirect_uri, g.created_at, g.expires_at, g.last_used_at, g.last_addr, g.revoked_at`

// grantTargets are where grantColumns go.
func grantTargets(g *auth.Grant, scopes *string) []any {
	return []any{&g.ID, &g.User, &g.UserName, &g.ClientID, &g.Kind, &g.Client, &g.ClientURI,
		&g.Origin, &g.Name, scopes, &g.Resource, &g.RedirectURI, &g.CreatedAt, &g.ExpiresAt, &g.LastUsedAt, &g.LastAddr, &g.RevokedAt}
}

func scanGrant(row pgx.CollectableRow) (auth.Grant, error) {
	var g auth.Grant
	var scopes string
	err := row.Scan(grantTargets(&g, &scopes)...)
	g.Scopes = auth.ParseScopes(scopes)
	return g, err
}

// Grants lists personal tokens, and what still holds a good access or refresh token.
func (db *DB) Grants(ctx context.Context, user auth.UserID, client string, now time.Time, most int) ([]auth.Grant, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+grantColumns+`
		FROM oauth_grants g JOIN users u ON u.id = g.user_id JOIN oauth_clients c ON c.id = g.client_id
		WHERE `+equalIfGiven("g.user_id", "$1", user)+` AND `+equalIfGiven("g.client_id", "$2", client)+` AND g.revoked_at IS NULL
			AND (g.origin = 'personal' OR EXISTS (
				SELECT FROM oauth_tokens t
				WHERE t.grant_id = g.id AND t.kind IN ('access', 'refresh') AND t.spent_at IS NULL AND t.expires_at > $3))
		ORDER BY g.created_at DESC, g.id
		LIMIT $4`, user, client, now, most)
	grants, err := pgx.CollectRows(rows, scanGrant)
	return grants, explain("list grants", err)
}

// Grant finds a grant, revoked or not.
func (db *DB) Grant(ctx context.Context, id auth.GrantID) (auth.Grant, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+grantColumns+`
		FROM oauth_grants g JOIN users u ON u.id = g.user_id JOIN oauth_clients c ON c.id = g.client_id
		WHERE g.id = $1`, id)
	grant, err := pgx.CollectExactlyOneRow(rows, scanGrant)
	return grant, explain("find the grant", err)
}

// RevokeGrant ends a grant; its tokens are dead with it. One that is revoked already keeps its reason.
func (db *DB) RevokeGrant(ctx context.Context, id auth.GrantID, why string, at time.Time) error {
	return explain("revoke the grant", revokeGrant(ctx, db.pool, id, why, at))
}

func revokeGrant(ctx context.Context, on executor, id auth.GrantID, why string, at time.Time) error {
	_, err := on.Exec(ctx, `
		UPDATE oauth_grants SET revoked_at = $2, revoked_why = $3
		WHERE id = $1 AND revoked_at IS NULL`, id, at, why)
	return err
}

// RevokeGrants ends all grants of one person.
func (db *DB) RevokeGrants(ctx context.Context, user auth.UserID, why string, at time.Time) error {
	return db.change(ctx, "revoke the grants", `
		UPDATE oauth_grants SET revoked_at = $2, revoked_why = $3
		WHERE user_id = $1 AND revoked_at IS NULL`, user, at, why)
}

// RevokeClientGrants ends all grants of one client.
func (db *DB) RevokeClientGrants(ctx context.Context, client, why string, at time.Time) error {
	return db.change(ctx, "revoke the client's grants", `
		UPDATE oauth_grants SET revoked_at = $2, revoked_why = $3
		WHERE client_id = $1 AND revoked_at IS NULL`, client, at, why)
}

// TouchGrant writes a grant's last use.
func (db *DB) TouchGrant(ctx context.Context, id auth.GrantID, addr string, at time.Time) error {
	return explain("touch the grant", touchGrant(ctx, db.pool, id, addr, at))
}

func touchGrant(ctx context.Context, on executor, id auth.GrantID, addr string, at time.Time) error {
	_, err := on.Exec(ctx, `
		UPDATE oauth_grants SET last_used_at = $2, last_addr = $3
		WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)`, id, at, addr)
	return err
}
