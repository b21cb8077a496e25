package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/fleet"
)

const templates = `
	SELECT t.name, t.description, coalesce(t.host_id, ''), coalesce(h.name, ''), t.working_dir, t.agent,
		t.permission_mode, t.message, t.created_by, t.created_at
	FROM templates t
	LEFT JOIN hosts h ON h.id = t.host_id`

func scanTemplate(row pgx.CollectableRow) (fleet.Template, error) {
	var t fleet.Template
	err := row.Scan(&t.Name, &t.Description, &t.Host, &t.HostName, &t.WorkingDir, &t.Agent,
		&t.PermissionMode, &t.Message, &t.CreatedBy, &t.CreatedAt)
	return t, err
}

// Templates implements fleet.TemplateStore.
func (db *DB) Templates(ctx context.Context) ([]fleet.Template, error) {
	rows, _ := db.pool.Query(ctx, templates+` ORDER BY t.name`)
	found, err := pgx.CollectRows(rows, scanTemplate)
	return found, explain("read templates", err)
}

// Template implements fleet.TemplateStore.
func (db *DB) Template(ctx context.Context, name string) (fleet.Template, error) {
	rows, _ := db.pool.Query(ctx, templates+` WHERE t.name = $1`, name)
	template, err := pgx.CollectExactlyOneRow(rows, scanTemplate)
	return template, explain("read a template", err)
}

// SaveTemplate implements fleet.TemplateStore.
func (db *DB) SaveTemplate(ctx context.Context, t fleet.Template) error {
	_, err := db.pool.Exec(ctx, `
		INSERT INTO templates (name, description, host_id, working_dir, agent, permission_mode, message, created_by, created_at)
		VALUES ($1, $2, nullif($3, ''), $4, $5, $6, $7, $8, $9)
		ON CONFLICT (name) DO UPDATE SET description = excluded.description, host_id = excluded.host_id,
			working_dir = excluded.working_dir, agent = excluded.agent,
			permission_mode = excluded.permission_mode, message = excluded.message`,
		t.Name, t.Description, string(t.Host), t.WorkingDir, t.Agent, t.PermissionMode, t.Message, t.CreatedBy, t.CreatedAt)
	return explain("keep a template", err)
}

// RemoveTemplate implements fleet.TemplateStore.
func (db *DB) RemoveTemplate(ctx context.Context, name string) error {
	tag, err := db.pool.Exec(ctx, `DELETE FROM templates WHERE name = $1`, name)
	if err == nil && tag.RowsAffected() == 0 {
		err = pgx.ErrNoRows
	}
	return explain("remove a template", err)
}
