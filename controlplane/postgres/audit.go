package postgres

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"switchboard/auth/audit"
)

// auditChain writes audit records. Appends that come while one transaction is under way share the next, so a
// flood costs few syncs; a lock in the database puts replicas behind each other, so the chain has no gap and no
// fork.
type auditChain struct {
	pool *pgxpool.Pool // of one connection
	turn chan struct{} // holds a value while someone writes

	mu      sync.Mutex // guards what follows
	waiting []*pendingRecord
}

type pendingRecord struct {
	event   audit.Event
	answer  *usedAnswer             // used up in the same commit, and before what it allows; nil: none
	with    func(writes *pgx.Batch) // queues what is committed with the record and must not fail; nil: nothing
	written chan error              // gets one value
}

const (
	// auditLock is the key of the advisory lock that orders all writers of the chain; any number that nothing else
	// here uses.
	auditLock = 0x617564_6974
	// auditBatch bounds how many records share a transaction.
	auditBatch = 256
	// auditTimeout is how long a batch may take. It is not bound to one caller's context, since the others in the
	// batch have not gone away.
	auditTimeout = 5 * time.Second
)

// auditColumns are a record's, in the order in which write gives and scanAuditEvent takes them.
const auditColumns = `seq, at, user_id, user_name, client_id, client, addr, action, host, session, target, allowed,
	detail, previous, hash`

// Append adds a record at the chain's end and returns when it is committed. If ctx ends while the record is being
// written, the record may still appear: then it tells of something that was asked for and not done.
func (db *DB) Append(ctx context.Context, e audit.Event) error {
	return explain("write the audit record", db.chain.append(ctx, &pendingRecord{event: storable(e)}))
}

func (c *auditChain) append(ctx context.Context, mine *pendingRecord) error {
	mine.written = make(chan error, 1)
	c.mu.Lock()
	c.waiting = append(c.waiting, mine)
	c.mu.Unlock()
	for {
		select {
		case err := <-mine.written:
			return err
		case <-ctx.Done():
			return c.leave(mine, ctx.Err())
		case c.turn <- struct{}{}:
			c.writeBatch(ctx)
			<-c.turn
		}
	}
}

// leave takes a record that its caller no longer waits for out of the queue.
func (c *auditChain) leave(gone *pendingRecord, why error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, waiting := range c.waiting {
		if waiting == gone {
			c.waiting = append(c.waiting[:i], c.waiting[i+1:]...)
			break
		}
	}
	return why
}

// writeBatch writes what waits, for everyone who waits for it.
func (c *auditChain) writeBatch(ctx context.Context) {
	c.mu.Lock()
	batch := c.waiting[:min(len(c.waiting), auditBatch)]
	c.waiting = append([]*pendingRecord(nil), c.waiting[len(batch):]...)
	c.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
	defer cancel()
	err := c.write(ctx, batch)
	for _, record := range batch {
		record.written <- err
	}
}

// write appends records in one transaction of two round trips: every act waits for this.
func (c *auditChain) write(ctx context.Context, records []*pendingRecord) error {
	conn, err := c.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release() // which closes a connection that is still in a transaction, and so rolls back
	last, err := lockChain(ctx, conn, records)
	if err != nil {
		return err
	}
	writes := &pgx.Batch{}
	for _, record := range records {
		e := record.event
		e.Link(last)
		writes.Queue(`
			INSERT INTO audit_events (`+auditColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
			e.Seq, e.At, e.User, e.UserName, e.ClientID, e.Client, e.Addr, e.Action,
			e.Host, e.Session, e.Target, e.Allowed, e.Detail, e.Previous, e.Hash)
		if record.with != nil {
			record.with(writes)
		}
		last = e
	}
	writes.Queue(`COMMIT`) // not reached if a write fails
	return conn.SendBatch(ctx, writes).Close()
}

// lockChain begins a transaction that no other writer's can overlap, and returns what the next record is linked to:
// the last one's seq and hash. The statements after the first begin after the lock is held, so that they see whatever
// the writer before has committed. The records' answers are used up first, since a record says whether that was so.
func lockChain(ctx context.Context, conn *pgxpool.Conn, records []*pendingRecord) (last audit.Event, err error) {
	begin := &pgx.Batch{}
	begin.Queue(`BEGIN ISOLATION LEVEL READ COMMITTED`)
	begin.Queue(`SELECT pg_advisory_xact_lock($1)`, auditLock)
	for _, record := range records {
		record.useAnswer(begin)
	}
	begin.Queue(`SELECT seq, hash FROM audit_events ORDER BY seq DESC LIMIT 1`).QueryRow(func(row pgx.Row) error {
		err := row.Scan(&last.Seq, &last.Hash)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	err = conn.SendBatch(ctx, begin).Close()
	return last, err
}

// storable makes the record's texts such that Postgres can keep them, since one that it cannot would fail its
// whole batch: valid UTF-8 without NUL, and not longer than anyone will read.
func storable(e audit.Event) audit.Event {
	for _, text := range []*string{
		&e.User, &e.UserName, &e.ClientID, &e.Client, &e.Addr, &e.Action, &e.Host, &e.Session, &e.Target,
	} {
		*text = storableText(*text)
	}
	detail := make(map[string]string, len(e.Detail))
	for key, value := range e.Detail {
		detail[storableText(key)] = storableText(value)
	}
	e.Detail = detail
	return e
}

const maxAuditText = 4096 // bytes

func storableText(s string) string {
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	if len(s) > maxAuditText {
		s = s[:maxAuditText]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// AuditEvents returns up to limit records before a place in the chain (0: its end), newest first, of one user or,
// if user is empty, of everyone.
func (db *DB) AuditEvents(ctx context.Context, user string, before int64, limit int) ([]audit.Event, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	rows, _ := db.pool.Query(ctx, `
		SELECT `+auditColumns+`
		FROM audit_events
		WHERE `+equalIfGiven("user_id", "$1", user)+` AND seq < $2
		ORDER BY seq DESC
		LIMIT $3`, user, before, limit)
	events, err := pgx.CollectRows(rows, scanAuditEvent)
	return events, explain("read the audit log", err)
}

// VerifyAudit checks the whole chain and returns its last record, up to which it is unbroken. Its error names the
// first record that does not fit.
func (db *DB) VerifyAudit(ctx context.Context) (audit.Event, error) {
	var last audit.Event
	for {
		rows, _ := db.pool.Query(ctx, `
			SELECT `+auditColumns+`
			FROM audit_events
			WHERE seq > $1
			ORDER BY seq
			LIMIT 1000`, last.Seq)
		events, err := pgx.CollectRows(rows, scanAuditEvent)
		if err != nil {
			return last, explain("read the audit log", err)
		}
		if len(events) == 0 {
			return last, nil
		}
		if err := audit.Verify(last, events); err != nil {
			return last, err
		}
		last = events[len(events)-1]
	}
}

func scanAuditEvent(row pgx.CollectableRow) (audit.Event, error) {
	var e audit.Event
	err := row.Scan(&e.Seq, &e.At, &e.User, &e.UserName, &e.ClientID, &e.Client, &e.Addr, &e.Action, &e.Host,
		&e.Session, &e.Target, &e.Allowed, &e.Detail, &e.Previous, &e.Hash)
	e.At = e.At.UTC() // the hash was made of a UTC time
	return e, err
}
