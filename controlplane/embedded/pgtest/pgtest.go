// Package pgtest gives each test a PostgreSQL database of its own, with the real schema, on a private server
// that lives as long as the test binary.
package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // goose goes through database/sql
	"github.com/pressly/goose/v3"

	"switchboard/controlplane/embedded"
	"switchboard/hostagent/protocol"
	"switchboard/migrations"
)

// server is the test binary's; Main sets it before any test runs.
var server struct {
	url string
	err error
}

// template is the migrated database that each test's is copied from.
const template = "template_switchboard"

// Main runs the tests with a server for New. It goes into TestMain:
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
func Main(m *testing.M) {
	stop, err := start(context.Background())
	if err != nil {
		server.err = err
	}
	defer stop()
	m.Run()
}

// New makes a database for the test, and drops it at the test's end. It returns the URL to connect with.
func New(t testing.TB) string {
	t.Helper()
	if server.err == nil && server.url == "" {
		t.Fatal("pgtest.New needs pgtest.Main in TestMain")
	}
	if server.err != nil {
		t.Fatal(server.err)
	}
	name := "t_" + protocol.NewID()
	execute(t, "CREATE DATABASE "+name+" TEMPLATE "+template)
	t.Cleanup(func() { execute(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	address, err := database(server.url, name)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func execute(t testing.TB, statement string) {
	t.Helper()
	// The test's own context is over when its clean-up runs.
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, server.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// database is the address of another database on the same server.
func database(address, name string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

func start(ctx context.Context) (stop func(), err error) {
	dir, err := os.MkdirTemp(place(), "pgtest") // short enough for a socket, and every user may enter it
	if err != nil {
		return func() {}, err
	}
	config := embedded.PostgresConfig{Dir: dir, Bin: os.Getenv("PG_BIN"), Log: slog.New(slog.DiscardHandler)}
	postgres, err := embedded.StartPostgres(ctx, config)
	if err != nil {
		return func() {}, errors.Join(err, os.RemoveAll(dir))
	}
	release, err := sweeper(ctx, dir)
	stop = func() {
		postgres.Stop()
		release()
	}
	if err != nil {
		return stop, err
	}
	if err := migrate(ctx, postgres.URL()); err != nil {
		return stop, err
	}
	server.url = postgres.URL()
	return stop, nil
}

// place is where the server's files go: into memory where there is plenty, since the server waits for its disk at each
// database that it makes (140 ms for 2.3 s, measured on a busy one). Its settings are the same.
func place() string {
	const memory, plenty = "/dev/shm", 4 << 30 // bytes
	var room syscall.Statfs_t
	if err := syscall.Statfs(memory, &room); err != nil || room.Bavail*uint64(room.Bsize) < plenty {
		return "/tmp"
	}
	return memory
}

// sweeper starts a shell that waits for this process to end, in whatever way (a test's time-out is a panic and
// runs nothing), and then ends the server and removes its directory. Release does so now.
func sweeper(ctx context.Context, dir string) (release func(), err error) {
	shell := exec.CommandContext(ctx, "/bin/sh", "-c", `cat >/dev/null
		pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid"
		rm -rf "$0"`, dir)
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	alive, err := shell.StdinPipe()
	if err != nil {
		return func() {}, err
	}
	if err := shell.Start(); err != nil {
		return func() {}, fmt.Errorf("start sweeper: %w", err)
	}
	return func() {
		_ = alive.Close()
		_ = shell.Wait() // what it could not remove lies there
	}, nil
}

func migrate(ctx context.Context, address string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+template); err != nil {
		return err
	}
	address, err = database(address, template)
	if err != nil {
		return err
	}
	db, err := sql.Open("pgx", address)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Files)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}
