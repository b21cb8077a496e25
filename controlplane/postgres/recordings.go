package postgres

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// leastSegment is what a segment counts at least, in bytes: a row takes room and time too, and a host that sends millions
// of tiny ones must not fill the table.
const leastSegment = 8 << 10

// StoreSegment implements fleet.RecordingStore.
func (db *DB) StoreSegment(ctx context.Context, host protocol.HostID, s fleet.StoredSegment, most int64, now time.Time) error {
	return db.begin(ctx, "keep a recording", func(tx pgx.Tx) error {
		var known bool
		err := tx.QueryRow(ctx, `
			SELECT true FROM sessions WHERE id = $1 AND host_id = $2
			FOR KEY SHARE`, s.Session, host).Scan(&known)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO recording_segments (session_id, number, host_id, began_at, ended_at, stored_at, size, sha256, data)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (session_id, number) DO NOTHING`,
			s.Session, s.Number, host, s.At, s.End, now, max(len(s.Data), leastSegment), s.SHA256[:], s.Data)
		if err != nil {
			return err
		}
		var size int64
		err = tx.QueryRow(ctx, `SELECT sum(size) FROM recording_segments WHERE host_id = $1`, host).Scan(&size)
		if err != nil || size <= most {
			return err
		}
		_, err = tx.Exec(ctx, `
			DELETE FROM recording_segments r USING (
				SELECT session_id, number, sum(size) OVER (ORDER BY stored_at DESC, session_id, number DESC) AS upto
				FROM recording_segments WHERE host_id = $1
			) x
			WHERE r.session_id = x.session_id AND r.number = x.number AND x.upto > $2`, host, most)
		return err
	})
}

// Segments implements fleet.RecordingStore.
func (db *DB) Segments(ctx context.Context, session protocol.SessionID) ([]protocol.Segment, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT number, began_at, ended_at FROM recording_segments WHERE session_id = $1 ORDER BY number`, session)
	segments, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (protocol.Segment, error) {
		s := protocol.Segment{Closed: true}
		err := row.Scan(&s.Number, &s.At, &s.End)
		return s, err
	})
	return segments, explain("read what there is of a recording", err)
}

// Segment implements fleet.RecordingStore.
func (db *DB) Segment(ctx context.Context, session protocol.SessionID, number uint64) ([]byte, error) {
	var data, sum []byte
	err := db.pool.QueryRow(ctx, `
		SELECT data, sha256 FROM recording_segments WHERE session_id = $1 AND number = $2`, session, number).Scan(&data, &sum)
	if got := sha256.Sum256(data); err == nil && subtle.ConstantTimeCompare(got[:], sum) == 0 {
		err = errors.New("it is not what was stored")
	}
	return data, explain("read a recording", err)
}

// DeleteSegments implements fleet.RecordingStore.
func (db *DB) DeleteSegments(ctx context.Context, before time.Time) error {
	_, err := db.pool.Exec(ctx, `DELETE FROM recording_segments WHERE stored_at < $1`, before)
	return explain("delete old recordings", err)
}
