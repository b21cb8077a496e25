package auth_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
)

func TestConnect(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	app := s.register(t, nil)
	got := app.connect(s.browser(t, &login))
	caller, err := s.oauth.Check(t.Context(), auth.Secret(got.access), "10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	want := auth.Caller{
		User: login.User.ID, UserName: adminName, Role: auth.RoleAdmin, ClientID: app.id, Client: "Example",
		Grant: caller.Grant, Addr: "10.0.0.1",
		Scopes: auth.Scopes{auth.ScopeSessionsRead, auth.ScopeSessionsWrite, auth.ScopeOffline},
	}
	if diff := cmp.Diff(want, caller); diff != "" {
		t.Errorf("caller (-want +got):\n%s", diff)
	}
	next := readTokens(t, app.token(t, app.refreshing(got.refresh, nil)))
	if next.refresh == got.refresh || next.access == got.access {
		t.Error("a refresh gave the same tokens")
	}
	if !s.works(t, next.access) || !s.works(t, got.access) {
		t.Error("an access token does not work after a refresh")
	}
	if last, err := s.db.VerifyAudit(t.Context()); err != nil || last.Seq == 0 {
		t.Errorf("audit chain of %d records: %v", last.Seq, err)
	}
}
