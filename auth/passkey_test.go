package auth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/embedded/pgtest"
)

const passkeyOrigin = "http://localhost:8420"

var home = auth.Browser{Addr: "127.0.0.1", Name: "Firefox on Mac"}

func newPasskeyServer(t *testing.T) *server {
	t.Helper()
	return startServer(t, pgtest.New(t), passkeyOrigin, newClock())
}

// addPasskey registers a device.
func (s *server) addPasskey(t *testing.T, login auth.Login, d *telephone) auth.Login {
	t.Helper()
	login, err := s.tryPasskey(t, login, d)
	if err != nil {
		t.Fatal(err)
	}
	return login
}

func (s *server) tryPasskey(t *testing.T, login auth.Login, d *telephone) (auth.Login, error) {
	t.Helper()
	caller := s.newcomer(t, login)
	request, err := s.accounts.BeginPasskey(t.Context(), caller, login.Token)
	if err != nil {
		t.Fatal(err)
	}
	return s.accounts.AddPasskey(t.Context(), caller, login.Token, request.Token, "", d.create(t, request), home)
}

func ptr[T any](v T) *T { return &v }

func (s *server) askPasskey(t *testing.T) auth.PasskeyRequest {
	t.Helper()
	request, err := s.accounts.BeginPasskeyLogin(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	return request
}

func TestPasskey(t *testing.T) {
	s := newPasskeyServer(t)
	planted := s.admin(t)
	ada := newTelephone(t, passkeyOrigin)
	request, err := s.accounts.BeginPasskey(t.Context(), s.caller(t, planted), planted.Token)
	if err != nil {
		t.Fatal(err)
	}
	asked := readAsked(t, request).PublicKey
	if asked.Rp.ID != "localhost" || asked.AuthenticatorSelection.ResidentKey != "required" ||
		asked.AuthenticatorSelection.UserVerification != "required" || asked.Attestation != "none" {
		t.Errorf("asked %s", request.Options)
	}
	login := s.addPasskey(t, planted, ada)
	if _, _, err := s.accounts.Caller(t.Context(), planted.Token, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("the token before: %v", err)
	}
	if _, err := s.tryPasskey(t, login, ada); !errors.Is(err, auth.ErrInvalid) || !strings.Contains(err.Error(), "registered already") {
		t.Errorf("the same again: %v", err)
	}
	passkeys, err := s.accounts.Passkeys(t.Context(), s.caller(t, login))
	if err != nil || len(passkeys) != 1 || passkeys[0].Name != "Firefox on Mac" || passkeys[0].LastUsedAt != nil {
		t.Fatalf("got %+v, %v", passkeys, err)
	}
	again, err := s.accounts.BeginPasskey(t.Context(), s.caller(t, login), login.Token)
	if err != nil || len(readAsked(t, again).PublicKey.ExcludeCredentials) != 1 {
		t.Errorf("does not exclude what is known: %s, %v", again.Options, err)
	}

	question := s.askPasskey(t)
	if asked := readAsked(t, question).PublicKey; asked.RpID != "localhost" || asked.UserVerification != "required" || len(asked.AllowCredentials) > 0 {
		t.Errorf("asked %s", question.Options)
	}
	in, err := s.accounts.LogInByPasskey(t.Context(), question.Token, ada.get(t, question), home)
	if err != nil || in.User.Name != adminName {
		t.Fatalf("got %+v, %v", in, err)
	}
	s.caller(t, in)
	passkeys, err = s.accounts.Passkeys(t.Context(), s.caller(t, in))
	if err != nil || passkeys[0].LastUsedAt == nil {
		t.Errorf("its use is not written: %+v, %v", passkeys, err)
	}
	logIn(t, s) // the password still does

	bob := s.member(t, in)
	if err := s.accounts.RemovePasskey(t.Context(), s.caller(t, bob), bob.Token, passkeys[0].Ref()); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("another removes it: %v", err)
	}
	s.Advance(11 * time.Minute)
	if err := s.accounts.RemovePasskey(t.Context(), s.caller(t, in), in.Token, passkeys[0].Ref()); !errors.Is(err, auth.ErrProveAgain) {
		t.Errorf("eleven minutes later: %v", err)
	}
	if _, err := s.accounts.BeginPasskey(t.Context(), s.caller(t, in), in.Token); !errors.Is(err, auth.ErrProveAgain) {
		t.Errorf("another, eleven minutes later: %v", err)
	}
	proof, err := s.accounts.BeginPasskeyProof(t.Context(), s.caller(t, in))
	if err != nil {
		t.Fatal(err)
	}
	renewed, err := s.accounts.ProveByPasskey(t.Context(), s.caller(t, in), in.Token, proof.Token, ada.get(t, proof))
	if err != nil || renewed.Token == in.Token {
		t.Fatalf("proved: %v", err)
	}
	if err := s.accounts.RemovePasskey(t.Context(), s.caller(t, renewed), renewed.Token, passkeys[0].Ref()); err != nil {
		t.Fatal(err)
	}
	question = s.askPasskey(t)
	if _, err := s.accounts.LogInByPasskey(t.Context(), question.Token, ada.get(t, question), home); !errors.Is(err, auth.ErrWrongPasskey) {
		t.Errorf("removed: %v", err)
	}
	for _, action := range []string{"account.passkey_add", "account.passkey_remove", "login.prove"} {
		wantAudit(t, s, action, true)
	}
	wantAudit(t, s, "login", false)
}

