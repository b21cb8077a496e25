package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// hostColumns are what scanHost reads, of hosts h with its owner u and, as x, the share of the person who asks.
const hostColumns = `
	h.id, h.name, coalesce(h.owner_id, ''), coalesce(u.display_name, ''), h.nkey, h.created_at, h.removed_at,
	h.connected_at, h.last_seen_at, h.away_since, h.contract, h.agent_version, h.hostname, h.os, h.arch,
	h.kinds, h.roots, h.modes,
	(SELECT count(*) FROM sessions s WHERE s.host_id = h.id AND s.state <> 'exited'),
	coalesce(x.access, '')`

// scanHost reads a host as c may use it.
func scanHost(c auth.Caller) pgx.RowToFunc[fleet.Host] {
	return func(row pgx.CollectableRow) (fleet.Host, error) {
		var h fleet.Host
		var share string
		err := row.Scan(&h.ID, &h.Name, &h.Owner, &h.OwnerName, &h.NKey, &h.CreatedAt, &h.RemovedAt,
			&h.ConnectedAt, &h.LastSeenAt, &h.AwaySince, &h.Contract, &h.AgentVersion, &h.Hostname, &h.OS, &h.Arch,
			&h.Kinds, &h.Roots, &h.Modes, &h.Sessions, &share)
		h.Access = access(c.User != "" && h.Owner == c.User, share, c.Role)
		return h, err
	}
}

// access is what a person may do on a host: the most of what he may as its owner, through a share, or by his role.
func access(owner bool, share string, role auth.Role) fleet.Access {
	switch {
	case owner:
		return fleet.AccessOwner
	case share == "operator":
		return fleet.AccessOperator
	case share == "viewer":
		return fleet.AccessViewer
	case role == auth.RoleAdmin:
		return fleet.AccessManage
	}
	return fleet.AccessNone
}

// VisibleHosts implements fleet.HostStore.
func (db *DB) VisibleHosts(ctx context.Context, c auth.Caller, ref string) ([]fleet.Host, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+hostColumns+`
		FROM hosts h
		LEFT JOIN users u ON u.id = h.owner_id
		LEFT JOIN host_shares x ON x.host_id = h.id AND x.user_id = $1
		WHERE h.removed_at IS NULL
			AND (h.owner_id = $1 OR x.user_id IS NOT NULL OR $2)
			AND ($3 = '' OR h.id = $3 OR lower(h.name) = lower($3))
		ORDER BY lower(h.name)`, c.User, c.Role == auth.RoleAdmin, ref)
	hosts, err := pgx.CollectRows(rows, scanHost(c))
	return hosts, explain("read hosts", err)
}

// HostByKey implements fleet.HostStore.
func (db *DB) HostByKey(ctx context.Context, nkey string) (fleet.Host, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+hostColumns+`
		FROM hosts h
		LEFT JOIN users u ON u.id = h.owner_id
		LEFT JOIN host_shares x ON false
		WHERE h.nkey = $1 AND h.removed_at IS NULL`, nkey)
	host, err := pgx.CollectExactlyOneRow(rows, scanHost(auth.Caller{}))
	return host, explain("read a key's host", err)
}

// HostShares implements fleet.HostStore.
func (db *DB) HostShares(ctx context.Context, id protocol.HostID) ([]fleet.Share, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT x.user_id, u.display_name, x.access
		FROM host_shares x
		JOIN users u ON u.id = x.user_id
		WHERE x.host_id = $1
		ORDER BY u.name`, id)
	shares, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (fleet.Share, error) {
		var s fleet.Share
		var share string
		err := row.Scan(&s.User, &s.Name, &share)
		s.Access = access(false, share, auth.RoleMember)
		return s, err
	})
	return shares, explain("read shares", err)
}

// SetShare implements fleet.HostStore.
func (db *DB) SetShare(ctx context.Context, id protocol.HostID, user auth.UserID, level fleet.Access) error {
	if level == fleet.AccessNone {
		_, err := db.pool.Exec(ctx, `DELETE FROM host_shares WHERE host_id = $1 AND user_id = $2`, id, user)
		return explain("end a share", err)
	}
	tag, err := db.pool.Exec(ctx, `
		INSERT INTO host_shares (host_id, user_id, access)
		SELECT $1, id, $3 FROM users WHERE id = $2
		ON CONFLICT (host_id, user_id) DO UPDATE SET access = excluded.access`, id, user, level.String())
	if err == nil && tag.RowsAffected() == 0 {
		err = pgx.ErrNoRows
	}
	return explain("share a host", err)
}

// RemoveHost implements fleet.HostStore.
func (db *DB) RemoveHost(ctx context.Context, id protocol.HostID, at time.Time) error {
	_, err := db.pool.Exec(ctx, `
		UPDATE hosts SET removed_at = $2, away_since = coalesce(away_since, $2)
		WHERE id = $1 AND removed_at IS NULL`, id, at)
	return explain("remove a host", err)
}

// AdoptHosts implements fleet.HostStore.
func (db *DB) AdoptHosts(ctx context.Context, owner auth.UserID) error {
	const adopter = `coalesce(nullif($1, ''), ` + firstAdmin + `)`
	return db.begin(ctx, "adopt hosts", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE hosts SET owner_id = `+adopter+` WHERE owner_id IS NULL`, owner); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE join_tokens SET owner_id = `+adopter+` WHERE owner_id IS NULL`, owner)
		return err
	})
}

// RecordHeartbeat implements fleet.HostStore.
func (db *DB) RecordHeartbeat(ctx context.Context, id protocol.HostID, at time.Time) error {
	tag, err := db.pool.Exec(ctx, `
		UPDATE hosts SET last_seen_at = $2, away_since = NULL
		WHERE id = $1 AND removed_at IS NULL`, id, at)
	if err == nil && tag.RowsAffected() == 0 {
		err = pgx.ErrNoRows
	}
	return explain("record a heartbeat", err)
}

// RecordAway implements fleet.HostStore.
func (db *DB) RecordAway(ctx context.Context, id protocol.HostID, at time.Time) ([]protocol.SessionID, error) {
	rows, _ := db.pool.Query(ctx, `
		WITH gone AS (
			UPDATE hosts SET away_since = $2 WHERE id = $1 AND away_since IS NULL
			RETURNING id
		)
		SELECT s.id FROM sessions s JOIN gone ON gone.id = s.host_id WHERE s.state <> 'exited'`, id, at)
	sessions, err := pgx.CollectRows(rows, pgx.RowTo[protocol.SessionID])
	return sessions, explain("record that a host is away", err)
}

// RecordRestart implements fleet.HostStore.
func (db *DB) RecordRestart(ctx context.Context) error {
	return db.change(ctx, "record that all hosts are away", `
		UPDATE hosts SET away_since = last_seen_at WHERE away_since IS NULL`)
}
