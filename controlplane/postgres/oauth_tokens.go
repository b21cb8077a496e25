package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// Access finds who holds an access or personal token that is good at now.
func (db *DB) Access(ctx context.Context, kind auth.TokenKind, signature string, now time.Time) (auth.Access, error) {
	var a auth.Access
	var scopes string
	err := db.pool.QueryRow(ctx, `
		SELECT u.id, u.name, u.role, c.id, c.name, g.id, g.name, t.scopes, g.resource, t.expires_at, g.last_used_at
		FROM oauth_tokens t
			JOIN oauth_grants g ON g.id = t.grant_id
			JOIN users u ON u.id = g.user_id
			JOIN oauth_clients c ON c.id = g.client_id
		WHERE t.kind = $1 AND t.signature = $2 AND t.expires_at > $3
			AND g.revoked_at IS NULL AND u.suspended_at IS NULL AND c.disabled_at IS NULL`, kind, signature, now).
		Scan(&a.User, &a.UserName, &a.Role, &a.ClientID, &a.Client, &a.Grant, &a.GrantName, &scopes,
			&a.Resource, &a.ExpiresAt, &a.LastUsedAt)
	a.Scopes = auth.ParseScopes(scopes)
	return a, explain("find the access token", err)
}

// tokenColumns are what scanToken reads of oauth_tokens t, before grantColumns.
const tokenColumns = `t.kind, t.signature, t.grant_id, t.scopes, t.redirect_uri, t.challenge,
	t.created_at, t.expires_at, t.spent_at`

func scanToken(row pgx.Row) (auth.StoredToken, auth.Grant, error) {
	var t auth.StoredToken
	var g auth.Grant
	var scopes, grantScopes string
	targets := []any{&t.Kind, &t.Signature, &t.Grant, &scopes, &t.RedirectURI, &t.Challenge,
		&t.CreatedAt, &t.ExpiresAt, &t.SpentAt}
	err := row.Scan(append(targets, grantTargets(&g, &grantScopes)...)...)
	t.Scopes, g.Scopes = auth.ParseScopes(scopes), auth.ParseScopes(grantScopes)
	return t, g, err
}

// Token finds a token and its grant, whatever has become of them.
func (db *DB) Token(ctx context.Context, kind auth.TokenKind, signature string) (auth.StoredToken, auth.Grant, error) {
	token, grant, err := scanToken(db.pool.QueryRow(ctx, `
		SELECT `+tokenColumns+`, `+grantColumns+`
		FROM oauth_tokens t
			JOIN oauth_grants g ON g.id = t.grant_id
			JOIN users u ON u.id = g.user_id
			JOIN oauth_clients c ON c.id = g.client_id
		WHERE t.kind = $1 AND t.signature = $2`, kind, signature))
	return token, grant, explain("find the token", err)
}

// DeleteToken forgets a token.
func (db *DB) DeleteToken(ctx context.Context, kind auth.TokenKind, signature string) error {
	return db.change(ctx, "delete the token", `DELETE FROM oauth_tokens WHERE kind = $1 AND signature = $2`, kind, signature)
}

func insertToken(ctx context.Context, on executor, t auth.StoredToken) error {
	_, err := on.Exec(ctx, `
		INSERT INTO oauth_tokens (kind, signature, grant_id, scopes, redirect_uri, challenge, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (kind, signature) DO NOTHING`,
		t.Kind, t.Signature, t.Grant, t.Scopes.String(), t.RedirectURI, t.Challenge, t.CreatedAt, t.ExpiresAt)
	return err
}

// Exchange runs do in one transaction.
func (db *DB) Exchange(ctx context.Context, do func(tx auth.ExchangeTx) error) error {
	return db.begin(ctx, "exchange tokens", func(tx pgx.Tx) error { return do(exchange{tx}) })
}

// exchange is an auth.ExchangeTx.
type exchange struct{ tx pgx.Tx }

// LockToken finds a token of a grant that is alive. Whoever else wants the same token waits for the end of this
// transaction, and then sees what it did. The grant is locked with it, so that a token is not issued beside a
// revocation that has already been answered.
func (x exchange) LockToken(ctx context.Context, kind auth.TokenKind, signature string) (auth.StoredToken, auth.Grant, error) {
	token, grant, err := scanToken(x.tx.QueryRow(ctx, `
		SELECT `+tokenColumns+`, `+grantColumns+`
		FROM oauth_tokens t
			JOIN oauth_grants g ON g.id = t.grant_id
			JOIN users u ON u.id = g.user_id
			JOIN oauth_clients c ON c.id = g.client_id
		WHERE t.kind = $1 AND t.signature = $2
			AND g.revoked_at IS NULL AND u.suspended_at IS NULL AND c.disabled_at IS NULL
		FOR UPDATE OF t, g`, kind, signature))
	return token, grant, explain("lock the token", err)
}

// SpendToken marks a token as used, once.
func (x exchange) SpendToken(ctx context.Context, kind auth.TokenKind, signature string, at time.Time) error {
	tag, err := x.tx.Exec(ctx, `
		UPDATE oauth_tokens SET spent_at = $3
		WHERE kind = $1 AND signature = $2 AND spent_at IS NULL`, kind, signature, at)
	if err == nil && tag.RowsAffected() == 0 {
		err = pgx.ErrNoRows
	}
	return explain("spend the token", err)
}

// InsertToken keeps a token that may be there already.
func (x exchange) InsertToken(ctx context.Context, t auth.StoredToken) error {
	return explain("insert the token", insertToken(ctx, x.tx, t))
}

// TouchGrant writes a grant's last use.
func (x exchange) TouchGrant(ctx context.Context, id auth.GrantID, addr string, at time.Time) error {
	return explain("touch the grant", touchGrant(ctx, x.tx, id, addr, at))
}

// RevokeGrant ends a grant.
func (x exchange) RevokeGrant(ctx context.Context, id auth.GrantID, why string, at time.Time) error {
	return explain("revoke the grant", revokeGrant(ctx, x.tx, id, why, at))
}
