package auth_test

import (
	"errors"
	"strings"
	"testing"

	"switchboard/auth"
)

func mustProve(t *testing.T, s *server, login auth.Login) auth.Login {
	t.Helper()
	login, err := s.accounts.Prove(t.Context(), s.caller(t, login), login.Token, password, "")
	if err != nil {
		t.Fatal(err)
	}
	return login
}

func TestBadPasskeysAreNotRegistered(t *testing.T) {
	s := newPasskeyServer(t)
	login := s.admin(t)
	caller := s.caller(t, login)
	for name, change := range map[string]func(d *telephone){
		"another origin":             func(d *telephone) { d.origin = "https://evil.example" },
		"another relying party":      func(d *telephone) { d.rpID = "evil.example" },
		"without fingerprint or PIN": func(d *telephone) { d.flags = userPresent },
		"from a frame":               func(d *telephone) { d.cross = true },
		"no id":                      func(d *telephone) { d.id = nil },
	} {
		d := newTelephone(t, passkeyOrigin)
		change(d)
		if _, err := s.tryPasskey(t, login, d); !errors.Is(err, auth.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	request, err := s.accounts.BeginPasskey(t.Context(), caller, login.Token)
	if err != nil {
		t.Fatal(err)
	}
	d := newTelephone(t, passkeyOrigin)
	for _, name := range []string{strings.Repeat("x", 61), "a\x00b", "\xff", "a\u202eb"} {
		if _, err := s.accounts.AddPasskey(t.Context(), caller, login.Token, request.Token, name, d.create(t, request), home); !errors.Is(err, auth.ErrInvalid) {
			t.Errorf("name %q: %v", name, err)
		}
	}
	for _, answer := range []string{"", "{", "null", "{}", strings.Repeat("x", 100_000)} {
		request, err := s.accounts.BeginPasskey(t.Context(), caller, login.Token)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.accounts.AddPasskey(t.Context(), caller, login.Token, request.Token, "", answer, home); !errors.Is(err, auth.ErrInvalid) {
			t.Errorf("answer %.9q: %v", answer, err)
		}
	}
	if passkeys, err := s.accounts.Passkeys(t.Context(), caller); err != nil || len(passkeys) > 0 {
		t.Errorf("kept %+v, %v", passkeys, err)
	}
}

func TestPasskeysAreLimited(t *testing.T) {
	s := newPasskeyServer(t)
	ada := newTelephone(t, passkeyOrigin)
	s.addPasskey(t, s.admin(t), ada)
	wrong := *ada
	wrong.key = newTelephone(t, "").key
	for i := range 11 {
		want := auth.ErrWrongPasskey
		if i == 10 {
			want = auth.ErrThrottled
		}
		question := s.askPasskey(t)
		if _, err := s.accounts.LogInByPasskey(t.Context(), question.Token, wrong.get(t, question), home); !errors.Is(err, want) {
			t.Errorf("try %d: %v", i, err)
		}
	}
	var err error
	for range 100 {
		_, err = s.accounts.BeginPasskeyLogin(t.Context(), auth.Browser{Addr: "10.9.9.9"})
	}
	if !errors.Is(err, auth.ErrThrottled) {
		t.Errorf("a hundred questions at once: %v", err)
	}
	logIn(t, s) // a stranger's passkeys shut nobody out
}

// TestPasskeysWhereAProviderDecides: nobody keeps a way in that the provider cannot take back.
func TestPasskeysWhereAProviderDecides(t *testing.T) {
	s := newPasskeyServer(t)
	ada := newTelephone(t, passkeyOrigin)
	login := s.addPasskey(t, s.admin(t), ada)
	bob := s.member(t, login)
	app, _, _ := s.setUpApp(t, login)
	step := s.halfLogIn(t)
	s.accounts.ProviderOnly = true
	question := s.askPasskey(t)
	if _, err := s.accounts.LogInByPasskey(t.Context(), question.Token, ada.get(t, question), home); !errors.Is(err, auth.ErrProviderOnly) {
		t.Errorf("a passkey: %v", err)
	}
	if _, err := s.finish(t, step, app.code(0)); !errors.Is(err, auth.ErrProviderOnly) {
		t.Errorf("a login that was half way: %v", err)
	}
	s.accounts.ProviderOnly = false
	if _, err := connect(t, s.database).Exec(t.Context(), `UPDATE users SET password_hash = NULL WHERE name = 'bob'`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.accounts.BeginPasskey(t.Context(), s.caller(t, bob), bob.Token); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("a passkey without a password: %v", err)
	}
	if _, err := s.accounts.SetUpTOTP(t.Context(), s.caller(t, bob), bob.Token); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("an app without a password: %v", err)
	}
}

func TestPasskeysNeedAName(t *testing.T) {
	for public, off := range map[string]string{
		"http://localhost:8420": "", "https://sb.example": "", "https://sb.example:8443": "",
		"http://127.0.0.1:8420": "http://localhost:8420", "http://[::1]:8420": "http://localhost:8420", "https://192.0.2.1": "--public-url",
	} {
		got := (&auth.Accounts{PublicURL: public}).PasskeysOff()
		if (got == "") != (off == "") || !strings.Contains(got, off) {
			t.Errorf("%s: %q", public, got)
		}
	}
	s := newServer(t) // at 127.0.0.1
	login := s.admin(t)
	if _, err := s.accounts.BeginPasskey(t.Context(), s.caller(t, login), login.Token); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	if _, err := s.accounts.BeginPasskeyLogin(t.Context(), home); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
