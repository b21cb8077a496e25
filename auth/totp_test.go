package auth_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
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
