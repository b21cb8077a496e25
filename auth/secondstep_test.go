package auth_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
)

// phone is a person's authenticator app.
type phone struct {
	s      *server
	secret []byte
}

// code is what the app shows, so many steps from now.
func (p phone) code(apart int64) auth.Secret {
	mac := hmac.New(sha1.New, p.secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(p.s.Now().Unix()/30+apart)))
	sum := mac.Sum(nil)
	number := binary.BigEndian.Uint32(sum[sum[19]&0xf:]) & 0x7fffffff
	return auth.Secret(fmt.Sprintf("%06d", number%1_000_000))
}

// setUpApp gives a person an app and recovery codes; the login he goes on with is another.
func (s *server) setUpApp(t *testing.T, login auth.Login) (phone, []auth.Secret, auth.Login) {
	t.Helper()
	caller := s.newcomer(t, login)
	shown, err := s.accounts.SetUpTOTP(t.Context(), caller, login.Token)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := base32.StdEncoding.DecodeString(strings.ReplaceAll(string(shown.Text), " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	app := phone{s, secret}
	codes, login, err := s.accounts.ConfirmTOTP(t.Context(), caller, login.Token, app.code(0))
	if err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Minute) // that code is used
	return app, codes, login
}

func (s *server) newcomer(t *testing.T, login auth.Login) auth.Caller {
	t.Helper()
	caller, _, _, err := s.accounts.Newcomer(t.Context(), login.Token, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return caller
}

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

func TestAuthenticatorApp(t *testing.T) {
	s := newServer(t)
	here := s.admin(t)
	there := logIn(t, s)
	caller := s.caller(t, here)
	if _, _, err := s.accounts.ConfirmTOTP(t.Context(), caller, here.Token, "123456"); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("none is being set up: %v", err)
	}
	first, err := s.accounts.SetUpTOTP(t.Context(), caller, here.Token)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.accounts.SetUpTOTP(t.Context(), caller, here.Token)
	if err != nil || again != first {
		t.Errorf("looked at twice, the secret is another: %v", err)
	}
	logIn(t, s) // it counts for nothing yet
	for _, wrong := range []auth.Secret{"", "000000", "abcdef", auth.Secret(strings.Repeat("1", 1<<20))} {
		if _, _, err := s.accounts.ConfirmTOTP(t.Context(), caller, here.Token, wrong); !errors.Is(err, auth.ErrInvalid) {
			t.Errorf("confirmed with %.9q: %v", string(wrong), err)
		}
	}
	app, codes, login := s.setUpApp(t, here)
	if len(codes) != 10 {
		t.Errorf("%d recovery codes", len(codes))
	}
	for name, old := range map[string]auth.Login{"the login's token before": here, "another browser": there} {
		if _, _, err := s.accounts.Caller(t.Context(), old.Token, ""); !errors.Is(err, auth.ErrNoLogin) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.accounts.SetUpTOTP(t.Context(), caller, login.Token); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("a second app: %v", err)
	}

	step := s.halfLogIn(t)
	if _, err := s.finish(t, step, "000000"); !errors.Is(err, auth.ErrWrongCode) {
		t.Errorf("a wrong code: %v", err)
	}
	code := app.code(0)
	full, err := s.finish(t, step, code)
	if err != nil || full.User.Name != adminName {
		t.Fatalf("got %+v, %v", full, err)
	}
	s.caller(t, full)
	if _, err := s.finish(t, step, app.code(1)); !errors.Is(err, auth.ErrNoStep) {
		t.Errorf("the step again: %v", err)
	}
	if _, err := s.finish(t, s.halfLogIn(t), code); !errors.Is(err, auth.ErrWrongCode) {
		t.Errorf("the code again: %v", err)
	}
	if _, err := s.finish(t, s.halfLogIn(t), app.code(-1)); !errors.Is(err, auth.ErrWrongCode) {
		t.Errorf("an older code than the last: %v", err)
	}
	if _, err := s.finish(t, s.halfLogIn(t), app.code(1)); err != nil {
		t.Errorf("the next code: %v", err)
	}
	late := s.halfLogIn(t)
	s.Advance(5 * time.Minute)
	if _, err := s.finish(t, late, app.code(0)); !errors.Is(err, auth.ErrNoStep) {
		t.Errorf("a step of five minutes ago: %v", err)
	}
	for _, action := range []string{"account.totp_start", "account.totp_on", "login.password"} {
		wantAudit(t, s, action, true)
	}
	if err := s.accounts.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
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

func TestRecoveryCodes(t *testing.T) {
	s := newServer(t)
	_, codes, login := s.setUpApp(t, s.admin(t))
	typed := auth.Secret(strings.ToUpper(strings.ReplaceAll(string(codes[0]), "-", " ")))
	if _, err := s.finish(t, s.halfLogIn(t), typed); err != nil {
		t.Fatal(err)
	}
	if _, err := s.finish(t, s.halfLogIn(t), codes[0]); !errors.Is(err, auth.ErrWrongCode) {
		t.Errorf("used twice: %v", err)
	}
	caller := s.caller(t, login)
	if factors, err := s.accounts.Factors(t.Context(), caller); err != nil || factors != (auth.Factors{TOTP: true, RecoveryCodes: 9}) {
		t.Errorf("got %+v, %v", factors, err)
	}
	renewed, err := s.accounts.RenewRecoveryCodes(t.Context(), caller, login.Token)
	if err != nil || len(renewed) != 10 {
		t.Fatalf("got %d, %v", len(renewed), err)
	}
	if _, err := s.finish(t, s.halfLogIn(t), codes[1]); !errors.Is(err, auth.ErrWrongCode) {
		t.Errorf("an old one: %v", err)
	}
	if _, err := s.finish(t, s.halfLogIn(t), renewed[1]); err != nil {
		t.Errorf("a new one: %v", err)
	}
	bob := s.member(t, login)
	if _, err := s.accounts.RenewRecoveryCodes(t.Context(), s.caller(t, bob), bob.Token); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("without an app: %v", err)
	}
	s.Advance(11 * time.Minute)
	if _, err := s.accounts.RenewRecoveryCodes(t.Context(), caller, login.Token); !errors.Is(err, auth.ErrProveAgain) {
		t.Errorf("eleven minutes later: %v", err)
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

func TestDisableTOTP(t *testing.T) {
	s := newServer(t)
	app, codes, login := s.setUpApp(t, s.admin(t))
	caller := s.caller(t, login)
	if _, err := s.accounts.DisableTOTP(t.Context(), caller, login.Token, password, "000000"); !errors.Is(err, auth.ErrWrongCode) {
		t.Errorf("without a code: %v", err)
	}
	if _, err := s.accounts.DisableTOTP(t.Context(), caller, login.Token, "wrong", app.code(0)); !errors.Is(err, auth.ErrWrongPassword) {
		t.Errorf("without the password: %v", err)
	}
	s.Advance(time.Hour) // it asks for both, however old the login is
	after, err := s.accounts.DisableTOTP(t.Context(), caller, login.Token, password, codes[0])
	if err != nil {
		t.Fatal(err)
	}
	s.caller(t, after)
	logIn(t, s)
	if factors, err := s.accounts.Factors(t.Context(), caller); err != nil || factors != (auth.Factors{}) {
		t.Errorf("left: %+v, %v", factors, err)
	}
	wantAudit(t, s, "account.totp_off", true)
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

// TestSecondFactorsAreSealed looks for the secret and the codes in a dump of everything that the database keeps.
func TestSecondFactorsAreSealed(t *testing.T) {
	s := newServer(t)
	app, codes, login := s.setUpApp(t, s.admin(t))
	bob := s.member(t, login)
	if _, err := s.accounts.SetUpTOTP(t.Context(), s.caller(t, bob), bob.Token); err != nil { // one that is pending
		t.Fatal(err)
	}
	conn := connect(t, s.database)
	text := strings.ToLower(dump(t, conn))
	if !strings.Contains(text, "ada") {
		t.Fatalf("the dump lacks what it should have: %d bytes", len(text))
	}
	found := []string{string(app.secret), fmt.Sprintf("%x", app.secret), base32.StdEncoding.EncodeToString(app.secret)}
	for _, code := range codes {
		found = append(found, string(code), strings.ReplaceAll(string(code), "-", ""))
	}
	for _, secret := range found {
		if strings.Contains(text, strings.ToLower(secret)) {
			t.Errorf("the dump has %q", secret)
		}
	}
	if logs := s.logs.String(); strings.Contains(logs, found[2]) {
		t.Error("the log has the secret")
	}
	// Another's sealed secret is worth nothing, even to whoever can write to the database.
	_, err := conn.Exec(t.Context(), `UPDATE totp SET sealed = (SELECT pending FROM totp WHERE user_id = $2) WHERE user_id = $1`,
		login.User.ID, bob.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.finish(t, s.halfLogIn(t), app.code(0)); err == nil || errors.Is(err, auth.ErrWrongCode) {
		t.Errorf("with another's seal: %v", err)
	}
}

// dump is every row of every table, as text.
func dump(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	rows, _ := conn.Query(t.Context(), `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, table := range tables {
		rows, _ := conn.Query(t.Context(), `SELECT t::text FROM `+pgx.Identifier{table}.Sanitize()+` t`)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(strings.Join(lines, "\n"))
	}
	return all.String()
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
