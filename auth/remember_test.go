package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"switchboard/auth"
)

// eventually waits for what must come soon, and says how long it took. What is not there is looked for once more when the
// time is up.
func eventually(t *testing.T, within time.Duration, what string, is func() bool) time.Duration {
	t.Helper()
	began, late := time.Now(), false
	for !is() {
		if late {
			t.Fatalf("not within %v: %s", within, what)
		}
		late = time.Since(began) > within
		time.Sleep(100 * time.Microsecond)
	}
	return time.Since(began)
}

// remembers reports whether the server lets an access token in without asking the store.
func (s *server) remembers(t *testing.T, access string) bool {
	t.Helper()
	before := s.store.lookedUp.Load()
	return s.works(t, access) && s.store.lookedUp.Load() == before
}

// learn has the server remember a token. It takes a moment until it hears of changes.
func (s *server) learn(t *testing.T, access string) {
	t.Helper()
	eventually(t, 5*time.Second, "a token is remembered", func() bool { return s.remembers(t, access) })
}

func TestTokensAreRemembered(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	app := s.register(t, nil)
	got := app.connect(s.browser(t, &login))
	s.learn(t, got.access)
	for range 100 {
		if !s.remembers(t, got.access) {
			t.Fatal("the store was asked again")
		}
	}
	t.Run("for a minute", func(t *testing.T) {
		s.Advance(time.Minute)
		if s.remembers(t, got.access) {
			t.Error("the store was not asked after a minute")
		}
		if !s.remembers(t, got.access) {
			t.Error("its answer was not remembered")
		}
	})
	t.Run("until a clock goes backwards", func(t *testing.T) {
		s.Advance(-time.Second)
		if s.remembers(t, got.access) {
			t.Error("the store was not asked")
		}
		s.Advance(time.Second)
	})
	t.Run("until they expire", func(t *testing.T) {
		s.Advance(28*time.Minute + 30*time.Second)
		s.learn(t, got.access)
		s.Advance(30*time.Second - time.Microsecond)
		if !s.remembers(t, got.access) {
			t.Error("forgotten too early")
		}
		s.Advance(time.Microsecond)
		if s.works(t, got.access) {
			t.Error("an expired token works")
		}
	})
	t.Run("only what is good", func(t *testing.T) {
		for range 2 {
			before := s.store.lookedUp.Load()
			if s.works(t, got.access) || s.store.lookedUp.Load() == before {
				t.Error("a refusal was remembered")
			}
		}
	})
}

func TestLastUseOfRememberedTokens(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	got := s.register(t, nil).connect(s.browser(t, &login))
	s.Advance(30 * time.Second) // what is remembered then, is remembered longer than its use is not written
	s.learn(t, got.access)
	if touched := s.store.touched.Load(); touched != 0 {
		t.Fatalf("%d uses written within a minute", touched)
	}
	s.Advance(30 * time.Second)
	looked := s.store.lookedUp.Load()
	race([]*server{s}, func(on *server) error {
		_, err := on.oauth.Check(t.Context(), auth.Secret(got.access), "10.9.8.7")
		return err
	})
	if touched := s.store.touched.Load(); touched != 1 || s.store.lookedUp.Load() != looked {
		t.Errorf("%d uses written by %d calls at once, want 1", touched, racers)
	}
	grants, err := s.oauth.Grants(t.Context(), s.caller(t, login), auth.GrantFilter{})
	if err != nil || len(grants) != 1 || !grants[0].LastUsedAt.Equal(s.Now()) || grants[0].LastAddr != "10.9.8.7" {
		t.Errorf("grants %+v, %v", grants, err)
	}
}

// TestTakenAwayOnOneReplica takes something away through one replica; the next call there, and the one at another
// replica as soon as a notification is there, must know.
func TestTakenAwayOnOneReplica(t *testing.T) {
	for _, test := range []struct {
		name   string
		byHand bool // through no replica
		take   func(t *testing.T, s *server, w world) error
	}{
		{"grant, on the page", false, func(t *testing.T, s *server, w world) error {
			grants, err := s.oauth.Grants(t.Context(), w.bobs, auth.GrantFilter{})
			return errors.Join(err, s.oauth.RevokeGrant(t.Context(), w.adas, grants[0].ID))
		}},
		{"all grants of a person", false, func(t *testing.T, s *server, w world) error {
			return s.oauth.RevokeUser(t.Context(), w.adas, w.bobs.User)
		}},
		{"refresh token, by its client", false, func(t *testing.T, s *server, w world) error {
			return w.revoke(t, s, w.tokens.refresh)
		}},
		{"access token, by its client", false, func(t *testing.T, s *server, w world) error {
			return w.revoke(t, s, w.tokens.access)
		}},
		{"spent refresh token comes back", false, func(t *testing.T, s *server, w world) error {
			use := func() page {
				return s.browser(t, nil).post(s.url+auth.TokenPath, w.app.refreshing(w.tokens.refresh, nil))
			}
			readTokens(t, use())
			s.Advance(auth.RefreshGrace)
			if answer := use(); answer.errorCode(t) != "invalid_grant" {
				t.Errorf("got %s", answer.body)
			}
			return nil
		}},
		{"person", false, func(t *testing.T, s *server, w world) error {
			return s.accounts.Suspend(t.Context(), w.adas, w.bobs.User, true)
		}},
		{"client, by hand", true, func(t *testing.T, s *server, w world) error {
			_, err := connect(t, s.database).Exec(t.Context(), `UPDATE oauth_clients SET disabled_at = now() WHERE id = $1`, w.app.id)
			return err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newServer(t)
			b := a.replica(t)
			w := a.world(t)
			a.learn(t, w.tokens.access)
			b.learn(t, w.tokens.access)
			a.learn(t, w.other)
			if err := test.take(t, a, w); err != nil {
				t.Fatal(err)
			}
			if test.byHand {
				eventually(t, 2*time.Second, "the first replica hears", func() bool { return !a.works(t, w.tokens.access) })
			}
			if a.works(t, w.tokens.access) {
				t.Error("taken away, and accepted by the next call on the same replica")
			}
			took := eventually(t, 2*time.Second, "the other replica hears", func() bool { return !b.works(t, w.tokens.access) })
			t.Logf("the other replica heard after %v", took)
			if a.works(t, w.tokens.access) {
				t.Error("accepted again")
			}
			if !a.remembers(t, w.other) {
				t.Error("what it does not concern was forgotten")
			}
		})
	}
}

