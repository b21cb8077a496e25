package postgres_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"switchboard/auth"
	"switchboard/controlplane/embedded/pgtest"
	"switchboard/controlplane/postgres"
)

// follow lets changes hear of a database; stop ends that.
func follow(t *testing.T, db *postgres.DB, changes *auth.Changes) (stop func()) {
	t.Helper()
	heard := make(chan struct{})
	unwatch := changes.Watch(auth.Caller{}, sync.OnceFunc(func() { close(heard) }))
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { db.Follow(ctx, changes, slog.New(slog.DiscardHandler)) })
	<-heard // a new listener may have missed everything
	unwatch()
	return sync.OnceFunc(func() {
		cancel()
		done.Wait()
	})
}

func TestChangesAreHeard(t *testing.T) {
	address := pgtest.New(t)
	db, conn := open(t, address), beside(t, address)
	_, err := conn.Exec(t.Context(), `
		INSERT INTO users (id, name, display_name, role, password_hash) VALUES ('u', 'ada', 'Ada', 'member', '');
		INSERT INTO oauth_clients (id, name, redirect_uris, auth_method, metadata) VALUES ('c', 'App', '{}', 'none', '{}');
		INSERT INTO oauth_grants (id, user_id, client_id, scopes, resource) VALUES ('g', 'u', 'c', '', '');
		INSERT INTO oauth_tokens (kind, signature, grant_id, scopes, created_at, expires_at)
		SELECT kind, signature, 'g', '', now(), now() + age
		FROM (VALUES ('access', 'good', interval '1 hour'), ('pat', 'own', '1 hour'), ('access', 'old', '-1 hour'),
			('refresh', 'r', '1 hour')) t (kind, signature, age);
		INSERT INTO web_sessions (token_hash, user_id, expires_at) VALUES ('now', 'u', now() + '1 hour'), ('past', 'u', now() - interval '1 hour')`)
	if err != nil {
		t.Fatal(err)
	}
	changes := &auth.Changes{}
	defer follow(t, db, changes)()
	const user, client, grant = "user", "client", "grant"
	words := make(chan string, 100)
	for name, caller := range map[string]auth.Caller{user: {User: "u"}, client: {ClientID: "c"}, grant: {Grant: "g"}} {
		defer changes.Watch(caller, func() { words <- name })()
	}
	// What comes after the statement has been heard shows that nothing else was.
	fence := make(chan struct{}, 10)
	defer changes.Watch(auth.Caller{User: "fence"}, func() { fence <- struct{}{} })()

	for _, test := range []struct{ statement, want string }{
		{`UPDATE users SET display_name = 'x', password_hash = 'x'`, ""},
		{`UPDATE users SET suspended_at = now()`, user},
		{`UPDATE users SET suspended_at = NULL`, user},
		{`UPDATE users SET role = 'admin'`, user},
		{`UPDATE users SET name = 'eve'`, user},
		{`UPDATE users SET name = 'eve'`, ""},
		{`UPDATE web_sessions SET last_seen_at = now()`, ""},
		{`DELETE FROM web_sessions WHERE token_hash = 'past'`, ""},
		{`DELETE FROM web_sessions WHERE token_hash = 'now'`, user},
		{`UPDATE oauth_clients SET metadata = '{"scope": ""}' WHERE id = 'c'`, ""},
		{`UPDATE oauth_clients SET name = 'x' WHERE id = 'c'`, client},
		{`UPDATE oauth_clients SET disabled_at = now() WHERE id = 'c'`, client},
		{`UPDATE oauth_grants SET last_used_at = now()`, ""},
		{`UPDATE oauth_grants SET name = 'x'`, grant},
		{`UPDATE oauth_grants SET revoked_at = now()`, grant},
		{`UPDATE oauth_tokens SET spent_at = now() WHERE kind = 'refresh'`, ""},
		{`DELETE FROM oauth_tokens WHERE kind = 'refresh'`, ""},
		{`DELETE FROM oauth_tokens WHERE signature = 'old'`, ""},
		{`UPDATE oauth_tokens SET scopes = 'x' WHERE signature = 'good'`, grant},
		{`DELETE FROM oauth_tokens WHERE signature = 'good'`, grant},
		{`DELETE FROM oauth_tokens WHERE signature = 'own'`, grant},
		{`BEGIN; UPDATE users SET name = 'x'; ROLLBACK`, ""},
		{`NOTIFY another, 'user u'`, ""},
	} {
		for _, statement := range []string{test.statement, `NOTIFY access_changed, 'user fence'`} {
			if _, err := conn.Exec(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		<-fence
		got := ""
		for len(words) > 0 {
			got += <-words
		}
		if got != test.want {
			t.Errorf("%s: heard %q, want %q", test.statement, got, test.want)
		}
	}
	// A word that is not understood may mean anything.
	if _, err := conn.Exec(t.Context(), `NOTIFY access_changed, 'team t'`); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-words
	}
}

func TestFollowingConnectsAgainAndLeavesNothing(t *testing.T) {
	address := pgtest.New(t)
	db, conn := open(t, address), beside(t, address)
	if err := db.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := goleak.IgnoreCurrent()
	changes := &auth.Changes{}
	stop := follow(t, db, changes)
	again := make(chan struct{}, 10)
	defer changes.Watch(auth.Caller{}, func() { again <- struct{}{} })()
	for range 2 {
		var ended int
		err := conn.QueryRow(t.Context(), `
			SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'switchboard changes'`).Scan(&ended)
		if err != nil || ended != 1 {
			t.Fatalf("ended %d listeners, %v", ended, err)
		}
		select {
		case <-again:
		case <-time.After(10 * time.Second):
			t.Fatal("does not listen again")
		}
	}
	stop()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}
