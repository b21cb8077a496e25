package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/nats-io/nats.go"

	"switchboard/controlplane/embedded"
	"switchboard/controlplane/postgres"
)

// stores are what everything else stands on: the database and the bus, embedded or external.
type stores struct {
	keys embedded.Keys
	pg   *embedded.Postgres // nil: external
	db   *postgres.DB
	nats *embedded.NATS
	conn *nats.Conn
}

// openStores starts or joins them and brings the schema up to date. On an error nothing is left running.
func openStores(ctx context.Context, c config, log *slog.Logger) (*stores, error) {
	s := &stores{}
	if err := s.open(ctx, c, log); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *stores) open(ctx context.Context, c config, log *slog.Logger) (err error) {
	// Others may pass through, since the embedded PostgreSQL runs as a user of its own; what is inside is closed to them.
	if err := os.MkdirAll(c.Data, 0o711); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if s.keys, err = embedded.LoadKeys(filepath.Join(c.Data, "keys")); err != nil {
		return err
	}
	if err := s.openDatabase(ctx, c.database, log); err != nil {
		return err
	}
	return s.openBus(ctx, c, log)
}

// openKnownDatabase opens the database alone, if there is one: one that is made for the purpose has nobody in it, and an
// audit chain that is unbroken.
func openKnownDatabase(env environment, c database) (*stores, error) {
	if c.DatabaseURL == "" {
		if _, err := os.Stat(c.postgres()); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no database in %s: say --data or --database-url", c.Data)
		}
	}
	s := &stores{}
	if err := s.openDatabase(env.ctx, c, env.log); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *stores) openDatabase(ctx context.Context, c database, log *slog.Logger) (err error) {
	url := c.DatabaseURL
	if url == "" {
		s.pg, err = embedded.StartPostgres(ctx, embedded.PostgresConfig{Dir: c.postgres(), Bin: c.PostgresBin, Log: log})
		if err != nil {
			return err
		}
		url = s.pg.URL()
	}
	if s.db, err = postgres.Open(ctx, url); err != nil {
		return err
	}
	return s.db.Migrate(ctx)
}

func (s *stores) openBus(ctx context.Context, c config, log *slog.Logger) (err error) {
	if c.NATSURL != "" {
		s.nats, err = embedded.JoinNATS(c.NATSURL, s.keys)
	} else {
		s.nats, err = embedded.StartNATS(ctx, embedded.NATSConfig{Dir: filepath.Join(c.Data, "nats"), Keys: s.keys, Log: log})
	}
	if err != nil {
		return err
	}
	s.conn, err = s.nats.Connect("controlplane", log)
	return err
}

// close ends what openStores has opened, the newest first.
func (s *stores) close() {
	if s.conn != nil {
		s.conn.Close()
	}
	if s.nats != nil {
		s.nats.Stop()
	}
	if s.db != nil {
		s.db.Close()
	}
	if s.pg != nil {
		s.pg.Stop()
	}
}

// ping finds out whether both can be reached.
func (s *stores) ping(ctx context.Context) error {
	if !s.conn.IsConnected() {
		return errors.New("NATS is unreachable")
	}
	if err := s.db.Ping(ctx); err != nil {
		return errors.New("PostgreSQL is unreachable")
	}
	return nil
}
