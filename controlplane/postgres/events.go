package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// RecordEvents implements fleet.EventStore.
func (db *DB) RecordEvents(ctx context.Context, host protocol.HostID, batch fleet.Batch) (uint64, error) {
	var last uint64
	err := db.begin(ctx, "record events", func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
			SELECT last_seq FROM sessions WHERE id = $1 AND host_id = $2
			FOR NO KEY UPDATE`, batch.Session, host).Scan(&last)
		if err != nil {
			return err
		}
		fresh := slices.DeleteFunc(slices.Clone(batch.Events), func(e protocol.Event) bool { return e.Seq <= last })
		if len(fresh) == 0 || fresh[0].Seq != last+1 {
			return nil // a repeat, or a gap: the host hears from where to go on
		}
		committed := last
		last += uint64(len(fresh))
		writes := &pgx.Batch{}
		queueEvents(writes, batch.Session, fresh)
		queueChanges(writes, host, batch)
		queueNotices(writes, batch, committed)
		writes.Queue(`UPDATE sessions SET last_seq = $2 WHERE id = $1`, batch.Session, last)
		return tx.SendBatch(ctx, writes).Close()
	})
	return last, err
}

func queueEvents(writes *pgx.Batch, session protocol.SessionID, events []protocol.Event) {
	seqs := make([]int64, len(events))
	times := make([]time.Time, len(events))
	kinds := make([]string, len(events))
	bodies := make([]string, len(events))
	for i, e := range events {
		seqs[i], times[i], kinds[i], bodies[i] = int64(e.Seq), e.At, string(e.Kind), string(e.Body)
	}
	writes.Queue(`
		INSERT INTO events (session_id, seq, at, kind, body)
		SELECT $1, e.seq, e.at, e.kind, e.body::jsonb
		FROM unnest($2::bigint[], $3::timestamptz[], $4::text[], $5::text[]) AS e (seq, at, kind, body)`,
		session, seqs, times, kinds, bodies)
}

// queueChanges writes what follows from the events. Each change leaves alone what is not the session's own, and
// does nothing where it, or something newer, has been written before.
func queueChanges(writes *pgx.Batch, host protocol.HostID, batch fleet.Batch) {
	if batch.State != nil {
		writes.Queue(projection, projectionArgs(host, *batch.State)...)
	}
	if u := batch.Usage; u != nil {
		writes.Queue(usageProjection, batch.Session, host, u.SessionUsage, u.Seq)
	}
	for _, p := range batch.Prompts {
		writes.Queue(`
			INSERT INTO prompts (id, session_id, status, prompt, asked_at) VALUES ($1, $2, 'asked', $3, $4)
			ON CONFLICT (id) DO NOTHING`, p.ID, batch.Session, p, p.AskedAt)
	}
	for _, s := range batch.Settlements {
		writes.Queue(`
			UPDATE prompts SET status = 'settled', settlement = $3, settled_at = $4
			WHERE id = $1 AND session_id = $2 AND status <> 'settled'`, s.Prompt, batch.Session, s, s.At)
	}
	for _, m := range batch.Messages {
		writes.Queue(messageAdvance, m.ID, batch.Session, m.Status, m.Detail)
	}
}

// transcriptKinds are the kinds of event that are there to be read.
const transcriptKinds = `('entry', 'prompt_asked', 'prompt_settled')`

// transcriptColumns are what scanEntry reads of event e. An answer comes with what was asked, and a message with what was
// changed in it.
const transcriptColumns = `
	e.seq, e.at, e.kind, e.body, CASE WHEN e.kind = 'prompt_settled' THEN (
		SELECT p.prompt FROM prompts p WHERE p.id = e.body->>'prompt_id' AND p.session_id = e.session_id
	) END, CASE WHEN e.kind = 'entry' AND e.body ? 'message_id' THEN (
		SELECT m.changed FROM messages m WHERE m.id = e.body->>'message_id' AND m.session_id = e.session_id
	) END`

// roleOf is who speaks in event e.
const roleOf = `CASE e.kind WHEN 'prompt_asked' THEN 'question' WHEN 'prompt_settled' THEN 'answer' ELSE e.body->>'role' END`

// Entries implements fleet.EventStore.
func (db *DB) Entries(ctx context.Context, session protocol.SessionID, after, upTo uint64, limit int) ([]fleet.TranscriptEntry, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+transcriptColumns+`
		FROM events e
		WHERE e.session_id = $1 AND e.kind IN `+transcriptKinds+` AND e.seq > $2 AND e.seq <= $3
		ORDER BY e.seq
		LIMIT $4`, session, after, upTo, limit)
	entries, err := pgx.CollectRows(rows, scanEntry)
	return entries, explain("read a transcript", err)
}

// LastEntries implements fleet.EventStore.
func (db *DB) LastEntries(ctx context.Context, session protocol.SessionID, upTo uint64, limit int) ([]fleet.TranscriptEntry, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+transcriptColumns+`
		FROM events e
		WHERE e.session_id = $1 AND e.kind IN `+transcriptKinds+` AND e.seq <= $2
		ORDER BY e.seq DESC
		LIMIT $3`, session, upTo, limit)
	entries, err := pgx.CollectRows(rows, scanEntry)
	slices.Reverse(entries)
	return entries, explain("read a transcript's end", err)
}

// scanEntry reads an entry. One that is not as this version knows them is shown as what it is.
func scanEntry(row pgx.CollectableRow) (fleet.TranscriptEntry, error) {
	var e fleet.TranscriptEntry
	var kind protocol.EventKind
	var body, asked []byte
	if err := row.Scan(&e.Seq, &e.At, &kind, &body, &asked, &e.Changed); err != nil {
		return e, err
	}
	if err := readEntry(&e, kind, body, asked); err != nil {
		e.Asked, e.Settled = nil, nil
		e.Entry = protocol.Entry{Role: protocol.RoleNotice, Text: fmt.Sprintf("entry of an unknown form: %s", body)}
	}
	return e, nil
}

func readEntry(e *fleet.TranscriptEntry, kind protocol.EventKind, body, asked []byte) error {
	switch kind {
	case protocol.EventPrompt:
		e.Role = fleet.RoleQuestion
		return json.Unmarshal(body, &e.Asked)
	case protocol.EventSettlement:
		e.Role = fleet.RoleAnswer
		err := json.Unmarshal(body, &e.Settled)
		if asked == nil {
			return err
		}
		return errors.Join(err, json.Unmarshal(asked, &e.Asked))
	}
	return json.Unmarshal(body, &e.Entry)
}
