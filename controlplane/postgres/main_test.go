package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/embedded/pgtest"
	"switchboard/controlplane/postgres"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// open connects a DB to a database.
func open(t *testing.T, url string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// beside connects to a database beside the DB, to look and to tamper.
func beside(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}