// world is two people, and bob's app with its tokens.
type world struct {
	adas, bobs auth.Caller
	app        *app
	tokens     tokens
	other      string // ada's access token, of another app
}

func (s *server) world(t *testing.T) world {
	t.Helper()
	ada := s.admin(t)
	bob := s.member(t, ada)
	w := world{adas: s.caller(t, ada), bobs: s.caller(t, bob), app: s.register(t, nil)}
	w.tokens = w.app.connect(s.browser(t, &bob))
	w.other = s.register(t, nil).connect(s.browser(t, &ada)).access
	return w
}

func (w world) revoke(t *testing.T, s *server, token string) error {
	t.Helper()
	answer := s.browser(t, nil).post(s.url+auth.RevokePath, url.Values{"token": {token}, "client_id": {w.app.id}})
	if answer.status != http.StatusOK {
		return errors.New(answer.body)
	}
	return nil
}

func TestRoleAndNameAreNotRememberedForLong(t *testing.T) {
	a := newServer(t)
	b := a.replica(t)
	w := a.world(t)
	b.learn(t, w.tokens.access)
	_, err := connect(t, a.database).Exec(t.Context(), `UPDATE users SET role = 'admin', name = 'robert' WHERE id = $1`, w.bobs.User)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, 2*time.Second, "the other replica hears", func() bool {
		caller, err := b.oauth.Check(t.Context(), auth.Secret(w.tokens.access), "")
		return err == nil && caller.Role == auth.RoleAdmin && caller.UserName == "robert"
	})
}

// TestAnswerFromBeforeIsNotRemembered holds a lookup back between the store's answer and its being remembered, while
// the token is revoked.
func TestAnswerFromBeforeIsNotRemembered(t *testing.T) {
	a := newServer(t)
	b := a.replica(t)
	w := a.world(t)
	b.learn(t, w.other)
	caller, err := a.oauth.Check(t.Context(), auth.Secret(w.tokens.access), "")
	if err != nil {
		t.Fatal(err)
	}
	answered, told := make(chan struct{}), make(chan struct{})
	hold := func() {
		close(answered)
		<-told
	}
	b.store.answering.Store(&hold)
	result := make(chan bool)
	go func() { result <- b.works(t, w.tokens.access) }()
	<-answered
	b.store.answering.Store(nil)
	stop := b.oauth.Changes.Watch(caller, sync.OnceFunc(func() { close(told) }))
	defer stop()
	if err := a.oauth.RevokeUser(t.Context(), w.adas, w.bobs.User); err != nil {
		t.Fatal(err)
	}
	if !<-result {
		t.Error("a call that was asked before the revocation was refused: the test did not hold it")
	}
	if b.works(t, w.tokens.access) {
		t.Error("an answer from before the revocation was remembered after it")
	}
}

// TestDeafReplica revokes while a replica's listening connection has just been killed.
func TestDeafReplica(t *testing.T) {
	a := newServer(t)
	b := a.replica(t)
	ada := a.admin(t)
	app := a.register(t, nil)
	adas := a.caller(t, ada)
	conn := connect(t, a.database)
	for range 5 {
		got := app.connect(a.browser(t, &ada))
		b.learn(t, got.access)
		var killed int
		err := conn.QueryRow(t.Context(), `
			SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'switchboard changes'`).Scan(&killed)
		if err != nil || killed == 0 {
			t.Fatalf("killed %d listeners, %v", killed, err)
		}
		if err := a.oauth.RevokeUser(t.Context(), adas, adas.User); err != nil {
			t.Fatal(err)
		}
		if a.works(t, got.access) {
			t.Error("accepted where it was revoked")
		}
		took := eventually(t, 2*time.Second, "the deaf replica asks the store", func() bool { return !b.works(t, got.access) })
		t.Logf("refused after %v", took)
	}
}

// TestSilentDatabase cuts a replica off without closing anything: what it remembers must not outlive its trust.
func TestSilentDatabase(t *testing.T) {
	a := newServer(t)
	wire := newWire(t, a.database)
	b := startServer(t, wire.url, a.url, a.clock)
	w := a.world(t)
	b.learn(t, w.tokens.access)
	wire.frozen.Lock()
	if err := a.oauth.RevokeUser(t.Context(), w.adas, w.bobs.User); err != nil {
		t.Fatal(err)
	}
	accepts := func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond) // it need not wait for the store
		defer cancel()
		_, err := b.oauth.Check(ctx, auth.Secret(w.tokens.access), "")
		return err == nil
	}
	took := eventually(t, 3500*time.Millisecond, "no longer accepted", func() bool { return !accepts() })
	t.Logf("accepted for %v", took)
	wire.frozen.Unlock()
	eventually(t, 10*time.Second, "refused for what it is", func() bool {
		_, err := b.oauth.Check(t.Context(), auth.Secret(w.tokens.access), "")
		return errors.Is(err, auth.ErrInvalidToken)
	})
}
