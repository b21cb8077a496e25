package auth_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"switchboard/auth"
)

// halfLogIn gives the right password.
func (s *server) halfLogIn(t *testing.T) auth.Secret {
	t.Helper()
	login, err := s.accounts.LogIn(t.Context(), adminName, password, auth.Browser{Addr: "127.0.0.1"})
	var step *auth.SecondStepError
	if !errors.As(err, &step) || step.Token == "" || login.Token != "" {
		t.Fatalf("got %+v, %v, want a second step", login, err)
	}
	return step.Token
}

func (s *server) finish(t *testing.T, step, code auth.Secret) (auth.Login, error) {
	t.Helper()
	return s.accounts.FinishLogIn(t.Context(), step, code, auth.Browser{Addr: "127.0.0.1"})
}

// TestHalfALoginOpensNothing takes the token of a half login wherever a login's would be taken.
func TestHalfALoginOpensNothing(t *testing.T) {
	s := newServer(t)
	app, _, _ := s.setUpApp(t, s.admin(t))
	step := s.halfLogIn(t)
	if _, _, err := s.accounts.Caller(t.Context(), step, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("as a login: %v", err)
	}
	if _, _, _, err := s.accounts.Newcomer(t.Context(), step, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("as a newcomer's: %v", err)
	}
	planted := auth.Login{Token: step, ExpiresAt: s.Now().Add(time.Hour)}
	client := s.register(t, nil)
	consent := client.authorize(s.browser(t, &planted), nil)
	if consent.status != http.StatusSeeOther || consent.location.Path != "/login" {
		t.Errorf("at /authorize: %d %v", consent.status, consent.location)
	}
	answer := s.browser(t, &planted).post(s.url+auth.AuthorizePath, url.Values{"decision": {"allow"}})
	if answer.status == http.StatusOK || answer.location != nil && answer.location.Query().Has("code") {
		t.Errorf("its form: %d %v", answer.status, answer.location)
	}
	for _, other := range []auth.Secret{"", "x", planted.Token + "x"} {
		if _, err := s.finish(t, other, app.code(0)); !errors.Is(err, auth.ErrNoStep) {
			t.Errorf("a code without a step: %v", err)
		}
	}
	if _, err := s.finish(t, step, app.code(0)); err != nil {
		t.Errorf("and the step itself: %v", err)
	}
}

