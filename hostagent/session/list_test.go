package session

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/hostagent/protocol"
)

// TestList reads sessions beside whoever runs them: from what is on disk, torn lines and strangers' files included.
func TestList(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 11, 21, 8, 30, 0, 0, time.UTC)
	ids := []protocol.SessionID{protocol.NewSessionID(), protocol.NewSessionID(), protocol.NewSessionID()}
	for i, id := range ids {
		if err := os.Mkdir(filepath.Join(dir, string(id)), 0o700); err != nil {
			t.Fatal(err)
		}
		b := birth{Session: id, Name: "web-app", Agent: "claude", WorkingDir: "/home/dev", At: at.Add(time.Duration(i) * time.Minute)}
		if err := b.write(filepath.Join(dir, string(id))); err != nil {
			t.Fatal(err)
		}
	}
	ended := protocol.Session{ID: ids[1], Name: "renamed", State: protocol.StateExited, StartedAt: at.Add(time.Minute)}
	lost := protocol.Session{ID: ids[2], Name: "web-app", State: protocol.StateWorking, StartedAt: at.Add(2 * time.Minute)}
	writeSteps(t, filepath.Join(dir, string(ids[1])), protocol.Session{ID: ids[1], State: protocol.StateIdle}, ended)
	writeSteps(t, filepath.Join(dir, string(ids[2])), lost)
	if err := os.WriteFile(filepath.Join(dir, "lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}

	got, err := List(dir)
	if err != nil {
		t.Fatal(err)
	}
	lost.State = protocol.StateUncertain // nobody has its terminal
	unheard := protocol.Session{ID: ids[0], Name: "web-app", Agent: "claude", WorkingDir: "/home/dev", StartedAt: at, State: protocol.StateUncertain}
	if diff := cmp.Diff(got, []protocol.Session{unheard, ended, lost}); diff != "" {
		t.Errorf("sessions (-got +want):\n%s", diff)
	}
	if none, err := List(filepath.Join(dir, "nowhere")); len(none) != 0 || err != nil {
		t.Errorf("without a directory: %v, %v", none, err)
	}
}

// writeSteps writes an event log with one state in each step, and half of a line behind.
func writeSteps(t *testing.T, dir string, states ...protocol.Session) {
	t.Helper()
	log, _, err := openEventLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range states {
		event := protocol.NewEvent(s.StartedAt, protocol.EventSession, s)
		event.Seq = uint64(i + 1)
		if err := log.append([]step{{Events: []protocol.Event{event}}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := log.file.WriteAt([]byte(`{"journal":9,"events":[{"kind":"session_changed"`), log.size); err != nil {
		t.Fatal(err)
	}
	if err := log.close(); err != nil {
		t.Fatal(err)
	}
}
