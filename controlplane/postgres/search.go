package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
)

// split takes apart what code joins: paths, addresses, options with their values.
const split = `'/\._:=@', '       '`

// eventWords and transcriptKinds must be those of the index events_text.
const eventWords = `to_tsvector('simple', translate(event_text(e.kind, e.body), ` + split + `))`

// Search implements fleet.SearchStore. Words are compared as they stand, since transcripts hold more code than
// prose.
func (db *DB) Search(ctx context.Context, user auth.UserID, query string, limit int) ([]fleet.Hit, error) {
	rows, _ := db.pool.Query(ctx, `
		WITH words AS (
			SELECT websearch_to_tsquery('simple', translate($2, `+split+`)) AS query
		), visible AS (
			SELECT s.id, s.handle, s.name, s.working_dir, s.started_at, h.name AS host_name
			FROM `+visibleSessions+`
		), hits AS (
			(SELECT v.id, v.handle, v.host_name, 0 AS seq, v.started_at AS at, '' AS role,
				v.name || ' in ' || v.working_dir AS text, 0 AS rank
			FROM visible v
			WHERE strpos(lower(v.handle || ' ' || v.name || ' ' || v.working_dir), lower($2)) > 0
			ORDER BY v.started_at DESC
			LIMIT $3)
			UNION ALL
			(SELECT v.id, v.handle, v.host_name, e.seq, e.at, coalesce(`+roleOf+`, ''),
				event_text(e.kind, e.body), 1
			FROM events e JOIN visible v ON v.id = e.session_id
			WHERE e.kind IN `+transcriptKinds+` AND `+eventWords+` @@ (SELECT query FROM words)
			ORDER BY e.at DESC
			LIMIT $3)
			ORDER BY rank, at DESC
			LIMIT $3
		)
		SELECT id, handle, host_name, seq, at, role,
			ts_headline('simple', text, (SELECT query FROM words), 'MaxWords=30, MinWords=10, StartSel="", StopSel=""')
		FROM hits
		ORDER BY rank, at DESC`, user, query, limit)
	hits, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (fleet.Hit, error) {
		var h fleet.Hit
		err := row.Scan(&h.Session, &h.Handle, &h.HostName, &h.Seq, &h.At, &h.Role, &h.Snippet)
		return h, err
	})
	return hits, explain("search", err)
}
