package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// DB is the store of everything that fleet does.
var _ fleet.Store = (*DB)(nil)

// sessionColumns are what scanSession reads of visibleSessions. All that a status shows comes in one round trip.
const sessionColumns = `
	s.id, s.name, s.agent, s.agent_version, s.working_dir, s.permission_mode, s.state, s.evidence, s.confidence, s.state_at,
	s.started_at, s.exited_at, s.exit_code, s.exit_reason, s.usage, s.last_seq, s.state_seq, s.handle, s.host_id, h.name,
	h.away_since IS NULL AND h.last_seen_at IS NOT NULL, coalesce(h.away_since, h.last_seen_at),
	s.created_by, u.display_name, h.owner_id IS NOT DISTINCT FROM $1, coalesce(x.access, ''),
	CASE WHEN s.state = 'idle' THEN ` + unreflected + ` END,
	CASE WHEN s.state <> 'exited' THEN (` + openOfSession + `) END`

// unreflected is when a message was last heard of that the idle state of session s does not reflect: it is not
// final, or the event by which the agent accepted it came after the state's. Each half is one look into an index,
// however many messages and events the session has had.
const unreflected = `
	greatest((
		SELECT max(m.updated_at) FROM messages m
		WHERE m.session_id = s.id AND m.status IN ('queued', 'delivered')
	), CASE WHEN s.last_seq > s.state_seq THEN (
		SELECT max(m.updated_at) FROM events e JOIN messages m ON m.id = e.body->>'id'
		WHERE e.session_id = s.id AND e.seq > s.state_seq AND e.kind = 'message_changed'
			AND e.body->>'status' = 'accepted' AND m.session_id = s.id AND m.status = 'accepted'
	) END)`

// visibleSessions are those that the person $1 may see: on hosts that he owns or that are shared with him.
const visibleSessions = `
	sessions s
	JOIN hosts h ON h.id = s.host_id AND h.removed_at IS NULL
	JOIN users u ON u.id = s.created_by
	LEFT JOIN host_shares x ON x.host_id = h.id AND x.user_id = $1
	WHERE (h.owner_id = $1 OR x.user_id IS NOT NULL)`

func scanSession(row pgx.CollectableRow) (fleet.Session, error) {
	var s fleet.Session
	var seen *time.Time
	var owner bool
	var share string
	var open []openPrompt
	err := row.Scan(&s.ID, &s.Name, &s.Agent, &s.AgentVersion, &s.WorkingDir, &s.PermissionMode, &s.State, &s.Evidence, &s.Confidence, &s.StateAt,
		&s.StartedAt, &s.ExitedAt, &s.ExitCode, &s.ExitReason, &s.Usage, &s.LastSeq, &s.StateSeq, &s.Handle, &s.Host, &s.HostName,
		&s.HostOnline, &seen, &s.CreatedBy, &s.Creator, &owner, &share, &s.MessageAt,
		&open)
	if seen != nil {
		s.HostAway = *seen
	}
	s.Access = access(owner, share, auth.RoleMember)
	for _, p := range open {
		s.Open = append(s.Open, p.of(s))
	}
	return s, err
}

// VisibleSessions implements fleet.SessionStore.
func (db *DB) VisibleSessions(ctx context.Context, user auth.UserID, q fleet.SessionQuery) ([]fleet.Session, int, error) {
	after := fleet.SessionPlace{}
	if q.After != nil {
		after = *q.After
	}
	var sessions []fleet.Session
	var leftOut int
	reads := &pgx.Batch{} // one round trip
	reads.Queue(`
		SELECT `+sessionColumns+`
		FROM `+visibleSessions+`
			AND `+equalIfGiven("s.host_id", "$2", q.Host)+`
			AND `+equalIfGiven("s.state", "$3", q.State)+`
			AND (s.state <> 'exited' OR `+endedAt+` >= $8)
			AND ($4 = '' OR (s.state = 'exited') > $5
				OR (s.state = 'exited') = $5 AND (s.started_at, s.id) < ($6, $4))
		ORDER BY s.state = 'exited', s.started_at DESC, s.id DESC
		LIMIT $7`, user, q.Host, q.State, after.ID, after.Exited, after.StartedAt, q.Limit, q.Since).
		Query(func(rows pgx.Rows) (err error) {
			sessions, err = pgx.CollectRows(rows, scanSession)
			return err
		})
	if !q.Since.IsZero() {
		reads.Queue(`
			SELECT count(*)
			FROM `+visibleSessions+`
				AND `+equalIfGiven("s.host_id", "$2", q.Host)+`
				AND s.state = 'exited' AND `+endedAt+` < $3`, user, q.Host, q.Since).
			QueryRow(func(row pgx.Row) error { return row.Scan(&leftOut) })
	}
	err := db.pool.SendBatch(ctx, reads).Close()
	return sessions, leftOut, explain("read sessions", err)
}

// endedAt is when the exited session s ended, as far as its host said.
const endedAt = `coalesce(s.exited_at, s.state_at)`

// candidates bounds how many sessions of one name are looked at: more than an answer lists.
const candidates = 50

// ResolveSession implements fleet.SessionStore.
func (db *DB) ResolveSession(ctx context.Context, user auth.UserID, ref string) ([]fleet.Session, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+sessionColumns+`
		FROM `+visibleSessions+`
			AND (s.id = lower($2) OR s.handle = lower($2) OR lower(s.name) = lower($2))
		ORDER BY s.id = lower($2) OR s.handle = lower($2) DESC, s.state = 'exited', s.started_at DESC
		LIMIT $3`, user, ref, candidates)
	sessions, err := pgx.CollectRows(rows, scanSession)
	return sessions, explain("read sessions", err)
}

