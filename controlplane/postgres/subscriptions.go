package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
)

// subscriptionColumns are what scanSubscription reads. $1 is now: a secret whose time is over signs no more.
const subscriptionColumns = `
	sub.id, sub.user_id, sub.client_id, sub.grant_id, sub.kind, coalesce(sub.session_id, ''), coalesce(sub.host_id, ''),
	sub.url, sub.secret, CASE WHEN sub.old_secret_until > $1 THEN sub.old_secret END, sub.created_at, sub.expires_at,
	sub.active, sub.failures, sub.failed_since, sub.last_error, sub.last_sent_at`

// goodGrant is the condition that a subscription's grant g still lets its client in: it holds a token that is good at
// the time which the expression now gives. A personal token, or a client that was not seen for long, ends without a
// word.
func goodGrant(now string) string {
	return `g.revoked_at IS NULL AND EXISTS (
		SELECT FROM oauth_tokens t
		WHERE t.grant_id = g.id AND t.kind <> 'code' AND t.spent_at IS NULL AND t.expires_at > ` + now + `)`
}

func scanSubscription(row pgx.CollectableRow) (fleet.Subscription, error) {
	var s fleet.Subscription
	err := row.Scan(&s.ID, &s.User, &s.ClientID, &s.Grant, &s.Kind, &s.Session, &s.Host,
		&s.URL, &s.Secret, &s.OldSecret, &s.CreatedAt, &s.ExpiresAt,
		&s.Active, &s.Failures, &s.FailedSince, &s.LastError, &s.LastSentAt)
	return s, err
}

// Subscription implements fleet.SubscriptionStore.
func (db *DB) Subscription(ctx context.Context, id string, now time.Time) (fleet.Subscription, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+subscriptionColumns+`
		FROM subscriptions sub JOIN oauth_grants g ON g.id = sub.grant_id
		WHERE sub.id = $2 AND sub.expires_at > $1 AND `+goodGrant("$1"), now, id)
	subscription, err := pgx.CollectExactlyOneRow(rows, scanSubscription)
	return subscription, explain("read a subscription", err)
}

// CountSubscriptions implements fleet.SubscriptionStore.
func (db *DB) CountSubscriptions(ctx context.Context, user auth.UserID, now time.Time) (int, error) {
	var count int
	err := db.pool.QueryRow(ctx, `
		SELECT count(*)
		FROM subscriptions sub JOIN oauth_grants g ON g.id = sub.grant_id
		WHERE sub.user_id = $1 AND sub.expires_at > $2 AND `+goodGrant("$2"), user, now).Scan(&count)
	return count, explain("count subscriptions", err)
}

// VerifiedCallback implements fleet.SubscriptionStore: what stands here was verified.
func (db *DB) VerifiedCallback(ctx context.Context, user auth.UserID, client, url string, now time.Time) (bool, error) {
	var verified bool
	err := db.pool.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT FROM subscriptions sub JOIN oauth_grants g ON g.id = sub.grant_id
			WHERE sub.user_id = $1 AND sub.client_id = $2 AND sub.url = $3 AND sub.expires_at > $4
				AND `+goodGrant("$4")+`
		)`, user, client, url, now).Scan(&verified)
	return verified, explain("look for a subscription", err)
}

// Subscribe implements fleet.SubscriptionStore.
func (db *DB) Subscribe(ctx context.Context, s fleet.Subscription, sameSecret bool, oldUntil time.Time) error {
	_, err := db.pool.Exec(ctx, `
		INSERT INTO subscriptions AS sub (id, user_id, client_id, grant_id, kind, session_id, host_id, url, secret,
			created_at, expires_at, next_at)
		VALUES ($1, $2, $3, $4, $5, nullif($6, ''), nullif($7, ''), $8, $9, $10, $11, $10)
		ON CONFLICT (id) DO UPDATE SET
			grant_id = excluded.grant_id, expires_at = excluded.expires_at, active = true,
			next_at = CASE WHEN sub.active THEN sub.next_at ELSE excluded.next_at END,
			failed_since = CASE WHEN sub.active THEN sub.failed_since END,
			old_secret = CASE WHEN $12 THEN sub.old_secret ELSE sub.secret END,
			old_secret_until = CASE WHEN $12 THEN sub.old_secret_until ELSE $13 END,
			secret = CASE WHEN $12 THEN sub.secret ELSE excluded.secret END`,
		s.ID, s.User, s.ClientID, s.Grant, s.Kind, s.Session, s.Host, s.URL, s.Secret,
		s.CreatedAt, s.ExpiresAt, sameSecret, oldUntil)
	return explain("keep a subscription", err)
}

// Unsubscribe implements fleet.SubscriptionStore.
func (db *DB) Unsubscribe(ctx context.Context, id string) error {
	return db.changeOne(ctx, "end a subscription", `DELETE FROM subscriptions WHERE id = $1`, id)
}
