package auth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"switchboard/auth"
)

// TestBadPasskeyLogins answers a good question in every way that must not let anybody in.
func TestBadPasskeyLogins(t *testing.T) {
	s := newPasskeyServer(t)
	s.accounts.SecondFactor = auth.SecondFactorEveryone
	ada := newTelephone(t, passkeyOrigin)
	login := s.addPasskey(t, s.admin(t), ada)
	bob := s.member(t, login)
	bobs := newTelephone(t, passkeyOrigin)
	s.addPasskey(t, bob, bobs)
	change := func(f func(d *telephone)) func(auth.PasskeyRequest) string {
		return func(r auth.PasskeyRequest) string {
			d := *ada
			f(&d)
			return d.get(t, r)
		}
	}
	earlier := ada.get(t, s.askPasskey(t))
	for name, answer := range map[string]func(auth.PasskeyRequest) string{
		"another origin":             change(func(d *telephone) { d.origin = "https://evil.example" }),
		"our host, another port":     change(func(d *telephone) { d.origin = "http://localhost:8421" }),
		"our host, another scheme":   change(func(d *telephone) { d.origin = "https://localhost:8420" }),
		"a host that begins like us": change(func(d *telephone) { d.origin = "http://localhost.evil.example:8420" }),
		"the address, not the name":  change(func(d *telephone) { d.origin = "http://127.0.0.1:8420" }),
		"no origin":                  change(func(d *telephone) { d.origin = "" }),
		"another relying party":      change(func(d *telephone) { d.rpID = "evil.example" }),
		"from a frame":               change(func(d *telephone) { d.cross = true }),
		"without fingerprint or PIN": change(func(d *telephone) { d.flags = userPresent }),
		"without anybody there":      change(func(d *telephone) { d.flags = userVerified }),
		"suddenly one that is synced": change(func(d *telephone) {
			d.flags |= backupEligible
		}),
		"another key":             change(func(d *telephone) { d.key = newTelephone(t, "").key }),
		"another's handle":        change(func(d *telephone) { d.user = []byte(bob.User.ID) }),
		"no handle":               change(func(d *telephone) { d.user = nil }),
		"another's passkey id":    change(func(d *telephone) { d.id = bobs.id }),
		"an id that nobody has":   change(func(d *telephone) { d.id = []byte("nobody's") }),
		"an answer to another":    func(auth.PasskeyRequest) string { return earlier },
		"a registration's answer": func(r auth.PasskeyRequest) string { return ptr(*ada).create(t, r) },
		"signed as a registration": func(r auth.PasskeyRequest) string {
			return ada.sign(t, "webauthn.create", readAsked(t, r).PublicKey.Challenge)
		},
		"another challenge": func(auth.PasskeyRequest) string { return ada.sign(t, "webauthn.get", "AAAAAAAAAAAAAAAAAAAAAA") },
		"nothing":           func(auth.PasskeyRequest) string { return "" },
		"no JSON":           func(auth.PasskeyRequest) string { return "{" },
		"null":              func(auth.PasskeyRequest) string { return "null" },
		"an empty object":   func(auth.PasskeyRequest) string { return "{}" },
		"deep":              func(auth.PasskeyRequest) string { return strings.Repeat("[", 60_000) },
		"100 kB":            func(r auth.PasskeyRequest) string { return ada.get(t, r) + strings.Repeat(" ", 100_000) },
	} {
		question := s.askPasskey(t)
		got, err := s.accounts.LogInByPasskey(t.Context(), question.Token, answer(question), home)
		if !errors.Is(err, auth.ErrWrongPasskey) || got.Token != "" {
			t.Errorf("%s: %v", name, err)
		}
		s.Advance(2 * time.Minute) // the limits are another test's
	}
	question := s.askPasskey(t)
	if _, err := s.accounts.LogInByPasskey(t.Context(), question.Token, ada.get(t, question), home); err != nil {
		t.Errorf("and as it should be: %v", err)
	}
}

