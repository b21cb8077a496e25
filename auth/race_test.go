package auth_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/auth"
)

const racers = 64

// race does one thing many times at once, spread over the servers, and returns what each one got.
func race[Result any](servers []*server, do func(s *server) Result) []Result {
	results := make([]Result, racers)
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			results[i] = do(servers[i%len(servers)])
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return results
}

func TestOneCodeRedeemedAtOnce(t *testing.T) {
	s := newServer(t)
	servers := []*server{s, s.replica(t)}
	login := s.admin(t)
	app := s.register(t, nil)
	form := app.redemption(app.code(s.browser(t, &login), nil), nil)
	var got tokens
	won := 0
	for _, answer := range race(servers, func(on *server) page {
		return on.browser(t, nil).post(on.url+auth.TokenPath, form)
	}) {
		if answer.status == http.StatusOK {
			won++
			got = readTokens(t, answer)
			continue
		}
		if answer.status != http.StatusBadRequest || answer.errorCode(t) != "invalid_grant" {
			t.Errorf("a loser got %d %s", answer.status, answer.body)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d redemptions succeeded, want exactly one", won, racers)
	}
	wantDead(t, servers, got.access) // since the code was used again
	wantAudit(t, s, "oauth.reuse", false)
}

// wantDead wants an access token refused on every replica, as soon as it can have heard.
func wantDead(t *testing.T, servers []*server, access string) {
	t.Helper()
	for _, on := range servers {
		eventually(t, 2*time.Second, "a dead token is refused", func() bool { return !on.works(t, access) })
	}
}

// wantOneOf reads tokens, or the refusal invalid_grant.
func wantOneOf(t *testing.T, answer page) (got tokens, ok bool) {
	t.Helper()
	if answer.status == http.StatusOK {
		return readTokens(t, answer), true
	}
	if answer.status != http.StatusBadRequest || answer.errorCode(t) != "invalid_grant" {
		t.Errorf("got %d %s", answer.status, answer.body)
	}
	return tokens{}, false
}

func TestRefreshAgainstRevocation(t *testing.T) {
	s := newServer(t)
	servers := []*server{s, s.replica(t)}
	login := s.admin(t)
	app := s.register(t, nil)
	won := 0
	for round := range 8 {
		first := app.connect(s.browser(t, &login))
		for _, on := range servers {
			on.learn(t, first.access)
		}
		turns := make(chan int, racers)
		for turn := range racers {
			turns <- turn
		}
		for _, answer := range race(servers, func(on *server) page {
			if turn := <-turns; turn == 8*round {
				form := url.Values{"token": {first.refresh}, "client_id": {app.id}}
				return on.browser(t, nil).post(on.url+auth.RevokePath, form)
			}
			return on.browser(t, nil).post(on.url+auth.TokenPath, app.refreshing(first.refresh, nil))
		}) {
			if answer.status == http.StatusOK && answer.body == "" {
				continue // the revocation
			}
			if got, ok := wantOneOf(t, answer); ok {
				won++
				wantDead(t, servers, got.access)
				if again := app.token(t, app.refreshing(got.refresh, nil)); again.errorCode(t) != "invalid_grant" {
					t.Errorf("a revoked family goes on: %s", again.body)
				}
			}
		}
		wantDead(t, servers, first.access)
	}
	t.Logf("%d of %d refreshes came before the revocation", won, 8*(racers-1))
}

func TestRedemptionAgainstSuspension(t *testing.T) {
	s := newServer(t)
	servers := []*server{s, s.replica(t)}
	ada := s.admin(t)
	bob := s.member(t, ada)
	adas := s.caller(t, ada)
	app := s.register(t, nil)
	won := 0
	for range 3 {
		login, err := s.accounts.LogIn(t.Context(), "bob", password, auth.Browser{Addr: "127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		b := s.browser(t, &login)
		forms := make(chan url.Values, racers)
		forms <- nil // the suspension
		for range racers - 1 {
			forms <- app.redemption(app.code(b, nil), nil)
		}
		for _, answer := range race(servers, func(on *server) page {
			form := <-forms
			if form == nil {
				if err := on.accounts.Suspend(t.Context(), adas, bob.User.ID, true); err != nil {
					t.Error(err)
				}
				return page{}
			}
			return on.browser(t, nil).post(on.url+auth.TokenPath, form)
		}) {
			if answer.status == 0 {
				continue // the suspension
			}
			if got, ok := wantOneOf(t, answer); ok {
				won++
				wantDead(t, servers, got.access)
				if again := app.token(t, app.refreshing(got.refresh, nil)); again.errorCode(t) != "invalid_grant" {
					t.Errorf("a suspended person's client goes on: %s", again.body)
				}
			}
		}
		if err := s.accounts.Suspend(t.Context(), adas, bob.User.ID, false); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d codes came before the suspension", won, 3*(racers-1))
}

func TestOneRefreshTokenUsedAtOnce(t *testing.T) {
	s := newServer(t)
	servers := []*server{s, s.replica(t)}
	login := s.admin(t)
	app := s.register(t, nil)
	first := app.connect(s.browser(t, &login))
	form := app.refreshing(first.refresh, nil)
	use := func(on *server) page { return on.browser(t, nil).post(on.url+auth.TokenPath, form) }

	answers := map[tokens]bool{}
	for _, answer := range race(servers, use) {
		answers[readTokens(t, answer)] = true
	}
	if len(answers) != 1 {
		t.Errorf("%d different answers within the grace time, want one", len(answers))
	}
	s.Advance(auth.RefreshGrace)
	for _, answer := range race(servers, use) {
		if answer.status != http.StatusBadRequest || answer.errorCode(t) != "invalid_grant" {
			t.Errorf("after the grace time: %d %s", answer.status, answer.body)
		}
	}
	for got := range answers {
		wantDead(t, servers, got.access)
	}
	wantDead(t, servers, first.access)
	wantAudit(t, s, "oauth.reuse", false)
	if last, err := s.db.VerifyAudit(t.Context()); err != nil {
		t.Errorf("audit chain after %d records: %v", last.Seq, err)
	}
}

func TestOneInviteAcceptedAtOnce(t *testing.T) {
	s := newServer(t)
	link, _, err := s.accounts.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	servers := []*server{s, s.replica(t)}
	names := make(chan string, racers)
	for i := range racers {
		names <- "ada" + strings.Repeat("a", i%60)
	}
	won := 0
	for _, err := range race(servers, func(on *server) error {
		_, err := on.accounts.Accept(t.Context(), inviteToken(link), auth.NewAccount{Name: <-names, Password: password}, auth.Browser{})
		return err
	}) {
		if err == nil {
			won++
		} else if !errors.Is(err, auth.ErrNotFound) && !errors.Is(err, auth.ErrInvalid) {
			t.Errorf("a loser got %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d accounts from one link", won)
	}
}

func TestLoginsAtOnceDoNotPassTheLimit(t *testing.T) {
	s := newServer(t)
	s.admin(t)
	servers := []*server{s, s.replica(t)}
	tried := 0
	for _, err := range race(servers, func(on *server) error {
		_, err := on.accounts.LogIn(t.Context(), adminName, "wrong password", auth.Browser{Addr: "10.0.0.1"})
		return err
	}) {
		if errors.Is(err, auth.ErrWrongPassword) {
			tried++
		} else if !errors.Is(err, auth.ErrThrottled) {
			t.Errorf("got %v", err)
		}
	}
	if tried > 10 {
		t.Errorf("%d passwords were tried, want 10 at most", tried)
	}
}

func TestAdministratorsSuspendEachOtherAtOnce(t *testing.T) {
	s := newServer(t)
	ada := s.admin(t)
	link, err := s.accounts.Invite(t.Context(), s.caller(t, ada), auth.RoleAdmin)
	if err != nil {
		t.Fatal(err)
	}
	bob, err := s.accounts.Accept(t.Context(), inviteToken(link), auth.NewAccount{Name: "bob", Password: password}, auth.Browser{})
	if err != nil {
		t.Fatal(err)
	}
	adas, bobs := s.caller(t, ada), s.caller(t, bob)
	turns := make(chan bool, racers)
	for i := range racers {
		turns <- i%2 == 0
	}
	race([]*server{s, s.replica(t)}, func(on *server) error {
		if <-turns {
			return on.accounts.Suspend(t.Context(), adas, bob.User.ID, true)
		}
		return on.accounts.Suspend(t.Context(), bobs, ada.User.ID, true)
	})
	users, err := s.accounts.Users(t.Context(), adas)
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	for _, user := range users {
		if user.SuspendedAt == nil {
			left++
		}
	}
	if left != 1 {
		t.Errorf("%d administrators are left, want one", left)
	}
}