// SessionsByID implements fleet.SessionStore.
func (db *DB) SessionsByID(ctx context.Context, user auth.UserID, ids []protocol.SessionID) ([]fleet.Session, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+sessionColumns+`
		FROM `+visibleSessions+` AND s.id = ANY($2)`, user, ids)
	sessions, err := pgx.CollectRows(rows, scanSession)
	return sessions, explain("read sessions", err)
}

// InsertSession implements fleet.SessionStore.
func (db *DB) InsertSession(ctx context.Context, s fleet.Session, key string, request []byte) (protocol.SessionID, bool, error) {
	if key != "" {
		if err := db.change(ctx, "free the key of a session that never was", sessionKeyFree, s.CreatedBy, key, request, fleet.LateAfter); err != nil {
			return "", false, err
		}
	}
	tag, err := db.pool.Exec(ctx, `
		INSERT INTO sessions (id, host_id, handle, name, created_by, idempotency_key, request, agent, working_dir,
			permission_mode, state, evidence, state_at, started_at)
		VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (created_by, idempotency_key) DO NOTHING`,
		s.ID, s.Host, s.Handle, s.Name, s.CreatedBy, key, request, s.Agent, s.WorkingDir,
		s.PermissionMode, s.State, s.Evidence, s.StateAt, s.StartedAt)
	if isDuplicate(err, "sessions_handle_key") {
		return "", false, fleet.ErrHandleTaken
	}
	if err != nil {
		return "", false, explain("keep a session", err)
	}
	if tag.RowsAffected() == 1 {
		return s.ID, true, nil
	}
	var first protocol.SessionID
	err = db.pool.QueryRow(ctx, `
		SELECT id FROM sessions WHERE created_by = $1 AND idempotency_key = $2 AND request = $3`,
		s.CreatedBy, key, request).Scan(&first)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, fleet.ErrConflict
	}
	return first, false, explain("read the session of an idempotency key", err)
}

// HostOwner implements fleet.SessionStore.
func (db *DB) HostOwner(ctx context.Context, host protocol.HostID, id protocol.SessionID) (owner auth.UserID, name string, known bool, err error) {
	err = db.pool.QueryRow(ctx, `
		SELECT coalesce(h.owner_id, ''), coalesce(u.display_name, ''), s.id IS NOT NULL
		FROM hosts h
		LEFT JOIN users u ON u.id = h.owner_id
		LEFT JOIN sessions s ON s.id = $2
		WHERE h.id = $1 AND h.removed_at IS NULL AND (s.id IS NULL OR s.host_id = h.id)`, host, id).Scan(&owner, &name, &known)
	return owner, name, known, explain("read whose a session is", err)
}

// sessionKeyFree takes its key from a session that was lost before its host had said a word of it, once nobody takes its
// start any more.
const sessionKeyFree = `
	UPDATE sessions SET idempotency_key = NULL
	WHERE created_by = $1 AND idempotency_key = $2 AND request = $3 AND state = 'exited' AND last_seq = 0 AND state_seq = 0
		AND started_at < now() - $4::interval`

// RemoveSession implements fleet.SessionStore.
func (db *DB) RemoveSession(ctx context.Context, id protocol.SessionID) error {
	return db.begin(ctx, "forget a session", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			DELETE FROM sessions s
			WHERE id = $1 AND unheard AND NOT EXISTS (SELECT FROM messages WHERE session_id = s.id)`, id)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			UPDATE sessions SET state = 'exited', evidence = 'lost: it was never started', state_at = now(),
				exited_at = now(), exit_reason = 'lost: it was never started', idempotency_key = NULL
			WHERE id = $1 AND unheard`, id)
		return err
	})
}

// projection stores what a host says of its session, unless something newer is known.
const projection = `
	UPDATE sessions SET agent = $3, agent_version = $4, working_dir = $5, permission_mode = $6, state = $7,
		evidence = $8, state_at = $9, exited_at = $10, exit_code = $11, exit_reason = $12, state_seq = $13, confidence = $14
	WHERE id = $1 AND host_id = $2 AND state_seq <= $13`

func projectionArgs(host protocol.HostID, s protocol.Session) []any {
	return []any{s.ID, host, s.Agent, s.AgentVersion, s.WorkingDir, s.PermissionMode, s.State,
		s.Evidence, s.StateAt, s.ExitedAt, s.ExitCode, s.ExitReason, s.LastSeq, s.Confidence}
}

// usageProjection stores what a host says that its session has taken, unless something newer is known.
const usageProjection = `
	UPDATE sessions SET usage = $3, usage_seq = $4
	WHERE id = $1 AND host_id = $2 AND usage_seq <= $4`

// ProjectSession implements fleet.SessionStore.
func (db *DB) ProjectSession(ctx context.Context, host protocol.HostID, s protocol.Session) error {
	writes := &pgx.Batch{}
	queueProjection(writes, host, s)
	return explain("store a session's state", db.pool.SendBatch(ctx, writes).Close())
}

// queueProjection stores all that a host says of its session.
func queueProjection(writes *pgx.Batch, host protocol.HostID, s protocol.Session) {
	writes.Queue(projection, projectionArgs(host, s)...)
	if s.Usage != nil {
		writes.Queue(usageProjection, s.ID, host, s.Usage, s.LastSeq)
	}
}
