package postgres

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"switchboard/auth"
)

// How a replica hears of changes. A connection that has gone dead without a word is found out by asking it again and
// again; what it said last is relied on for as long as hearingTrust, so that this is the longest time for which a
// replica that is cut off from the database can take a revoked token for good.
const (
	hearingEvery  = time.Second
	hearingTrust  = 3 * time.Second
	hearingRepair = time.Second // between two attempts to connect
)

// Follow tells changes what is taken away in the database, by any replica or by hand, until the context ends. It
// listens on a connection of its own.
func (db *DB) Follow(ctx context.Context, changes *auth.Changes, log *slog.Logger) {
	db.changes.Store(changes)
	for ctx.Err() == nil {
		if err := db.follow(ctx, changes); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "changes in the database not heard: every token is looked up", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(hearingRepair):
		}
	}
}

// follow does so until the connection is lost.
func (db *DB) follow(ctx context.Context, changes *auth.Changes) error {
	config := db.pool.Config().ConnConfig
	config.RuntimeParams["application_name"] = "switchboard changes"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return explain("listen to the database", err)
	}
	defer func() {
		changes.Deaf()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hearingEvery)
		defer cancel()
		_ = conn.Close(ctx) // it may be lost
	}()
	if err := listen(ctx, conn); err != nil {
		return err
	}
	changes.Listening()
	for {
		asked := time.Now()
		if err := answers(ctx, conn); err != nil {
			return explain("listen to the database", err)
		}
		changes.Hears(asked.Add(hearingTrust))
		if err := hearFor(ctx, conn, hearingEvery); err != nil {
			return explain("listen to the database", err)
		}
	}
}

// answers waits for a sign of life. What was committed before the question is heard before the answer.
func answers(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, hearingTrust-hearingEvery)
	defer cancel()
	return conn.Ping(ctx)
}

// hearFor lets the connection read for a while.
func hearFor(ctx context.Context, conn *pgx.Conn, while time.Duration) error {
	pause, cancel := context.WithTimeout(ctx, while)
	defer cancel()
	for {
		err := conn.PgConn().WaitForNotification(pause)
		if pause.Err() != nil && !conn.IsClosed() {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

// changesChannel is what the triggers notify.
const changesChannel = "access_changed"

// listen makes a connection hear of changes. Every connection of the pool does: PostgreSQL hands a change to the
// connection that commits it before it says that the commit is done, so that what an operation takes away is
// forgotten on its own replica when the operation returns, whichever it is and without its having to think of it.
func listen(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "LISTEN "+changesChannel)
	return explain("listen to the database", err)
}

// hear is called by the connection that reads a notification.
func (db *DB) hear(_ *pgconn.PgConn, n *pgconn.Notification) {
	if changes := db.changes.Load(); changes != nil && n.Channel == changesChannel {
		changes.Tell(changeOf(n.Payload))
	}
}

// changeOf reads what a trigger says. Of what it does not understand, as from a newer version, it fears everything.
func changeOf(payload string) auth.Change {
	kind, id, _ := strings.Cut(payload, " ")
	switch kind {
	case "user":
		return auth.Change{User: auth.UserID(id)}
	case "grant":
		return auth.Change{Grant: auth.GrantID(id)}
	case "client":
		return auth.Change{ClientID: id}
	}
	return auth.Change{}
}
