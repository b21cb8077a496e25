package auth_test

import (
	"errors"
	"testing"
	"time"

	"switchboard/auth"
)

func TestProveAgain(t *testing.T) {
	s := newServer(t)
	app, _, login := s.setUpApp(t, s.admin(t))
	bob := s.member(t, login)
	s.Advance(11 * time.Minute)
	caller := s.caller(t, login)
	if err := s.accounts.ResetFactors(t.Context(), caller, login.Token, bob.User.ID); !errors.Is(err, auth.ErrProveAgain) {
		t.Errorf("eleven minutes later: %v", err)
	}
	for name, proof := range map[string]struct{ password, code auth.Secret }{
		"wrong password": {"wrong", app.code(0)}, "no code": {password, ""}, "nothing": {},
	} {
		if _, err := s.accounts.Prove(t.Context(), caller, login.Token, proof.password, proof.code); err == nil {
			t.Errorf("%s: proved", name)
		}
	}
	if _, err := s.accounts.Prove(t.Context(), caller, bob.Token, password, app.code(0)); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("with another's login: %v", err)
	}
	renewed, err := s.accounts.Prove(t.Context(), caller, login.Token, password, app.code(0))
	if err != nil || renewed.Token == login.Token {
		t.Fatalf("got %v; the same token: %v", err, renewed.Token == login.Token)
	}
	if _, _, err := s.accounts.Caller(t.Context(), login.Token, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("the token before: %v", err)
	}
	if err := s.accounts.ResetFactors(t.Context(), caller, renewed.Token, bob.User.ID); err != nil {
		t.Errorf("proved: %v", err)
	}
}

// TestWhatOutlivesTheLoginNeedsAProof: whoever finds a browser open makes himself no other way in.
func TestWhatOutlivesTheLoginNeedsAProof(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	acts := map[string]func(c auth.Caller) error{
		"personal token": func(c auth.Caller) error {
			_, _, err := s.oauth.CreatePersonalToken(t.Context(), c, ci())
			return err
		},
		"invitation": func(c auth.Caller) error {
			_, err := s.accounts.Invite(t.Context(), c, auth.RoleAdmin)
			return err
		},
		"client": func(c auth.Caller) error {
			_, _, err := s.oauth.AddClient(t.Context(), c, auth.NewClient{Name: "x", RedirectURIs: []string{webRedirect}, WithSecret: true})
			return err
		},
	}
	s.Advance(11 * time.Minute)
	for name, act := range acts {
		if err := act(s.caller(t, login)); !errors.Is(err, auth.ErrProveAgain) {
			t.Errorf("%s, eleven minutes later: %v", name, err)
		}
	}
	proved, err := s.accounts.Prove(t.Context(), s.caller(t, login), login.Token, password, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, act := range acts {
		if err := act(s.caller(t, proved)); err != nil {
			t.Errorf("%s, proved: %v", name, err)
		}
	}
}
