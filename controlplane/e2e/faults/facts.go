package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/e2e/faults/agentlog"
	"switchboard/controlplane/e2e/harness"
	"switchboard/hostagent/holder"
)

// facts are what is true in the end, from where it is true.
type facts struct {
	sessions  []sessionRow
	messages  map[string]messageRow
	prompts   map[string]promptRow
	events    map[string][]event // by session, as PostgreSQL has them
	kept      map[string][]event // as the hosts have them
	audit     []auditRow
	agents    map[string][]agentlog.Entry
	processes []harness.Leftover
	runs      map[string][]recordedRun // of a session's agent, as its recording has them
	texts     map[string]string        // by place; see readable
	versions  map[string]string        // of the host agents, as PostgreSQL has them
}

type sessionRow struct {
	ID, Host, State, Evidence string
	LastSeq                   int64
}

type messageRow struct {
	ID, Session, Text, Status, Detail string
	CreatedAt                         time.Time
}

type promptRow struct {
	ID, Session, Status, Detail, Option string
	Command                             string // that carried the answer that counts
	Outcome, Where                      string
	SettledBy                           string // the command whose answer it was
	AskedAt                             time.Time
}

type event struct {
	Seq  int64           `json:"seq"`
	Kind string          `json:"kind"`
	Body json.RawMessage `json:"body"`

	committed time.Time // in PostgreSQL
}

type auditRow struct {
	Seq            int64
	At             time.Time // that it says
	Committed      time.Time
	Action, Target string
	Command        string
	Allowed        bool
	Session, Host  string
	User, Client   string
}

func (w *world) gather(ctx context.Context) (f facts, err error) {
	db, err := w.connectDatabase(ctx)
	if err != nil {
		return f, err
	}
	defer func() { _ = db.Close(ctx) }()
	if f, err = readDatabase(ctx, db); err != nil {
		return f, err
	}
	if f.texts, err = w.readable(ctx, db); err != nil {
		return f, err
	}
	f.kept, f.agents, f.runs = map[string][]event{}, map[string][]agentlog.Entry{}, map[string][]recordedRun{}
	for _, s := range f.sessions {
		h := w.hostNamed(s.Host)
		if f.runs[s.ID], err = readRuns(holder.RecordingPath(filepath.Join(h.sessionsDir(), s.ID))); err != nil {
			return f, err
		}
		if f.kept[s.ID], err = h.events(s.ID); err != nil {
			return f, err
		}
		if f.agents[s.ID], err = agentlog.Read(h.Home.Dir, s.ID); err != nil {
			return f, err
		}
	}
	f.processes, err = harness.Leftovers(w.dir)
	return f, err
}

// processesOf are the agent of a session and its holder, as they are now.
func (w *world) processesOf(session string) (agents, holders []int, err error) {
	var f facts
	f.processes, err = harness.Leftovers(w.dir)
	agents, holders = f.agentsOf(session)
	return agents, holders, err
}

// inDatabase connects for one look. It does not wait for a database that is away.
func (w *world) inDatabase(ctx context.Context, look func(db *pgx.Conn) error) error {
	db, err := pgx.Connect(ctx, w.postgres.URL())
	if err != nil {
		return err
	}
	defer func() { _ = db.Close(ctx) }()
	return look(db)
}

func (w *world) connectDatabase(ctx context.Context) (db *pgx.Conn, err error) {
	err = harness.Await(ctx, "the database", func(ctx context.Context) (bool, error) {
		db, err = pgx.Connect(ctx, w.postgres.URL())
		return err == nil, err
	})
	return db, err
}

func (w *world) hostNamed(name string) *host {
	for _, h := range w.hosts {
		if h.Name == name {
			return h
		}
	}
	return nil
}

// sessionsDir is where the host agent keeps its sessions.
func (h *host) sessionsDir() string {
	return filepath.Join(h.Home.Dir, ".switchboard", "host", "sessions")
}

func readDatabase(ctx context.Context, db *pgx.Conn) (facts, error) {
	f := facts{messages: map[string]messageRow{}, prompts: map[string]promptRow{}, events: map[string][]event{}}
	names, _ := db.Query(ctx, `SELECT name, agent_version FROM hosts`)
	f.versions = map[string]string{}
	var name, version string
	_, err := pgx.ForEachRow(names, []any{&name, &version}, func() error {
		f.versions[name] = version
		return nil
	})
	if err != nil {
		return f, err
	}
	if f.sessions, err = readSessions(ctx, db); err != nil {
		return f, err
	}
	rows, _ := db.Query(ctx, `SELECT id, session_id, body, status, detail, created_at FROM messages`)
	messages, err := pgx.CollectRows(rows, pgx.RowToStructByPos[messageRow])
	if err != nil {
		return f, err
	}
	for _, m := range messages {
		f.messages[m.ID] = m
	}
	rows, _ = db.Query(ctx, `
		SELECT id, session_id, status, coalesce(prompt->>'detail', ''), coalesce(answer->>'option', ''), coalesce(command_id, ''),
			coalesce(settlement->>'outcome', ''), coalesce(settlement->>'where', ''), coalesce(settlement->>'command_id', ''), asked_at
		FROM prompts`)
	prompts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[promptRow])
	if err != nil {
		return f, err
	}
	for _, p := range prompts {
		f.prompts[p.ID] = p
	}
	rows, _ = db.Query(ctx, `SELECT session_id, seq, kind, body, pg_xact_commit_timestamp(xmin) FROM events ORDER BY session_id, seq`)
	var session string
	var e event
	_, err = pgx.ForEachRow(rows, []any{&session, &e.Seq, &e.Kind, &e.Body, &e.committed}, func() error {
		e.Body = bytes.Clone(e.Body)
		f.events[session] = append(f.events[session], e)
		return nil
	})
	if err != nil {
		return f, err
	}
	rows, _ = db.Query(ctx, `
		SELECT seq, at, pg_xact_commit_timestamp(xmin), action, target, coalesce(detail->>'command', ''), allowed, session, host,
			user_id, client_id
		FROM audit_events ORDER BY seq`)
	f.audit, err = pgx.CollectRows(rows, pgx.RowToStructByPos[auditRow])
	return f, err
}

func readSessions(ctx context.Context, db *pgx.Conn) ([]sessionRow, error) {
	rows, _ := db.Query(ctx, `SELECT s.id, h.name, s.state, s.evidence, s.last_seq FROM sessions s JOIN hosts h ON h.id = s.host_id ORDER BY s.started_at`)
	return pgx.CollectRows(rows, pgx.RowToStructByPos[sessionRow])
}

// events are what the host tells of a session.
func (h *host) events(session string) ([]event, error) {
	path := filepath.Join(h.sessionsDir(), session, "events.jsonl")
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var events []event
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var step struct {
			Events []event `json:"events"`
		}
		if err := json.Unmarshal(lines.Bytes(), &step); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		events = append(events, step.Events...)
	}
	return events, lines.Err()
}

// agentsOf are the processes of a session's agent, and its holders.
func (f facts) agentsOf(session string) (agents, holders []int) {
	for _, p := range f.processes {
		switch {
		case strings.Contains(p.Command, " holder ") && strings.HasSuffix(p.Command, session):
			holders = append(holders, p.PID)
		case strings.Contains(p.Command, session+"/settings.json"):
			agents = append(agents, p.PID)
		}
	}
	return agents, holders
}
