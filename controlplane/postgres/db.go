// Package postgres is all of Switchboard's SQL, one file per noun. It implements the stores that auth and fleet
// ask for, and decides nothing: what may happen is decided by who calls it.
package postgres

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"switchboard/auth"
	"switchboard/auth/audit"
	"switchboard/migrations"
)

// DB is the database. Close it when every user of it has ended.
type DB struct {
	pool    *pgxpool.Pool
	chain   *auditChain
	changes atomic.Pointer[auth.Changes] // nil until Follow
}

// What a connection may wait for before it gives up, so that a database that hangs turns into an error that an
// edge can answer, and not into requests that pile up.
const (
	connectTimeout   = 2 * time.Second
	statementTimeout = 10 * time.Second
	lockTimeout      = 5 * time.Second
)

// Open connects to the database at url and makes sure that a commit which returned survives a crash. It does not
// migrate.
func Open(ctx context.Context, url string) (*DB, error) {
	db := &DB{}
	pool, err := db.connect(ctx, url, 0)
	if err != nil {
		return nil, err
	}
	if err := checkDurable(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	// The audit chain has its own connection: a request that holds one of the pool's while it waits for its audit
	// line can then never be what the line waits for.
	chain, err := db.connect(ctx, url, 1)
	if err != nil {
		pool.Close()
		return nil, err
	}
	db.pool, db.chain = pool, &auditChain{pool: chain, turn: make(chan struct{}, 1)}
	return db, nil
}

// connect makes a pool of at most size connections, or of as many as the url or pgx say if size is 0.
func (db *DB) connect(ctx context.Context, url string, size int32) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	if size == 0 {
		size = max(config.MaxConns, 16)
	}
	config.MaxConns = size
	config.ConnConfig.ConnectTimeout = connectTimeout
	parameters := config.ConnConfig.RuntimeParams
	parameters["application_name"] = "switchboard"
	parameters["timezone"] = "UTC"
	// Left to itself, the server may plan a statement anew each time: three times the work of a status.
	parameters["plan_cache_mode"] = "force_generic_plan"
	parameters["statement_timeout"] = milliseconds(statementTimeout)
	parameters["lock_timeout"] = milliseconds(lockTimeout)
	parameters["idle_in_transaction_session_timeout"] = milliseconds(statementTimeout)
	config.ConnConfig.OnNotification = db.hear
	config.AfterConnect = listen
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, explain("open the database", err)
	}
	return pool, nil
}

// equalIfGiven is a condition on a column that an optional parameter makes. One plan serves all values of a parameter,
// so one that is not given needs a statement of its own to let the other use an index.
func equalIfGiven[T ~string](column, parameter string, value T) string {
	if value == "" {
		return parameter + ` = ''`
	}
	return column + ` = ` + parameter
}

func milliseconds(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }

// checkDurable refuses a server that acknowledges a commit before it is on disk: everything that Switchboard
// promises not to lose rests on that.
func checkDurable(ctx context.Context, pool *pgxpool.Pool) error {
	for _, setting := range []string{"fsync", "synchronous_commit"} {
		var value string
		if err := pool.QueryRow(ctx, "SELECT current_setting($1)", setting).Scan(&value); err != nil {
			return explain("read the database's setting "+setting, err)
		}
		if value == "off" {
			return fmt.Errorf("the database runs with %s = off, which loses commits in a crash; set it to on", setting)
		}
	}
	return nil
}

// Migrate brings the schema up to date. Replicas that start together wait for each other.
func (db *DB) Migrate(ctx context.Context) error {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	conn := stdlib.OpenDBFromPool(db.pool)
	defer func() { _ = conn.Close() }() // the pool's connections stay open
	provider, err := goose.NewProvider(goose.DialectPostgres, conn, migrations.Files, goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return explain("migrate", err)
	}
	return nil
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return explain("ping the database", db.pool.Ping(ctx)) }

// Close ends all connections; it waits for those in use.
func (db *DB) Close() {
	db.pool.Close()
	db.chain.pool.Close()
}

// begin runs do in one transaction, which is committed if do returns nil.
func (db *DB) begin(ctx context.Context, doing string, do func(tx pgx.Tx) error) error {
	return explain(doing, pgx.BeginFunc(ctx, db.pool, do))
}

// executor is the pool or a transaction.
type executor interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// DB is the store of what auth keeps.
var (
	_ auth.AccountStore  = (*DB)(nil)
	_ auth.OAuthStore    = (*DB)(nil)
	_ auth.IdentityStore = (*DB)(nil)
	_ audit.Recorder     = (*DB)(nil)
)
