package fleet_test

import (
	"errors"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// A message does not overtake another that another replica is still sending, whatever becomes of that one.
func TestMessagesKeepTheirOrder(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	tests := []struct {
		name   string
		status protocol.MessageStatus // that the host says of the first; empty: nothing
		sent   bool                   // the second, then
	}{
		{"taken by the host", protocol.MessageDelivered, true},
		{"failed", protocol.MessageFailed, true},
		{"never heard of", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := w.session(alice, h, "web-app")
			first := protocol.MessageID(protocol.NewID())
			_, err := w.sql.Exec(t.Context(), `
				INSERT INTO messages (id, session_id, author_id, client_id, body, status, detail)
				VALUES ($1, $2, $3, 'web', 'first', 'queued', 'on its way to the host')`, first, s.ID, alice.User)
			if err != nil {
				t.Fatal(err)
			}
			before := h.count("send_message")
			sent := make(chan error)
			go func() {
				_, err := w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "second"})
				sent <- err
			}()
			select {
			case err := <-sent:
				t.Fatalf("it was sent at once (%v)", err)
			case <-time.After(300 * time.Millisecond):
			}
			if test.status != "" {
				h.say(s.ID, protocol.EventMessage, protocol.MessageState{ID: first, Status: test.status})
			}
			if err := <-sent; errors.Is(err, fleet.ErrUnavailable) == test.sent {
				t.Errorf("error %v, want it sent: %v", err, test.sent)
			}
			if told := h.count("send_message") > before; told != test.sent {
				t.Errorf("the host was told of it: %v, want %v", told, test.sent)
			}
			if test.sent {
				return
			}
			w.reconcile(t) // after which the first one has failed
			if _, err := w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "third"}); err != nil {
				t.Errorf("once nothing is on its way: %v", err)
			}
		})
	}
}
