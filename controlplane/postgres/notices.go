package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/fleet"
)

// noticeInsert keeps a notice for everyone who wants to hear of it and may. That an agent is idle is news only when
// it was at work before, and that it has exited only once; the state before is in the event before, since the row may
// be ahead of the events.
const noticeInsert = `
	INSERT INTO notices (subscription_id, session_id, seq, prompt_id, at)
	SELECT sub.id, s.id, $2, nullif($4, ''), $5
	FROM sessions s
	JOIN hosts h ON h.id = s.host_id AND h.removed_at IS NULL
	JOIN subscriptions sub ON sub.kind = $3
	WHERE s.id = $1
		AND sub.expires_at > now()
		AND coalesce(sub.session_id, s.id) = s.id
		AND coalesce(sub.host_id, s.host_id) = s.host_id
		AND (h.owner_id = sub.user_id
			OR EXISTS (SELECT FROM host_shares x WHERE x.host_id = h.id AND x.user_id = sub.user_id))
		AND ($3 = 'session.needs_answer' OR EXISTS (
			SELECT FROM (
				SELECT e.body->>'state' AS state FROM events e
				WHERE e.session_id = s.id AND e.kind = 'session_changed' AND e.seq < $2
				ORDER BY e.seq DESC
				LIMIT 1
			) before
			WHERE before.state <> 'exited'
				AND ($3 = 'session.ended' OR before.state NOT IN ('idle', 'starting'))
		))
	FOR KEY SHARE OF sub` // one that ends at this moment is left out, and does not fail the events

func queueNotices(writes *pgx.Batch, batch fleet.Batch, after uint64) {
	for _, n := range batch.Notices {
		if n.Seq > after {
			writes.Queue(noticeInsert, batch.Session, n.Seq, n.Kind, n.Prompt, n.At)
		}
	}
}

// ClaimSubscriptions implements fleet.NoticeStore.
func (db *DB) ClaimSubscriptions(ctx context.Context, now, lease time.Time, limit int) ([]fleet.Subscription, error) {
	rows, _ := db.pool.Query(ctx, `
		UPDATE subscriptions sub SET next_at = $2
		WHERE sub.id IN (
			SELECT due.id
			FROM subscriptions due
			JOIN oauth_grants g ON g.id = due.grant_id AND `+goodGrant("$1")+`
			JOIN users u ON u.id = due.user_id AND u.suspended_at IS NULL
			JOIN oauth_clients c ON c.id = due.client_id AND c.disabled_at IS NULL
			WHERE due.active AND due.next_at <= $1 AND due.expires_at > $1
				AND EXISTS (SELECT FROM notices n WHERE n.subscription_id = due.id)
			ORDER BY due.next_at
			LIMIT $3
			FOR UPDATE OF due SKIP LOCKED
		)
		RETURNING `+subscriptionColumns, now, lease, limit)
	due, err := pgx.CollectRows(rows, scanSubscription)
	return due, explain("read subscriptions that are due", err)
}

// NextNotice implements fleet.NoticeStore.
func (db *DB) NextNotice(ctx context.Context, subscription string, since time.Time) (fleet.PendingNotice, error) {
	for {
		rows, _ := db.pool.Query(ctx, `
			SELECT sub.kind, n.seq, n.at, coalesce(n.prompt_id, ''), n.session_id, s.handle, s.name, h.name,
				coalesce(p.prompt->>'kind', ''), s.exit_reason, n.attempts,
				n.at > $2 AND h.removed_at IS NULL AND coalesce(p.status, 'asked') <> 'settled'
					AND (h.owner_id = sub.user_id OR x.user_id IS NOT NULL)
			FROM notices n
			JOIN subscriptions sub ON sub.id = n.subscription_id
			JOIN oauth_grants g ON g.id = sub.grant_id AND g.revoked_at IS NULL
			JOIN users u ON u.id = sub.user_id AND u.suspended_at IS NULL
			JOIN oauth_clients c ON c.id = sub.client_id AND c.disabled_at IS NULL
			JOIN sessions s ON s.id = n.session_id
			JOIN hosts h ON h.id = s.host_id
			LEFT JOIN host_shares x ON x.host_id = h.id AND x.user_id = sub.user_id
			LEFT JOIN prompts p ON p.id = n.prompt_id
			WHERE n.subscription_id = $1
			ORDER BY n.at, n.session_id, n.seq
			LIMIT 1`, subscription, since)
		due, err := pgx.CollectExactlyOneRow(rows, scanNotice)
		if err != nil {
			return fleet.PendingNotice{}, explain("read a notice", err)
		}
		if due.still {
			return due.PendingNotice, nil
		}
		if err := db.forgetNotice(ctx, db.pool, subscription, due.PendingNotice); err != nil {
			return fleet.PendingNotice{}, explain("drop a notice", err)
		}
	}
}

