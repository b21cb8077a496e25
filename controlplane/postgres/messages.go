package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"switchboard/auth/audit"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

const messageColumns = `
	m.id, m.session_id, m.author_id, m.client_id, coalesce(m.idempotency_key, ''), m.body, m.status,
	m.detail, m.changed, m.created_at, m.updated_at`

func scanMessage(row pgx.CollectableRow) (fleet.Message, error) {
	var m fleet.Message
	err := row.Scan(&m.ID, &m.Session, &m.Author, &m.ClientID, &m.IdempotencyKey, &m.Text, &m.Status,
		&m.Detail, &m.Changed, &m.CreatedAt, &m.UpdatedAt)
	return m, err
}

// messageInsert keeps a message, unless its session is gone or its author has used its key. It fails for neither,
// since it shares a transaction with the audit records of others.
const messageInsert = `
	INSERT INTO messages (id, session_id, author_id, client_id, idempotency_key, body, status, detail, created_at, updated_at)
	SELECT $1, s.id, $3, $4, nullif($5, ''), $6, $7, $8, $9, $9
	FROM sessions s
	WHERE s.id = $2
	FOR KEY SHARE
	ON CONFLICT (author_id, idempotency_key) DO NOTHING`

// messagesBefore returns which messages of its session a new one may not overtake.
const messagesBefore = `
	RETURNING ARRAY(
		SELECT b.id FROM messages b
		WHERE b.session_id = $2 AND b.id <> $1 AND b.status = 'queued' AND b.detail = ANY ($10)
		ORDER BY b.created_at)`

// messageKeyFree takes its key from a message of which nothing was done, so that the repeat m is sent in its place.
const messageKeyFree = `
	UPDATE messages SET idempotency_key = NULL
	WHERE author_id = $1 AND idempotency_key = $2 AND session_id = $3 AND body = $4 AND status = 'failed'`

func messageArgs(m fleet.Message) []any {
	return []any{m.ID, m.Session, m.Author, m.ClientID, m.IdempotencyKey, m.Text, m.Status, m.Detail, m.CreatedAt}
}

// RecordMessage implements fleet.MessageStore. The message goes into the transaction that writes the record, with
// those of other callers, so that both cost one commit.
func (db *DB) RecordMessage(ctx context.Context, record audit.Event, a fleet.Answer, m fleet.Message) (fleet.Message, bool, error) {
	fresh := false
	answer := use(a)
	err := db.chain.append(ctx, &pendingRecord{
		event:  storable(record),
		answer: answer,
		with: func(writes *pgx.Batch) {
			if answer.spent() {
				return
			}
			if m.IdempotencyKey != "" {
				writes.Queue(messageKeyFree, m.Author, m.IdempotencyKey, m.Session, m.Text)
			}
			args := append(messageArgs(m), fleet.UnheardDetails())
			writes.Queue(messageInsert+messagesBefore, args...).QueryRow(func(row pgx.Row) error {
				err := row.Scan(&m.Behind)
				if errors.Is(err, pgx.ErrNoRows) {
					return nil
				}
				fresh = err == nil
				return err
			})
		},
	})
	if err != nil {
		return fleet.Message{}, false, explain("keep a message and its audit record", err)
	}
	if answer.spent() {
		return fleet.Message{}, false, fleet.ErrAnswered
	}
	if fresh {
		return m, true, nil
	}
	rows, _ := db.pool.Query(ctx, `
		SELECT `+messageColumns+`
		FROM messages m
		WHERE m.author_id = $1 AND m.idempotency_key = $2`, m.Author, m.IdempotencyKey)
	first, err := pgx.CollectExactlyOneRow(rows, scanMessage)
	return first, false, explain("read the message of an idempotency key", err)
}

// InsertMessage implements fleet.MessageStore.
func (db *DB) InsertMessage(ctx context.Context, m fleet.Message) error {
	return db.changeOne(ctx, "keep a message", messageInsert, messageArgs(m)...)
}

// Message implements fleet.MessageStore.
func (db *DB) Message(ctx context.Context, id protocol.MessageID) (fleet.Message, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+messageColumns+`
		FROM messages m
		WHERE m.id = $1`, id)
	message, err := pgx.CollectExactlyOneRow(rows, scanMessage)
	return message, explain("read a message", err)
}

// Unheard implements fleet.MessageStore.
func (db *DB) Unheard(ctx context.Context, ids []protocol.MessageID) ([]protocol.MessageID, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT id FROM messages
		WHERE id = ANY ($1) AND status = 'queued' AND detail = ANY ($2)
		ORDER BY created_at`, ids, fleet.UnheardDetails())
	unheard, err := pgx.CollectRows(rows, pgx.RowTo[protocol.MessageID])
	return unheard, explain("read which messages are on their way", err)
}

// KeepChanges implements fleet.MessageStore. A loss of power costs only the words, so that this need not wait for the disk.
func (db *DB) KeepChanges(ctx context.Context, id protocol.MessageID, changed []string) error {
	writes := &pgx.Batch{} // one transaction, and one round trip
	writes.Queue(`BEGIN`)
	writes.Queue(`SET LOCAL synchronous_commit TO off`)
	writes.Queue(`UPDATE messages SET changed = $2 WHERE id = $1`, id, changed)
	writes.Queue(`COMMIT`)
	return explain("store what was changed in a message", db.pool.SendBatch(ctx, writes).Close())
}

// QueuedMessages implements fleet.MessageStore.
func (db *DB) QueuedMessages(ctx context.Context, session protocol.SessionID, limit int) ([]fleet.Message, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+messageColumns+`
		FROM messages m
		WHERE m.session_id = $1 AND m.status = 'queued'
		ORDER BY m.created_at
		LIMIT $2`, session, limit)
	queued, err := pgx.CollectRows(rows, scanMessage)
	return queued, explain("read queued messages", err)
}

// messageAdvance stores a status that does not come before the stored one: queued, delivered, then one of those
// that stay.
const messageAdvance = `
	UPDATE messages SET status = $3, detail = $4, updated_at = now()
	WHERE id = $1 AND session_id = $2
		AND (status = 'queued' OR status = 'delivered' AND $3 <> 'queued')`

// AdvanceMessage implements fleet.MessageStore. What a host says of a message that is still on its way comes again
// as an event, so that this need not wait for the disk.
func (db *DB) AdvanceMessage(ctx context.Context, session protocol.SessionID, m protocol.MessageState) error {
	writes := &pgx.Batch{} // one transaction, and one round trip
	writes.Queue(`BEGIN`)
	if !m.Status.Final() {
		writes.Queue(`SET LOCAL synchronous_commit TO off`)
	}
	writes.Queue(messageAdvance, m.ID, session, m.Status, m.Detail)
	writes.Queue(`COMMIT`)
	return explain("store what became of a message", db.pool.SendBatch(ctx, writes).Close())
}
