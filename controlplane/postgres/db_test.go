package postgres_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"

	"switchboard/auth"
	"switchboard/controlplane/embedded/pgtest"
	"switchboard/controlplane/postgres"
)

func TestOpenRefusesWhatLosesCommits(t *testing.T) {
	_, err := postgres.Open(t.Context(), withOption(t, pgtest.New(t), "-c synchronous_commit=off"))
	if err == nil || !strings.Contains(err.Error(), "synchronous_commit = off") {
		t.Errorf("got %v", err)
	}
}

func withOption(t *testing.T, address, option string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("options", option)
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20") // pgx takes a plus for itself
	return u.String()
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for name, address := range map[string]string{
		"nobody there":     "postgres://u@127.0.0.1:1/db",
		"no such socket":   "postgres://u@/db?host=/nonexistent",
		"no such database": strings.Replace(pgtest.New(t), "t_", "nothing_", 1),
	} {
		_, err := postgres.Open(t.Context(), address)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if name != "no such database" && !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := postgres.Open(t.Context(), "::"); err == nil {
		t.Error("a URL that is none: no error")
	}
}

func TestMigrateAtOnce(t *testing.T) {
	address := pgtest.New(t)
	conn := beside(t, address)
	if _, err := conn.Exec(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
		t.Fatal(err)
	}
	first, second := open(t, address), open(t, address)
	var done sync.WaitGroup
	for _, db := range []*postgres.DB{first, second, first} {
		done.Go(func() {
			if err := db.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	if users, err := first.Users(t.Context()); err != nil || len(users) != 0 {
		t.Errorf("%d users, %v", len(users), err)
	}
}

func TestErrorsAreTold(t *testing.T) {
	address := pgtest.New(t)
	db := open(t, address)
	if _, err := db.User(t.Context(), "nobody"); !errors.Is(err, auth.ErrNotFound) || errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("nobody: %v", err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := db.User(gone, "nobody"); !errors.Is(err, context.Canceled) || errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("nobody waits: %v", err)
	}
	late, leave := context.WithTimeout(t.Context(), 0)
	defer leave()
	if _, err := db.User(late, "nobody"); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("too slow: %v", err)
	}
}

func TestBackendsAreEnded(t *testing.T) {
	address := pgtest.New(t)
	db := open(t, address)
	if err := db.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn := beside(t, address)
	const end = `SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = 'switchboard'`
	var ended int
	if err := conn.QueryRow(t.Context(), end).Scan(&ended); err != nil || ended == 0 {
		t.Fatalf("ended %d backends, %v", ended, err)
	}
	// The first call may meet a dead connection, and says so in the right words; then the pool has healed.
	for range 20 {
		err := db.Append(t.Context(), record("x"))
		if err == nil {
			return
		}
		if !errors.Is(err, auth.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	t.Error("the pool did not heal")
}
