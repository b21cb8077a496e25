package auth_test

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"switchboard/auth"
)

// halfLogins makes half logins without the work of a hash for each.
func (s *server) halfLogins(t *testing.T, user auth.UserID, n int) chan auth.Secret {
	t.Helper()
	steps := make(chan auth.Secret, n)
	for range n {
		token := rand.Text()
		hash := sha256.Sum256([]byte(token))
		step := auth.LoginStep{TokenHash: hash[:], User: user, CreatedAt: s.Now(), ExpiresAt: s.Now().Add(time.Minute)}
		if err := s.db.InsertLoginStep(t.Context(), step); err != nil {
			t.Fatal(err)
		}
		steps <- auth.Secret(token)
	}
	return steps
}

func TestOneCodeUsedAtOnce(t *testing.T) {
	s := newServer(t)
	app, codes, login := s.setUpApp(t, s.admin(t))
	servers := []*server{s, s.replica(t)}
	for name, code := range map[string]func() auth.Secret{
		"of the app": func() auth.Secret { return app.code(0) }, "for recovery": func() auth.Secret { return codes[0] },
	} {
		used := code()
		steps := s.halfLogins(t, s.caller(t, login).User, 8) // as many as the limit of tries lets through at once
		won := 0
		for _, err := range race(servers, func(on *server) error {
			select {
			case step := <-steps:
				_, err := on.accounts.FinishLogIn(t.Context(), step, used, auth.Browser{Addr: "10.0.0.1"})
				return err
			default:
				return auth.ErrWrongCode
			}
		}) {
			if err == nil {
				won++
			} else if !errors.Is(err, auth.ErrWrongCode) {
				t.Errorf("%s: a loser got %v", name, err)
			}
		}
		if won != 1 {
			t.Errorf("%s: %d logins with one code", name, won)
		}
		s.Advance(15 * time.Minute) // what failed is forgotten
	}
}

// TestOneCodeTakenAtOnce is the same beneath the limit of tries, which lets only a few of those get so far.
func TestOneCodeTakenAtOnce(t *testing.T) {
	s := newServer(t)
	_, _, login := s.setUpApp(t, s.admin(t))
	user := s.caller(t, login).User
	hash := []byte("a hash")
	if err := s.db.SetRecoveryCodes(t.Context(), user, [][]byte{hash}, s.Now()); err != nil {
		t.Fatal(err)
	}
	step := s.Now().Unix()
	tokens := s.halfLogins(t, user, 1)
	stepHash := sha256.Sum256([]byte(<-tokens))
	for name, take := range map[string]func(on *server) error{
		"a code of the app": func(on *server) error { return on.db.UseTOTP(t.Context(), user, step) },
		"a recovery code":   func(on *server) error { return on.db.UseRecoveryCode(t.Context(), user, hash) },
		"a second step":     func(on *server) error { return on.db.TakeLoginStep(t.Context(), stepHash[:], s.Now()) },
	} {
		won := 0
		for _, err := range race([]*server{s, s.replica(t)}, take) {
			if err == nil {
				won++
			} else if !errors.Is(err, auth.ErrNotFound) {
				t.Errorf("%s: a loser got %v", name, err)
			}
		}
		if won != 1 {
			t.Errorf("%s was taken %d times", name, won)
		}
	}
}
