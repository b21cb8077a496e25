package session

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// TestPrune deletes only what has ended long ago and what the control plane has in full.
func TestPrune(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 8, 30, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		endedBefore  time.Duration
		acknowledged uint64
		keepDays     int
		deleted      bool
	}{
		"old":                  {31 * 24 * time.Hour, 2, 30, true},
		"not so old":           {29 * 24 * time.Hour, 2, 30, false},
		"not acknowledged":     {31 * 24 * time.Hour, 1, 30, false},
		"nothing acknowledged": {31 * 24 * time.Hour, 0, 30, false},
		"kept for ever":        {3000 * 24 * time.Hour, 2, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := policy.Default()
			rules.KeepDays = test.keepDays
			m := &Manager{Dir: t.TempDir(), Self: "/nowhere", Policy: rules, Kinds: agentkind.All(), Now: func() time.Time { return now }}
			id := protocol.NewSessionID()
			dir := filepath.Join(m.Dir, string(id))
			check(t, os.Mkdir(dir, 0o700))
			ended := now.Add(-test.endedBefore)
			check(t, birth{Session: id, Agent: "claude", WorkingDir: "/home/dev", At: ended.Add(-time.Hour)}.write(dir))
			writeSteps(t, dir,
				protocol.Session{ID: id, State: protocol.StateIdle, LastSeq: 1},
				protocol.Session{ID: id, State: protocol.StateExited, ExitedAt: &ended, LastSeq: 2})
			half := filepath.Join(m.Dir, string(protocol.NewSessionID())+doomed)
			check(t, os.Mkdir(half, 0o700))
			check(t, m.Open(t.Context()))
			defer func() { check(t, m.Close()) }()
			m.Acknowledged(id, test.acknowledged)
			check(t, m.prune(t.Context()))
			if gone := len(m.Sessions()) == 0; gone != test.deleted || exists(dir) == test.deleted {
				t.Errorf("deleted is %v, its directory's presence %v; want deleted %v", gone, exists(dir), test.deleted)
			}
			if exists(half) || exists(dir+doomed) {
				t.Error("half deleted directories are left")
			}
		})
	}
}
