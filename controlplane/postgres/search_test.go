package postgres_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
	"switchboard/migrations"
)

// fill writes n events of a busy session: calls, results and words, of which few hold the word needle.
func fill(t *testing.T, conn *pgx.Conn, n int) {
	t.Helper()
	_, err := conn.Exec(t.Context(), `
		INSERT INTO events (session_id, seq, at, kind, body)
		SELECT 's1', i, now() - make_interval(secs => $1 - i), 'entry', CASE i % 3
			WHEN 0 THEN jsonb_build_object('role', 'tool_call', 'tool', 'Bash', 'input', jsonb_build_object('command',
				'make ' || md5(i::text) || CASE WHEN i % 5001 = 0 THEN ' needle' ELSE '' END))
			ELSE jsonb_build_object('role', 'assistant', 'text', 'common words ' || md5((i / 7)::text) || repeat(' and more of them', 10))
		END
		FROM generate_series(1, $1) AS i`, n)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `UPDATE sessions SET last_seq = $1; `, n); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `ANALYZE`); err != nil {
		t.Fatal(err)
	}
}

// TestSearchUsesItsIndex: the query's words must be the index's, letter by letter.
func TestSearchUsesItsIndex(t *testing.T) {
	db, conn := withSession(t)
	fill(t, conn, 30_000)
	hits, err := db.Search(t.Context(), "ada", "bin/needle", 10)
	if err != nil || len(hits) != 0 {
		t.Errorf("%d hits, %v", len(hits), err)
	}
	hits, err = db.Search(t.Context(), "ada", "needle", 10)
	if err != nil || len(hits) != 5 || hits[0].Seq < hits[1].Seq || !strings.Contains(hits[0].Snippet, "needle") {
		t.Errorf("hits %+v, %v", hits, err)
	}
	db.Close() // its connections tell what they have counted
	used := 0
	for deadline := time.Now().Add(30 * time.Second); used == 0 && time.Now().Before(deadline); {
		if err := conn.QueryRow(t.Context(), `SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'events_text'`).Scan(&used); err != nil {
			t.Fatal(err)
		}
	}
	if used == 0 {
		t.Error("the index was not used")
	}
}

// migrateDown undoes what came after a version.
func migrateDown(t *testing.T, conn *pgx.Conn, to int64) {
	t.Helper()
	sqlDB := stdlib.OpenDB(*conn.Config())
	defer func() { _ = sqlDB.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, sqlDB, migrations.Files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.DownTo(t.Context(), to); err != nil {
		t.Fatal(err)
	}
}

// TestOthersWorkDuringIndexing: replicas of the version before go on while the index is made, also a second time.
func TestOthersWorkDuringIndexing(t *testing.T) {
	db, conn := withSession(t)
	fill(t, conn, 100)
	look := beside(t, conn.Config().ConnString())
	migrateDown(t, conn, 18)
	if _, err := look.Exec(t.Context(), `DELETE FROM goose_db_version WHERE version_id = 18`); err != nil {
		t.Fatal(err)
	}
	writer, err := conn.Begin(t.Context()) // the index waits for it
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Exec(t.Context(), `LOCK TABLE events IN ROW EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	migrated := make(chan error, 1)
	go func() { migrated <- db.Migrate(t.Context()) }()
	waiting := false
	for deadline := time.Now().Add(30 * time.Second); !waiting && time.Now().Before(deadline); {
		err := look.QueryRow(t.Context(), `SELECT count(*) > 0 FROM pg_stat_activity
			WHERE datname = current_database() AND query LIKE '%INDEX%' AND wait_event_type = 'Lock'`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}
	batch := fleet.Batch{Session: "s1", Events: []protocol.Event{{Seq: 101, At: time.Now(), Kind: protocol.EventEntry, Body: json.RawMessage(`{"text":"new"}`)}}}
	if last, err := db.RecordEvents(t.Context(), "h1", batch); !waiting || err != nil || last != 101 {
		t.Errorf("kept up to %d, %v; waiting %v", last, err, waiting)
	}
	if found, err := db.SessionsByID(t.Context(), "ada", []protocol.SessionID{"s1"}); err != nil || len(found) != 1 {
		t.Errorf("%d sessions, %v", len(found), err)
	}
	if err := writer.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-migrated; err != nil {
		t.Fatal(err)
	}
	if hits, err := db.Search(t.Context(), "ada", "new", 10); err != nil || len(hits) != 1 {
		t.Errorf("%d hits, %v", len(hits), err)
	}
}

// TestAnyEventCanBeIndexed: what a host reports is kept, whatever words it is made of.
func TestAnyEventCanBeIndexed(t *testing.T) {
	db, _ := withSession(t)
	var words strings.Builder
	for i := 0; words.Len() < 480<<10; i++ {
		fmt.Fprintf(&words, "ẅörd%d ", i)
	}
	many := words.String()
	deep := strings.Repeat(`{"a":`, 2000) + `"deep"` + strings.Repeat("}", 2000)
	bodies := map[protocol.EventKind][]string{
		protocol.EventEntry: {
			fmt.Sprintf(`{"role":"tool_call","input":{"command":%q}}`, many), fmt.Sprintf(`{"role":"user","text":%q}`, many),
			`{"role":"tool_call","input":[1,null,true,"x",{"y":["z"]}]}`, `{"role":"tool_call","input":` + deep + `}`,
			`{"role":"tool_call","input":"word","tool":{"a":1},"text":["b"]}`, `"text"`, `null`, `7`, `[]`,
			fmt.Sprintf(`{"role":"user","text":%q}`, strings.Repeat("x", 400<<10)),
		},
		protocol.EventPrompt:     {fmt.Sprintf(`{"title":%q,"detail":%q}`, many[:200<<10], many[:200<<10]), `{"questions":7}`, `null`},
		protocol.EventSettlement: {fmt.Sprintf(`{"answer":%q}`, many), `{"prompt_id":7}`, `[]`},
		"from_the_future":        {`{"text":1}`},
	}
	batch := fleet.Batch{Session: "s1"}
	for kind, of := range bodies {
		for _, body := range of {
			batch.Events = append(batch.Events, protocol.Event{Seq: uint64(len(batch.Events) + 1), At: time.Now(), Kind: kind, Body: json.RawMessage(body)})
		}
	}
	last, err := db.RecordEvents(t.Context(), "h1", batch)
	if err != nil || last != uint64(len(batch.Events)) {
		t.Fatalf("kept up to %d of %d: %v", last, len(batch.Events), err)
	}
	for query, want := range map[string]int{"ẅörd7": 4, "z": 1, "word": 1, "deep": 0} {
		hits, err := db.Search(t.Context(), "ada", query, 20)
		if err != nil || len(hits) != want {
			t.Errorf("%d hits for %q, want %d: %v", len(hits), query, want, err)
		}
	}
	entries, err := db.LastEntries(t.Context(), "s1", last, 100)
	if err != nil || len(entries) != len(batch.Events)-1 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}
