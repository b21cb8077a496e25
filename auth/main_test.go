package auth_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/embedded/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// connect opens a connection beside the server's.
func connect(t *testing.T, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}