// TestPasskeyChallenges answers once, late, from another browser, and what was asked for something else.
func TestPasskeyChallenges(t *testing.T) {
	s := newPasskeyServer(t)
	ada := newTelephone(t, passkeyOrigin)
	login := s.addPasskey(t, s.admin(t), ada)
	caller := s.caller(t, login)
	question := s.askPasskey(t)
	answer := ada.get(t, question)
	for _, token := range []auth.Secret{"", "x", s.askPasskey(t).Token[1:]} {
		if _, err := s.accounts.LogInByPasskey(t.Context(), token, answer, home); !errors.Is(err, auth.ErrNoCeremony) {
			t.Errorf("from a browser that was not asked: %v", err)
		}
	}
	if _, err := s.accounts.LogInByPasskey(t.Context(), question.Token, answer, home); err != nil {
		t.Fatal(err)
	}
	if _, err := s.accounts.LogInByPasskey(t.Context(), question.Token, answer, home); !errors.Is(err, auth.ErrNoCeremony) {
		t.Errorf("replayed: %v", err)
	}
	other := s.askPasskey(t)
	if _, err := s.accounts.LogInByPasskey(t.Context(), other.Token, answer, home); !errors.Is(err, auth.ErrWrongPasskey) {
		t.Errorf("replayed on another question: %v", err)
	}
	if _, err := s.accounts.LogInByPasskey(t.Context(), other.Token, ada.get(t, other), home); !errors.Is(err, auth.ErrNoCeremony) {
		t.Errorf("a question is open after a wrong answer: %v", err)
	}
	late := s.askPasskey(t)
	s.Advance(5 * time.Minute)
	if _, err := s.accounts.LogInByPasskey(t.Context(), late.Token, ada.get(t, late), home); !errors.Is(err, auth.ErrNoCeremony) {
		t.Errorf("late: %v", err)
	}
	proof, err := s.accounts.BeginPasskeyProof(t.Context(), caller)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.accounts.LogInByPasskey(t.Context(), proof.Token, ada.get(t, proof), home); !errors.Is(err, auth.ErrNoCeremony) {
		t.Errorf("a proof's as a login's: %v", err)
	}
	bob := s.member(t, login)
	if _, err := s.accounts.ProveByPasskey(t.Context(), s.caller(t, bob), bob.Token, proof.Token, ada.get(t, proof)); !errors.Is(err, auth.ErrNoCeremony) {
		t.Errorf("another's proof: %v", err)
	}
	proof, err = s.accounts.BeginPasskeyProof(t.Context(), s.caller(t, bob))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.accounts.ProveByPasskey(t.Context(), s.caller(t, bob), bob.Token, proof.Token, ada.get(t, proof)); !errors.Is(err, auth.ErrWrongPasskey) {
		t.Errorf("proved with another's passkey: %v", err)
	}
	request, err := s.accounts.BeginPasskey(t.Context(), s.caller(t, bob), bob.Token)
	if err != nil {
		t.Fatal(err)
	}
	login = s.addPasskey(t, mustProve(t, s, login), newTelephone(t, passkeyOrigin))
	if _, err := s.accounts.AddPasskey(t.Context(), s.caller(t, login), login.Token, request.Token, "", ada.create(t, request), home); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("registered what another was asked for: %v", err)
	}
	if err := s.accounts.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPasskeyAtOnce(t *testing.T) {
	s := newPasskeyServer(t)
	ada := newTelephone(t, passkeyOrigin)
	ada.counter = 1
	s.addPasskey(t, s.admin(t), ada)
	ada.counter = 2
	question := s.askPasskey(t)
	answer := ada.get(t, question)
	won := 0
	for _, err := range race([]*server{s, startServer(t, s.database, passkeyOrigin, s.clock)}, func(on *server) error {
		_, err := on.accounts.LogInByPasskey(t.Context(), question.Token, answer, home)
		return err
	}) {
		if err == nil {
			won++
		} else if !errors.Is(err, auth.ErrNoCeremony) {
			t.Errorf("a loser got %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d logins with one answer", won)
	}
}

func TestPasskeyOfASuspendedPerson(t *testing.T) {
	s := newPasskeyServer(t)
	ada := s.admin(t)
	bob := s.member(t, ada)
	d := newTelephone(t, passkeyOrigin)
	s.addPasskey(t, bob, d)
	if err := s.accounts.Suspend(t.Context(), s.caller(t, ada), bob.User.ID, true); err != nil {
		t.Fatal(err)
	}
	question := s.askPasskey(t)
	if _, err := s.accounts.LogInByPasskey(t.Context(), question.Token, d.get(t, question), home); !errors.Is(err, auth.ErrSuspended) {
		t.Errorf("got %v", err)
	}
}

// TestPasswordWinsNoPasskey: where a second factor is demanded of somebody who has a passkey, a login from before, with a
// password alone, gets no other one.
func TestPasswordWinsNoPasskey(t *testing.T) {
	s := newPasskeyServer(t)
	d := newTelephone(t, passkeyOrigin)
	s.addPasskey(t, s.admin(t), d)
	old := logIn(t, s)
	s.accounts.SecondFactor = auth.SecondFactorEveryone
	caller := s.newcomer(t, old)
	for name, act := range map[string]func() error{
		"another passkey": func() error {
			_, err := s.accounts.BeginPasskey(t.Context(), caller, old.Token)
			return err
		},
		"an app": func() error {
			_, err := s.accounts.SetUpTOTP(t.Context(), caller, old.Token)
			return err
		},
	} {
		if err := act(); !errors.Is(err, auth.ErrProveAgain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.accounts.Prove(t.Context(), caller, old.Token, password, ""); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("proved by the password: %v", err)
	}
	question, err := s.accounts.BeginPasskeyProof(t.Context(), caller)
	if err != nil {
		t.Fatal(err)
	}
	proved, err := s.accounts.ProveByPasskey(t.Context(), caller, old.Token, question.Token, d.get(t, question))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.accounts.BeginPasskey(t.Context(), s.caller(t, proved), proved.Token); err != nil {
		t.Errorf("proved by the passkey: %v", err)
	}
}
