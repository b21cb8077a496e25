package auth_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	"switchboard/auth"
)

func TestRevoke(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	b := s.browser(t, &login)
	app, other := s.register(t, nil), s.register(t, nil)
	post := func(form url.Values) page { return s.browser(t, nil).post(s.url+auth.RevokePath, form) }
	got := app.connect(b)
	for _, test := range []struct {
		name   string
		form   url.Values
		status int
		want   string
	}{
		{"no token", url.Values{"client_id": {app.id}}, 400, "invalid_request"},
		{"no client", url.Values{"token": {got.refresh}}, 401, "invalid_client"},
		{"unknown client", url.Values{"token": {got.refresh}, "client_id": {"nobody"}}, 401, "invalid_client"},
		{"unknown token", url.Values{"token": {"x"}, "client_id": {app.id}}, 200, ""},
		{"another client's token", url.Values{"token": {got.refresh}, "client_id": {other.id}}, 200, ""},
		{"repeated token", url.Values{"token": {got.refresh, got.access}, "client_id": {app.id}}, 400, "invalid_request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := post(test.form)
			if answer.status != test.status || test.want != "" && answer.errorCode(t) != test.want {
				t.Errorf("got %d %s", answer.status, answer.body)
			}
			if !s.works(t, got.access) {
				t.Error("something was revoked")
			}
		})
	}
	t.Run("access token, wrong hint", func(t *testing.T) {
		got := app.connect(b)
		form := url.Values{"token": {got.access}, "client_id": {app.id}, "token_type_hint": {"refresh_token"}}
		if answer := post(form); answer.status != http.StatusOK || s.works(t, got.access) {
			t.Errorf("got %d, works: %v", answer.status, s.works(t, got.access))
		}
		readTokens(t, app.token(t, app.refreshing(got.refresh, nil)))
	})
	t.Run("refresh token", func(t *testing.T) {
		form := url.Values{"token": {got.refresh}, "client_id": {app.id}}
		for range 2 {
			if answer := post(form); answer.status != http.StatusOK || answer.body != "" {
				t.Errorf("got %d %s", answer.status, answer.body)
			}
		}
		if s.works(t, got.access) {
			t.Error("the access token works")
		}
		if answer := app.token(t, app.refreshing(got.refresh, nil)); answer.errorCode(t) != "invalid_grant" {
			t.Errorf("the refresh token works: %s", answer.body)
		}
	})
	if answer := s.browser(t, nil).get(s.url + auth.RevokePath); answer.status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", answer.status)
	}
}

func TestGrants(t *testing.T) {
	s := newServer(t)
	ada := s.admin(t)
	bob := s.member(t, ada)
	app := s.register(t, nil)
	adas, bobs := app.connect(s.browser(t, &ada)), app.connect(s.browser(t, &bob))
	app.code(s.browser(t, &bob), nil) // never redeemed, so not connected
	admin, member := s.caller(t, ada), s.caller(t, bob)

	own, err := s.oauth.Grants(t.Context(), member, auth.GrantFilter{})
	if err != nil || len(own) != 1 || own[0].User != bob.User.ID || own[0].Client != "Example" || own[0].LastUsedAt == nil {
		t.Fatalf("own grants: %+v, %v", own, err)
	}
	if _, err := s.oauth.Grants(t.Context(), member, auth.GrantFilter{Everyone: true}); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a member lists all grants: %v", err)
	}
	all, err := s.oauth.Grants(t.Context(), admin, auth.GrantFilter{Everyone: true})
	if err != nil || len(all) != 2 {
		t.Fatalf("all grants: %+v, %v", all, err)
	}
	adasGrant := all[0].ID
	if all[0].User == bob.User.ID {
		adasGrant = all[1].ID
	}
	if err := s.oauth.RevokeGrant(t.Context(), member, adasGrant); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("a member revokes another's grant: %v", err)
	}
	client := auth.Caller{User: bob.User.ID, Scopes: auth.AllScopes()}
	if err := s.oauth.RevokeGrant(t.Context(), client, own[0].ID); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a client revokes a grant: %v", err)
	}
	if !s.works(t, adas.access) || !s.works(t, bobs.access) {
		t.Fatal("a refused revocation revoked")
	}
	if err := s.oauth.RevokeGrant(t.Context(), admin, own[0].ID); err != nil || s.works(t, bobs.access) {
		t.Errorf("an administrator revokes: %v, works: %v", err, s.works(t, bobs.access))
	}
	if err := s.oauth.RevokeUser(t.Context(), admin, ada.User.ID); err != nil || s.works(t, adas.access) {
		t.Errorf("all of a user's: %v", err)
	}
	if err := s.oauth.RevokeGrant(t.Context(), admin, "nothing"); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("a grant that does not exist: %v", err)
	}
}