type dueNotice struct {
	fleet.PendingNotice
	still bool // it may be told, and is so
}

func scanNotice(row pgx.CollectableRow) (dueNotice, error) {
	var n dueNotice
	err := row.Scan(&n.Kind, &n.Seq, &n.At, &n.Prompt, &n.Session, &n.Handle, &n.Name, &n.HostName,
		&n.Prompted, &n.Exit, &n.Attempts, &n.still)
	if n.Kind != fleet.NoticeEnded {
		n.Exit = ""
	}
	return n, err
}

// NoticeTold implements fleet.NoticeStore.
func (db *DB) NoticeTold(ctx context.Context, subscription string, n fleet.PendingNotice, at time.Time) error {
	return db.begin(ctx, "mark a notice as told", func(tx pgx.Tx) error {
		if err := db.forgetNotice(ctx, tx, subscription, n); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			UPDATE subscriptions SET last_sent_at = $2, failures = 0, failed_since = NULL, last_error = ''
			WHERE id = $1`, subscription, at)
		return err
	})
}

// NoticeRefused implements fleet.NoticeStore.
func (db *DB) NoticeRefused(ctx context.Context, subscription string, n fleet.PendingNotice, why string, at time.Time) error {
	return db.begin(ctx, "give a notice up", func(tx pgx.Tx) error {
		if err := db.forgetNotice(ctx, tx, subscription, n); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			UPDATE subscriptions SET failures = failures + 1, failed_since = coalesce(failed_since, $3), last_error = $2
			WHERE id = $1`, subscription, why, at)
		return err
	})
}

// NoticeFailed implements fleet.NoticeStore.
func (db *DB) NoticeFailed(ctx context.Context, subscription string, n fleet.PendingNotice, f fleet.Failure) error {
	return db.begin(ctx, "count an attempt at a notice", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			UPDATE notices SET attempts = attempts + 1
			WHERE subscription_id = $1 AND at = $2 AND session_id = $3 AND seq = $4`, subscription, n.At, n.Session, n.Seq)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			UPDATE subscriptions SET failures = failures + 1, failed_since = coalesce(failed_since, $3), last_error = $2,
				next_at = $4, active = $5
			WHERE id = $1`, subscription, f.Why, f.At, f.Next, f.Active)
		return err
	})
}

// ReleaseSubscription implements fleet.NoticeStore.
func (db *DB) ReleaseSubscription(ctx context.Context, subscription string, now time.Time) error {
	_, err := db.pool.Exec(ctx, `UPDATE subscriptions SET next_at = $2 WHERE id = $1`, subscription, now)
	return explain("release a subscription", err)
}

// DeleteStaleSubscriptions implements fleet.NoticeStore.
func (db *DB) DeleteStaleSubscriptions(ctx context.Context, now, since time.Time) error {
	_, overErr := db.pool.Exec(ctx, `
		DELETE FROM subscriptions sub USING oauth_grants g
		WHERE g.id = sub.grant_id AND (sub.expires_at <= $1 OR NOT (`+goodGrant("$1")+`))`, now)
	_, oldErr := db.pool.Exec(ctx, `DELETE FROM notices WHERE at < $1`, since)
	return explain("delete subscriptions that are over", errors.Join(overErr, oldErr))
}

// forgetNotice deletes one. It is no error if its subscription has ended in between.
func (db *DB) forgetNotice(ctx context.Context, by executor, subscription string, n fleet.PendingNotice) error {
	_, err := by.Exec(ctx, `
		DELETE FROM notices WHERE subscription_id = $1 AND at = $2 AND session_id = $3 AND seq = $4`,
		subscription, n.At, n.Session, n.Seq)
	return err
}