func TestSecondStepIsLimited(t *testing.T) {
	s := newServer(t)
	app, _, login := s.setUpApp(t, s.admin(t))
	for i := range 10 {
		if _, err := s.finish(t, s.halfLogIn(t), "000000"); !errors.Is(err, auth.ErrWrongCode) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	if _, err := s.accounts.LogIn(t.Context(), adminName, password, auth.Browser{}); !errors.Is(err, auth.ErrThrottled) {
		t.Errorf("the right password, after ten wrong codes: %v", err)
	}
	if _, err := s.accounts.Prove(t.Context(), s.caller(t, login), login.Token, password, app.code(0)); !errors.Is(err, auth.ErrThrottled) {
		t.Errorf("a proof, after ten wrong codes: %v", err)
	}
	// Whoever holds a login and the password must not win more tries by changing it to itself.
	s.Advance(15 * time.Minute)
	for range 9 {
		if _, err := s.finish(t, s.halfLogIn(t), "000000"); !errors.Is(err, auth.ErrWrongCode) {
			t.Fatal(err)
		}
	}
	if err := s.accounts.ChangePassword(t.Context(), s.caller(t, login), login.Token, password, password); err != nil {
		t.Fatal(err)
	}
	step := s.halfLogIn(t)
	for _, want := range []error{auth.ErrWrongCode, auth.ErrThrottled} {
		if _, err := s.finish(t, step, "000000"); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestResetFactors(t *testing.T) {
	s := newServer(t)
	ada := s.admin(t)
	bob := s.member(t, ada)
	app, _, bobs := s.setUpApp(t, bob)
	if err := s.accounts.ResetFactors(t.Context(), s.caller(t, bobs), bobs.Token, ada.User.ID); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a member: %v", err)
	}
	admin := s.caller(t, ada)
	if err := s.accounts.ResetFactors(t.Context(), admin, ada.Token, ada.User.ID); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("his own: %v", err)
	}
	if err := s.accounts.ResetFactors(t.Context(), admin, ada.Token, "nobody"); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("nobody's: %v", err)
	}
	_, err := s.accounts.LogIn(t.Context(), "bob", password, auth.Browser{})
	var half *auth.SecondStepError
	if !errors.As(err, &half) {
		t.Fatal(err)
	}
	if err := s.accounts.ResetFactors(t.Context(), admin, ada.Token, bob.User.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.accounts.Caller(t.Context(), bobs.Token, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("his browser: %v", err)
	}
	if _, err := s.finish(t, half.Token, app.code(0)); !errors.Is(err, auth.ErrNoStep) {
		t.Errorf("his half login: %v", err)
	}
	if _, err := s.accounts.LogIn(t.Context(), "bob", password, auth.Browser{}); err != nil {
		t.Errorf("with his password: %v", err)
	}
	wantAudit(t, s, "account.reset_factors", true)
	wantAudit(t, s, "account.reset_factors", false)
}

func TestSecondFactorIsRequired(t *testing.T) {
	s := newServer(t)
	ada := s.admin(t)
	bob := s.member(t, ada)
	s.accounts.SecondFactor = auth.SecondFactorAdmins
	s.caller(t, bob)
	if _, _, err := s.accounts.Caller(t.Context(), ada.Token, ""); !errors.Is(err, auth.ErrNoSecondFactor) || !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("an administrator without one: %v", err)
	}
	caller, _, lacks, err := s.accounts.Newcomer(t.Context(), ada.Token, "")
	if err != nil || !lacks || len(caller.Scopes) > 0 {
		t.Errorf("got %+v, lacks %v, %v", caller, lacks, err)
	}
	client := s.register(t, nil)
	if answer := client.authorize(s.browser(t, &ada), nil); answer.location == nil || answer.location.Path != "/login" {
		t.Errorf("at /authorize: %d %v", answer.status, answer.location)
	}
	if _, err := s.accounts.Invite(t.Context(), caller, auth.RoleAdmin); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("invites: %v", err)
	}
	app, _, full := s.setUpApp(t, ada)
	s.caller(t, full)
	off, err := s.accounts.DisableTOTP(t.Context(), s.caller(t, full), full.Token, password, app.code(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.accounts.Caller(t.Context(), off.Token, ""); !errors.Is(err, auth.ErrNoSecondFactor) {
		t.Errorf("the app turned off again: %v", err)
	}
	s.accounts.SecondFactor = auth.SecondFactorEveryone
	if _, _, err := s.accounts.Caller(t.Context(), bob.Token, ""); !errors.Is(err, auth.ErrNoSecondFactor) {
		t.Errorf("a member without one: %v", err)
	}
}

// TestAsMuchWorkForEveryName counts what takes the time of a login: one hash, whoever is named and whatever he has.
func TestAsMuchWorkForEveryName(t *testing.T) {
	s := newServer(t)
	_, _, login := s.setUpApp(t, s.admin(t))
	bob := s.member(t, login)
	if err := s.accounts.Suspend(t.Context(), s.caller(t, login), bob.User.ID, true); err != nil {
		t.Fatal(err)
	}
	for name, account := range map[string]string{
		"with a second step": adminName, "suspended": "bob", "unknown": "nobody", "impossible": "\x00\xff", "empty": "",
	} {
		before := s.accounts.PasswordHashes()
		_, err := s.accounts.LogIn(t.Context(), account, "wrong", auth.Browser{Addr: "10.0.0.7"})
		if !errors.Is(err, auth.ErrWrongPassword) || err.Error() != auth.ErrWrongPassword.Error() {
			t.Errorf("%s: %v", name, err)
		}
		if got := s.accounts.PasswordHashes() - before; got != 1 {
			t.Errorf("%s: %d hashes, want 1", name, got)
		}
	}
}

// TestHalfLoginsEndToo: whoever got as far as the password is out when the password is another, or when his browsers
// are logged out.
func TestHalfLoginsEndToo(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, s *server, login auth.Login) error{
		"new password": func(t *testing.T, s *server, login auth.Login) error {
			return s.accounts.ChangePassword(t.Context(), s.caller(t, login), login.Token, password, "another correct horse")
		},
		"other browsers logged out": func(t *testing.T, s *server, login auth.Login) error {
			return s.accounts.EndOtherLogins(t.Context(), s.caller(t, login), login.Token)
		},
		"all logged out by an administrator": func(t *testing.T, s *server, login auth.Login) error {
			return s.accounts.EndLoginsOf(t.Context(), s.caller(t, login), login.User.ID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			login := s.admin(t)
			user := login.User
			app, _, login := s.setUpApp(t, login)
			login.User = user
			step := s.halfLogIn(t)
			if err := end(t, s, login); err != nil {
				t.Fatal(err)
			}
			if _, err := s.finish(t, step, app.code(1)); !errors.Is(err, auth.ErrNoStep) {
				t.Errorf("the second step: %v", err)
			}
		})
	}
}
