package pgtest_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/embedded/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestDatabasesAreMigratedAndApart(t *testing.T) {
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			conn, err := pgx.Connect(t.Context(), pgtest.New(t))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close(t.Context()) }()
			var users int
			var fsync string
			err = conn.QueryRow(t.Context(), `SELECT count(*), current_setting('fsync') FROM users`).Scan(&users, &fsync)
			if err != nil {
				t.Fatal(err)
			}
			if users != 0 || fsync != "on" {
				t.Errorf("users = %d, fsync = %s; want 0 and on", users, fsync)
			}
			_, err = conn.Exec(t.Context(), `INSERT INTO users (id, name, display_name, role, password_hash) VALUES ('u', 'u', 'U', 'member', '')`)
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
