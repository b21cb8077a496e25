package auth_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/auth/audit"
)

// ci is a good request for a personal token.
func ci() auth.NewPersonalToken {
	return auth.NewPersonalToken{Name: "ci", Scopes: auth.Scopes{auth.ScopeSessionsRead, auth.ScopeSessionsWrite}, Days: 30}
}

func (s *server) personal(t *testing.T, login auth.Login, n auth.NewPersonalToken) (string, auth.Grant) {
	t.Helper()
	token, grant, err := s.oauth.CreatePersonalToken(t.Context(), s.caller(t, login), n)
	if err != nil {
		t.Fatal(err)
	}
	return string(token), grant
}

func (s *server) actions(t *testing.T) []audit.Event {
	t.Helper()
	events, err := s.db.AuditEvents(t.Context(), "", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func TestPersonalToken(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	token, grant := s.personal(t, login, ci())
	if !strings.HasPrefix(token, "sb_pat_") {
		t.Errorf("token begins %.7s, want sb_pat_ for secret scanners", token)
	}
	caller, err := s.replica(t).oauth.Check(t.Context(), auth.Secret(token), "10.0.0.9")
	if err != nil {
		t.Fatal(err)
	}
	if caller.User != login.User.ID || caller.Client != "ci" || caller.ClientID != "personal-token" ||
		!slices.Equal(caller.Scopes, ci().Scopes) || caller.Grant != grant.ID {
		t.Errorf("caller %+v", caller)
	}
	grants, err := s.oauth.Grants(t.Context(), s.caller(t, login), auth.GrantFilter{})
	if err != nil || len(grants) != 1 || grants[0].Name != "ci" || grants[0].LastAddr != "10.0.0.9" || grants[0].ExpiresAt == nil {
		t.Errorf("grants %+v, %v", grants, err)
	}
	if strings.Contains(s.logs.String(), token[:20]) {
		t.Error("the token is in the log")
	}
	for _, event := range s.actions(t) {
		for _, value := range event.Detail {
			if strings.Contains(value, "sb_pat_") {
				t.Errorf("the token is in the audit record %+v", event)
			}
		}
	}
	s.Advance(30*24*time.Hour - time.Second)
	if !s.works(t, token) {
		t.Error("ended early")
	}
	s.Advance(time.Second)
	if s.works(t, token) {
		t.Error("works after its end")
	}
}

func TestPersonalTokenIsChecked(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	for name, change := range map[string]func(n *auth.NewPersonalToken){
		"no name":          func(n *auth.NewPersonalToken) { n.Name = " " },
		"long name":        func(n *auth.NewPersonalToken) { n.Name = strings.Repeat("x", 61) },
		"invisible name":   func(n *auth.NewPersonalToken) { n.Name = "a\u202eb" },
		"no scope":         func(n *auth.NewPersonalToken) { n.Scopes = nil },
		"manage":           func(n *auth.NewPersonalToken) { n.Scopes = auth.Scopes{auth.ScopeManage} },
		"refresh":          func(n *auth.NewPersonalToken) { n.Scopes = auth.Scopes{auth.ScopeSessionsRead, auth.ScopeOffline} },
		"unknown scope":    func(n *auth.NewPersonalToken) { n.Scopes = auth.Scopes{"root"} },
		"two in one":       func(n *auth.NewPersonalToken) { n.Scopes = auth.Scopes{"sessions:read manage"} },
		"twice":            func(n *auth.NewPersonalToken) { n.Scopes = auth.Scopes{auth.ScopeHostsRead, auth.ScopeHostsRead} },
		"never expires":    func(n *auth.NewPersonalToken) { n.Days = 0 },
		"expired":          func(n *auth.NewPersonalToken) { n.Days = -7 },
		"too long a life":  func(n *auth.NewPersonalToken) { n.Days = 3650 },
		"enrolment scope":  func(n *auth.NewPersonalToken) { n.Scopes = auth.Scopes{"hosts:enroll"} },
		"empty scope name": func(n *auth.NewPersonalToken) { n.Scopes = auth.Scopes{""} },
	} {
		t.Run(name, func(t *testing.T) {
			n := ci()
			change(&n)
			if _, _, err := s.oauth.CreatePersonalToken(t.Context(), s.caller(t, login), n); !errors.Is(err, auth.ErrInvalid) {
				t.Errorf("got %v", err)
			}
		})
	}
	token, _ := s.personal(t, login, ci())
	client, err := s.oauth.Check(t.Context(), auth.Secret(token), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.oauth.CreatePersonalToken(t.Context(), client, ci()); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a token makes itself another: %v", err)
	}
}

// TestPersonalTokenIsForTheResourceOnly sends one to every other endpoint, and other tokens in its place.
func TestPersonalTokenIsForTheResourceOnly(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	token, _ := s.personal(t, login, ci())
	app := s.register(t, nil)
	for name, form := range map[string]url.Values{
		"as a refresh token":      app.refreshing(token, nil),
		"as a code":               app.redemption(token, nil),
		"by its own client":       {"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {"personal-token"}},
		"by its own client, code": {"grant_type": {"authorization_code"}, "code": {token}, "client_id": {"personal-token"}},
		"exchange":                {"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "client_id": {app.id}},
	} {
		if answer := app.token(t, form); answer.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, answer.status, answer.body)
		}
	}
	query := app.request(url.Values{"client_id": {"personal-token"}, "redirect_uri": {"http://127.0.0.1/"}})
	if got := s.browser(t, &login).get(s.url + auth.AuthorizePath + "?" + query.Encode()); got.status != http.StatusBadRequest {
		t.Errorf("authorize as the pseudo client: %d %v", got.status, got.location)
	}
	for _, forged := range []string{
		strings.Replace(token, "sb_pat_", "sb_access_", 1), strings.Replace(token, "sb_pat_", "sb_refresh_", 1),
		strings.Replace(app.connect(s.browser(t, &login)).access, "sb_access_", "sb_pat_", 1), token + "x",
	} {
		if s.works(t, forged) {
			t.Errorf("%.12s… works", forged)
		}
	}
	if !s.works(t, token) {
		t.Error("the token does not work any more")
	}
}

func TestPersonalTokenEnds(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, s *server, admin, owner auth.Login, token string, grant auth.Grant){
		"revoked by its owner": func(t *testing.T, s *server, _, owner auth.Login, _ string, grant auth.Grant) {
			if err := s.oauth.RevokeGrant(t.Context(), s.caller(t, owner), grant.ID); err != nil {
				t.Fatal(err)
			}
		},
		"revoked by an administrator": func(t *testing.T, s *server, admin, owner auth.Login, _ string, _ auth.Grant) {
			if err := s.oauth.RevokeUser(t.Context(), s.caller(t, admin), owner.User.ID); err != nil {
				t.Fatal(err)
			}
		},
		"its owner suspended": func(t *testing.T, s *server, admin, owner auth.Login, _ string, _ auth.Grant) {
			if err := s.accounts.Suspend(t.Context(), s.caller(t, admin), owner.User.ID, true); err != nil {
				t.Fatal(err)
			}
		},
		"revoked with itself, on a replica": func(t *testing.T, s *server, _, _ auth.Login, token string, _ auth.Grant) {
			other := s.replica(t)
			if got := other.browser(t, nil).post(other.url+auth.RevokePath, url.Values{"token": {token}}); got.status != http.StatusOK {
				t.Fatalf("%d %s", got.status, got.body)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			admin := s.admin(t)
			bob := s.member(t, admin)
			token, grant := s.personal(t, bob, ci())
			others, _ := s.personal(t, admin, ci())
			end(t, s, admin, bob, token, grant)
			if s.works(t, token) {
				t.Error("still works")
			}
			if !s.works(t, others) {
				t.Error("another's token was ended with it")
			}
		})
	}
}

func TestAnothersPersonalTokenStays(t *testing.T) {
	s := newServer(t)
	admin := s.admin(t)
	token, grant := s.personal(t, admin, ci())
	bob := s.caller(t, s.member(t, admin))
	if err := s.oauth.RevokeGrant(t.Context(), bob, grant.ID); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if grants, err := s.oauth.Grants(t.Context(), bob, auth.GrantFilter{}); err != nil || len(grants) > 0 {
		t.Errorf("bob sees %v, %v", grants, err)
	}
	forged := strings.Repeat("A", 43)
	s.browser(t, nil).post(s.url+auth.RevokePath, url.Values{"token": {"sb_pat_" + forged + "." + forged}})
	if !s.works(t, token) {
		t.Error("ended by a stranger")
	}
}

// TestUnusedPersonalTokenIsKept: what sweeps codes that were never redeemed must leave it.
func TestUnusedPersonalTokenIsKept(t *testing.T) {
	s := newServer(t)
	token, _ := s.personal(t, s.admin(t), ci())
	s.Advance(25 * time.Hour)
	if err := s.oauth.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !s.works(t, token) {
		t.Error("swept away")
	}
}

func TestPersonalTokensAtOnceDoNotPassTheLimit(t *testing.T) {
	s := newServer(t)
	caller := s.caller(t, s.admin(t))
	made, refused := 0, 0
	for _, err := range race([]*server{s, s.replica(t)}, func(on *server) error {
		_, _, err := on.oauth.CreatePersonalToken(t.Context(), caller, ci())
		return err
	}) {
		switch {
		case err == nil:
			made++
		case errors.Is(err, auth.ErrTooManyTokens):
			refused++
		default:
			t.Error(err)
		}
	}
	if made != auth.MaxPersonalTokens || refused != racers-auth.MaxPersonalTokens {
		t.Errorf("%d made, %d refused", made, refused)
	}
	s.Advance(30 * 24 * time.Hour)
	if _, _, err := s.oauth.CreatePersonalToken(t.Context(), s.caller(t, logIn(t, s)), ci()); err != nil {
		t.Errorf("expired tokens count: %v", err)
	}
}
