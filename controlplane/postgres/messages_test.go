package postgres_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
	"switchboard/controlplane/embedded/pgtest"
	"switchboard/controlplane/fleet"
	"switchboard/controlplane/postgres"
	"switchboard/hostagent/protocol"
)

// withSession opens a database in which ada has the session s1.
func withSession(t *testing.T) (*postgres.DB, *pgx.Conn) {
	t.Helper()
	url := pgtest.New(t)
	conn := beside(t, url)
	_, err := conn.Exec(t.Context(), `
		INSERT INTO users (id, name, display_name, role, password_hash) VALUES ('ada', 'ada', 'Ada', 'member', '');
		INSERT INTO hosts (id, name, owner_id, nkey) VALUES ('h1', 'mac', 'ada', 'key');
		INSERT INTO sessions (id, host_id, handle, name, created_by, agent, working_dir, permission_mode, state, evidence,
			state_at, started_at)
		VALUES ('s1', 'h1', 'web_a1b2', 'web', 'ada', 'claude', '/', 'manual', 'idle', '', now(), now())`)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, url), conn
}

func messageOf(id protocol.MessageID, author auth.UserID, session protocol.SessionID, key string) fleet.Message {
	return fleet.Message{
		ID: id, Session: session, Author: author, ClientID: "web", IdempotencyKey: key, Text: "hello",
		Status: protocol.MessageQueued, CreatedAt: time.Now(),
	}
}

// count is how many messages and audit records are committed.
func count(t *testing.T, conn *pgx.Conn) (messages, records int) {
	t.Helper()
	err := conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM audit_events)`).
		Scan(&messages, &records)
	if err != nil {
		t.Fatal(err)
	}
	return messages, records
}

func TestMessageIsKeptWithItsRecord(t *testing.T) {
	db, conn := withSession(t)
	for _, test := range []struct {
		name              string
		message           fleet.Message
		first             protocol.MessageID // empty: an error
		fresh             bool
		messages, records int // afterwards
	}{
		{"new", messageOf("m1", "ada", "s1", "k"), "m1", true, 1, 1},
		{"repeat", messageOf("m2", "ada", "s1", "k"), "m1", false, 1, 2},
		{"without a key", messageOf("m3", "ada", "s1", ""), "m3", true, 2, 3},
		{"session that is gone", messageOf("m4", "ada", "s2", ""), "", false, 2, 4},
		{"row that is refused", messageOf("m5", "nobody", "s1", ""), "", false, 2, 4},
		{"after that", messageOf("m6", "ada", "s1", ""), "m6", true, 3, 5},
	} {
		first, fresh, err := db.RecordMessage(t.Context(), record("session.message"), fleet.Answer{}, test.message)
		if first.ID != test.first || fresh != test.fresh || (err == nil) != (test.first != "") {
			t.Errorf("%s: message %q, fresh %v, error %v", test.name, first.ID, fresh, err)
		}
		if messages, records := count(t, conn); messages != test.messages || records != test.records {
			t.Errorf("%s: %d messages, %d records; want %d and %d", test.name, messages, records, test.messages, test.records)
		}
	}
	if last, err := db.VerifyAudit(t.Context()); last.Seq != 5 || err != nil {
		t.Errorf("%d records, %v", last.Seq, err)
	}
}

// A database that is lost when the record is written and the message is not leaves neither.
func TestDatabaseIsLostBetweenARecordAndItsMessage(t *testing.T) {
	db, conn := withSession(t)
	lock, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec(t.Context(), `LOCK TABLE messages IN SHARE MODE`); err != nil {
		t.Fatal(err)
	}
	sent := make(chan error)
	go func() {
		_, _, err := db.RecordMessage(t.Context(), record("session.message"), fleet.Answer{}, messageOf("m1", "ada", "s1", ""))
		sent <- err
	}()
	for ended := 0; ended == 0; { // until the message waits for the table
		err := lock.QueryRow(t.Context(), `
			SELECT count(pg_terminate_backend(pid)) FROM pg_locks
			WHERE relation = 'messages'::regclass AND NOT granted`).Scan(&ended)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := <-sent; !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("error %v, want unavailable", err)
	}
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if messages, records := count(t, conn); messages != 0 || records != 0 {
		t.Errorf("%d messages and %d records are left", messages, records)
	}
}
