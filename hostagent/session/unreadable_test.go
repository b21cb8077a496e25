package session

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"switchboard/hostagent/protocol"
)

// TestDamagedFiles: a session whose event log or journal is damaged in the middle is shown as uncertain, with where, while
// its agent goes on; nothing is done to it, and nobody is told that it is gone.
func TestDamagedFiles(t *testing.T) {
	r := newRig(t)
	id := r.create("manual")
	r.await(id, protocol.StateIdle)
	running, err := r.session(id)
	check(t, err)
	// Its first hook may be journalled after its word that it is idle, and all is told then.
	check(t, running.until(t.Context(), func(f *fold) bool { return f.position.Journal > 1 && f.session.LastSeq == running.visible.LastSeq }))
	last := r.listed(id).LastSeq
	for file, position := range map[string]string{eventsFile: "byte ", "journal.jsonl": "entry 2 at byte "} {
		t.Run(file, func(t *testing.T) {
			check(t, r.Manager.Close())
			path := filepath.Join(r.dir, string(id), file)
			whole, err := os.ReadFile(path)
			check(t, err)
			second := bytes.IndexByte(whole, '\n') + 1
			damaged := bytes.Clone(whole)
			damaged[second] ^= 1
			check(t, os.WriteFile(path, damaged, 0o600))
			r.Manager = r.newManager()
			check(t, r.Open(t.Context()))
			s := r.listed(id)
			if s.State != protocol.StateUncertain || !strings.Contains(s.Evidence, position) || s.LastSeq != last || s.Name == "" {
				t.Errorf("the session is %+v, want uncertain, with %q, at seq %d", s, position, last)
			}
			sent := protocol.SendMessageRequest{Act: act(), Session: id, Text: "hello"}
			sent.Message = protocol.MessageID(sent.Command)
			for what, do := range map[string]func() error{
				"send": func() error { _, err := r.Send(t.Context(), sent); return err },
				"terminate": func() error {
					_, err := r.Terminate(t.Context(), protocol.TerminateSessionRequest{Act: act(), Session: id})
					return err
				},
				"withdraw": func() error {
					_, err := r.Withdraw(t.Context(), protocol.WithdrawCommandRequest{Session: id, Command: sent.Command})
					return err
				},
			} {
				if known := (*protocol.Error)(nil); !errors.As(do(), &known) || known.Code != protocol.CodeUnavailable {
					t.Errorf("%s: error %v, want unavailable", what, known)
				}
			}
			check(t, r.Manager.Close())
			check(t, os.WriteFile(path, whole, 0o600))
			r.Manager = r.newManager()
			check(t, r.Open(t.Context()))
			r.await(id, protocol.StateIdle)
		})
	}
}

// listed is the session as the control plane is told of it.
func (r *rig) listed(id protocol.SessionID) protocol.Session {
	r.t.Helper()
	for _, s := range r.Sessions() {
		if s.ID == id {
			return s
		}
	}
	r.t.Fatalf("session %s is not listed", id)
	return protocol.Session{}
}
