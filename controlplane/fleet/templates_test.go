package fleet_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
	"switchboard/auth/audit"
	"switchboard/controlplane/fleet"
)

func TestTemplates(t *testing.T) {
	w := newWorld(t)
	alice, bob, admin := w.person("alice", auth.RoleMember), w.person("bob", auth.RoleMember), w.person("root", auth.RoleAdmin)
	h := w.newHost(alice, "mac-1")
	nightly := fleet.Template{Name: "nightly", Host: h.ID, WorkingDir: "/home/nightly", Message: "run the tests"}
	if err := w.SaveTemplate(t.Context(), alice, nightly); err != nil {
		t.Fatal(err)
	}
	if err := w.SaveTemplate(t.Context(), bob, fleet.Template{Name: "nightly"}); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("another person replaces it: %v", err)
	}
	if err := w.SaveTemplate(t.Context(), bob, fleet.Template{Name: "mine", Host: h.ID}); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("a template for a foreign host: %v", err)
	}
	if err := w.SaveTemplate(t.Context(), alice, fleet.Template{Name: "Bad Name"}); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("a bad name: %v", err)
	}
	client := alice
	client.Scopes = auth.AllScopes()
	if err := w.SaveTemplate(t.Context(), client, nightly); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a client saves it: %v", err)
	}
	if seen := must(w.Templates(t.Context(), bob))(t); len(seen) != 0 {
		t.Errorf("templates of foreign hosts: %+v", seen)
	}
	if _, err := w.CreateSession(t.Context(), bob, fleet.NewSession{Template: "nightly"}); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("a session from a foreign template: %v", err)
	}
	s := must(w.CreateSession(t.Context(), alice, fleet.NewSession{Template: "nightly"}))(t)
	if s.Name != "nightly" || h.count("send_message") != 1 {
		t.Errorf("session %s, %v", s.Name, w.commandsOf(h))
	}
	if err := w.RemoveTemplate(t.Context(), admin, "nightly"); err != nil {
		t.Error(err)
	}
	if err := w.RemoveTemplate(t.Context(), alice, "nightly"); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestAuditLog(t *testing.T) {
	w := newWorld(t)
	alice, admin := w.person("alice", auth.RoleMember), w.person("root", auth.RoleAdmin)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	m := must(w.SendMessage(t.Context(), alice, s.Handle, fleet.NewMessage{Text: "hello"}))(t)
	if _, err := w.CreateJoinToken(t.Context(), admin, "mac-2"); err != nil {
		t.Fatal(err)
	}
	actions := func(c auth.Caller) []string {
		var words []string
		for _, e := range must(w.AuditLog(t.Context(), c, 0, 0))(t) {
			words = append(words, e.Action)
		}
		return words
	}
	all := []string{"host.invite", "session.message", "session.create", "host.enrol", "host.invite"}
	if diff := cmp.Diff(actions(admin), all); diff != "" {
		t.Errorf("an administrator's log (got -, want +):\n%s", diff)
	}
	if diff := cmp.Diff(actions(alice), all[1:]); diff != "" {
		t.Errorf("a member's log (got -, want +):\n%s", diff)
	}
	if created := must(w.AuditLog(t.Context(), alice, 0, 0))(t)[1]; created.Session != string(s.ID) {
		t.Errorf("the creation is recorded for session %q, want %s", created.Session, s.ID)
	}
	record := must(w.AuditLog(t.Context(), alice, 0, 1))(t)[0]
	record.Seq, record.At, record.Previous, record.Hash = 0, record.At.Truncate(0), nil, nil
	want := audit.Event{
		At: record.At, User: "u-alice", UserName: "alice", ClientID: "web", Client: "the web pages", Addr: "192.0.2.1",
		Action: "session.message", Host: string(h.ID), Session: string(s.ID), Allowed: true,
		Detail: map[string]string{"command": string(m.ID), "handle": s.Handle},
	}
	if diff := cmp.Diff(record, want); diff != "" {
		t.Errorf("record (got -, want +):\n%s", diff)
	}
	if last, err := w.db.VerifyAudit(t.Context()); err != nil || last.Seq != 5 {
		t.Errorf("%d records, error %v", last.Seq, err)
	}
	client := alice
	client.Scopes = auth.AllScopes()
	if _, err := w.AuditLog(t.Context(), client, 0, 0); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a client reads the log: %v", err)
	}
}
