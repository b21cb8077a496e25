package postgres_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/fleet"
	"switchboard/controlplane/postgres"
	"switchboard/hostagent/protocol"
)

// subscribed makes ada's client subscribe so many times to what its sessions ask.
func subscribed(t *testing.T, conn *pgx.Conn, count int) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), `
		INSERT INTO oauth_clients (id, name, redirect_uris, auth_method, metadata) VALUES ('c', 'c', '{}', 'none', '{}');
		INSERT INTO oauth_grants (id, user_id, client_id, scopes, resource) VALUES ('g', 'ada', 'c', '', '')`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `
		INSERT INTO subscriptions (id, user_id, client_id, grant_id, kind, url, secret, created_at, expires_at, next_at)
		SELECT n, 'ada', 'c', 'g', 'session.needs_answer', '', '', now(), now() + interval '1 day', now()
		FROM generate_series(1, $1) n`, count); err != nil {
		t.Fatal(err)
	}
}

// asks records a prompt as the session's event with this number.
func asks(ctx context.Context, db *postgres.DB, seq uint64) (uint64, error) {
	id := protocol.PromptID(protocol.NewID())
	return db.RecordEvents(ctx, "h1", fleet.Batch{
		Session: "s1",
		Events:  []protocol.Event{{Seq: seq, At: time.Now(), Kind: protocol.EventPrompt, Body: json.RawMessage(`{}`)}},
		Prompts: []protocol.Prompt{{ID: id, Session: "s1", AskedAt: time.Now()}},
		Notices: []fleet.Notice{{Kind: fleet.NoticeNeedsAnswer, Seq: seq, At: time.Now(), Prompt: id}},
	})
}

// Whoever unsubscribes while events are recorded does not make that fail.
func TestEventsWhileASubscriptionEnds(t *testing.T) {
	db, conn := withSession(t)
	subscribed(t, conn, 2)
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `DELETE FROM subscriptions WHERE id = '1'`); err != nil {
		t.Fatal(err)
	}
	recorded := make(chan error, 1)
	go func() {
		_, err := asks(t.Context(), db, 1)
		recorded <- err
	}()
	for waiting := false; !waiting; {
		err := tx.QueryRow(t.Context(), `
			SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid())`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-recorded; err != nil {
		t.Errorf("events: %v", err)
	}
	var told string
	if err := conn.QueryRow(t.Context(), `SELECT string_agg(subscription_id, ' ') FROM notices`).Scan(&told); err != nil || told != "2" {
		t.Errorf("notices for subscription %q, %v; want 2", told, err)
	}
}
