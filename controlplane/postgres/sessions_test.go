package postgres_test

import (
	"testing"
	"time"

	"switchboard/hostagent/protocol"
)

// TestSessionsStaySmall: a session that changes all the time takes the room of a few rows.
// Reads of it would otherwise pass over all that it was since the last vacuum.
func TestSessionsStaySmall(t *testing.T) {
	db, conn := withSession(t)
	states := []protocol.State{protocol.StateWorking, protocol.StateIdle}
	for n := range 2000 {
		s := protocol.Session{ID: "s1", Agent: "claude", State: states[n%2], StateAt: time.Now(), LastSeq: uint64(n)}
		if err := db.ProjectSession(t.Context(), "h1", s); err != nil {
			t.Fatal(err)
		}
	}
	var pages int64
	if err := conn.QueryRow(t.Context(), `SELECT pg_relation_size('sessions') / 8192`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if pages > 2 {
		t.Errorf("after 2000 changes the table has %d pages", pages)
	}
}
