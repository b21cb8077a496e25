package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/fleet"
)

// unheardAtOnce bounds one round of questions to hosts.
const unheardAtOnce = 200

// UnheardCommands implements fleet.UnheardStore.
func (db *DB) UnheardCommands(ctx context.Context, before time.Time) ([]fleet.Unheard, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT s.host_id, s.id, u.command, u.prompt, u.at, coalesce(h.connected_at, 'epoch')
		FROM (
			SELECT session_id, id AS command, '' AS prompt, created_at AS at FROM messages
			WHERE status = 'queued' AND detail = ANY ($2)
			UNION ALL
			SELECT session_id, command_id, id, answered_at FROM prompts WHERE status = 'answering'
			UNION ALL
			SELECT id, '', '', started_at FROM sessions WHERE unheard
		) u
		JOIN sessions s ON s.id = u.session_id
		JOIN hosts h ON h.id = s.host_id AND h.removed_at IS NULL AND h.away_since IS NULL
		WHERE u.at < $1
		ORDER BY u.at
		LIMIT $3`, before, fleet.UnheardDetails(), unheardAtOnce)
	unheard, err := pgx.CollectRows(rows, pgx.RowToStructByPos[fleet.Unheard])
	return unheard, explain("read commands of unknown outcome", err)
}
