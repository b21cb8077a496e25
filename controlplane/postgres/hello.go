package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// RecordHello implements fleet.HostStore.
func (db *DB) RecordHello(ctx context.Context, id protocol.HostID, hello protocol.HelloRequest, at time.Time) (fleet.Greeted, error) {
	greeted := fleet.Greeted{LastSeq: make(map[protocol.SessionID]uint64)}
	err := db.begin(ctx, "record a hello", func(tx pgx.Tx) error {
		if err := updateHost(ctx, tx, id, hello, at); err != nil {
			return err
		}
		named := make([]protocol.SessionID, len(hello.Sessions))
		writes := &pgx.Batch{}
		for i, s := range hello.Sessions {
			named[i] = s.ID
			queueProjection(writes, id, s)
		}
		if err := tx.SendBatch(ctx, writes).Close(); err != nil {
			return err
		}
		lost, err := markLost(ctx, tx, id, named, at)
		if err != nil {
			return err
		}
		greeted.Changed = append(lost, named...)
		return readLastSeq(ctx, tx, id, named, greeted.LastSeq)
	})
	return greeted, err
}

func updateHost(ctx context.Context, tx pgx.Tx, id protocol.HostID, hello protocol.HelloRequest, at time.Time) error {
	tag, err := tx.Exec(ctx, `
		UPDATE hosts SET connected_at = $2, last_seen_at = $2, away_since = NULL, contract = $3, agent_version = $4,
			hostname = $5, os = $6, arch = $7, kinds = $8, roots = $9, modes = $10
		WHERE id = $1 AND removed_at IS NULL`,
		id, at, hello.Version, hello.Agent, hello.Hostname, hello.OS, hello.Arch,
		notNil(hello.Kinds), notNil(hello.Roots), notNil(hello.Modes))
	if err == nil && tag.RowsAffected() == 0 {
		err = pgx.ErrNoRows
	}
	return err
}

// notNil makes an empty list of a missing one, which Postgres would take for NULL.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// startGrace is how long a session may be on its way to a host that said hello without it: until nobody takes its start
// any more, should the host not be asked what became of it before.
const startGrace = fleet.LateAfter

// markLost ends the sessions that lived when their host was last heard of, and that it does not know any more.
func markLost(ctx context.Context, tx pgx.Tx, id protocol.HostID, named []protocol.SessionID, at time.Time) ([]protocol.SessionID, error) {
	rows, _ := tx.Query(ctx, `
		UPDATE sessions SET state = 'exited', evidence = 'lost: the host no longer knows it', confidence = 'low', state_at = $3,
			exited_at = $3, exit_reason = 'lost: the host no longer knows it'
		WHERE host_id = $1 AND state <> 'exited' AND NOT id = ANY ($2)
			AND NOT (last_seq = 0 AND started_at > $4)
		RETURNING id`, id, named, at, at.Add(-startGrace))
	return pgx.CollectRows(rows, pgx.RowTo[protocol.SessionID])
}

// readLastSeq reads from where the host goes on.
func readLastSeq(ctx context.Context, tx pgx.Tx, id protocol.HostID, named []protocol.SessionID, last map[protocol.SessionID]uint64) error {
	rows, _ := tx.Query(ctx, `SELECT id, last_seq FROM sessions WHERE host_id = $1 AND id = ANY ($2)`, id, named)
	var session protocol.SessionID
	var seq uint64
	_, err := pgx.ForEachRow(rows, []any{&session, &seq}, func() error {
		last[session] = seq
		return nil
	})
	return err
}