// TestCopiedPasskey uses a device that counts, and then its copy, whose count is behind.
func TestCopiedPasskey(t *testing.T) {
	s := newPasskeyServer(t)
	ada := newTelephone(t, passkeyOrigin)
	ada.counter = 5
	s.addPasskey(t, s.admin(t), ada)
	for i, use := range []struct {
		counter uint32
		want    error
	}{{6, nil}, {6, auth.ErrWrongPasskey}, {0, auth.ErrWrongPasskey}, {7, nil}} {
		ada.counter = use.counter
		question := s.askPasskey(t)
		if _, err := s.accounts.LogInByPasskey(t.Context(), question.Token, ada.get(t, question), home); !errors.Is(err, use.want) {
			t.Errorf("use %d with counter %d: %v", i, use.counter, err)
		}
	}
	conn := connect(t, s.database)
	var told bool
	err := conn.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM audit_events
		WHERE action = 'login' AND NOT allowed AND user_name = 'ada' AND detail->>'why' LIKE '%may have been copied%')`).Scan(&told)
	if err != nil || !told {
		t.Errorf("the audit log does not tell: %v", err)
	}
}

// TestPasskeyIsTwoFactors: where a second factor is demanded, a passkey is one, alone or after the password.
func TestPasskeyIsTwoFactors(t *testing.T) {
	s := newPasskeyServer(t)
	s.accounts.SecondFactor = auth.SecondFactorEveryone
	bare := s.admin(t)
	if _, _, err := s.accounts.Caller(t.Context(), bare.Token, ""); !errors.Is(err, auth.ErrNoSecondFactor) {
		t.Fatalf("got %v", err)
	}
	d := newTelephone(t, passkeyOrigin)
	s.caller(t, s.addPasskey(t, bare, d))
	step := s.halfLogIn(t)
	if factors, err := s.accounts.StepFactors(t.Context(), step); err != nil || factors != (auth.Factors{Passkeys: 1}) {
		t.Errorf("got %+v, %v", factors, err)
	}
	if _, err := s.finish(t, step, "000000"); !errors.Is(err, auth.ErrWrongCode) {
		t.Errorf("a code of no app: %v", err)
	}
	question := s.askPasskey(t)
	in, err := s.accounts.LogInByPasskey(t.Context(), question.Token, d.get(t, question), home)
	if err != nil {
		t.Fatal(err)
	}
	s.caller(t, in)
	client := s.register(t, nil)
	if answer := client.authorize(s.browser(t, &in), nil); answer.status != http.StatusOK {
		t.Errorf("at /authorize: %d %v", answer.status, answer.location)
	}
}
