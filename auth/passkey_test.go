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
