package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

const promptColumns = `
	p.prompt, s.handle, s.host_id, h.name, p.status, coalesce(p.answered_by, ''), coalesce(a.display_name, ''),
	p.answered_at, p.answer, p.settlement`

const promptTables = `
	prompts p
	JOIN sessions s ON s.id = p.session_id
	JOIN hosts h ON h.id = s.host_id AND h.removed_at IS NULL
	LEFT JOIN users a ON a.id = p.answered_by`

func scanPrompt(row pgx.CollectableRow) (fleet.Prompt, error) {
	var p fleet.Prompt
	err := row.Scan(&p.Prompt, &p.Handle, &p.Host, &p.HostName, &p.Status, &p.AnsweredBy, &p.Answerer,
		&p.AnsweredAt, &p.Answer, &p.Settlement)
	return p, err
}

// Prompt implements fleet.PromptStore.
func (db *DB) Prompt(ctx context.Context, id protocol.PromptID) (fleet.Prompt, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+promptColumns+`
		FROM `+promptTables+`
		WHERE p.id = $1`, id)
	prompt, err := pgx.CollectExactlyOneRow(rows, scanPrompt)
	return prompt, explain("read a prompt", err)
}

// OpenPrompts implements fleet.PromptStore: what waits for an answer, or for word of one. An agent that has exited
// waits for nothing, whatever its prompts' rows say.
func (db *DB) OpenPrompts(ctx context.Context, user auth.UserID, host protocol.HostID, session protocol.SessionID) ([]fleet.Prompt, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+promptColumns+`
		FROM `+promptTables+`
		LEFT JOIN host_shares x ON x.host_id = h.id AND x.user_id = $1
		WHERE p.status <> 'settled' AND s.state <> 'exited'
			AND (h.owner_id = $1 OR x.user_id IS NOT NULL)
			AND `+equalIfGiven("s.host_id", "$2", host)+`
			AND `+equalIfGiven("s.id", "$3", session)+`
		ORDER BY p.asked_at, p.id`, user, host, session)
	prompts, err := pgx.CollectRows(rows, scanPrompt)
	return prompts, explain("read open prompts", err)
}

// openOfSession are the prompts that are open in session s, as a list of openPrompt.
const openOfSession = `
	SELECT json_agg(json_build_object('prompt', p.prompt, 'status', p.status, 'answered_by', p.answered_by,
		'answerer', a.display_name, 'answered_at', p.answered_at, 'answer', p.answer) ORDER BY p.asked_at, p.id)
	FROM prompts p LEFT JOIN users a ON a.id = p.answered_by
	WHERE p.session_id = s.id AND p.status <> 'settled'`

// openPrompt is what a session's own row does not say of its prompt.
type openPrompt struct {
	Prompt     protocol.Prompt       `json:"prompt"`
	Status     protocol.PromptStatus `json:"status"`
	AnsweredBy auth.UserID           `json:"answered_by"`
	Answerer   string                `json:"answerer"`
	AnsweredAt *time.Time            `json:"answered_at"`
	Answer     *protocol.Answer      `json:"answer"`
}

func (p openPrompt) of(s fleet.Session) fleet.Prompt {
	return fleet.Prompt{
		Prompt: p.Prompt, Handle: s.Handle, Host: s.Host, HostName: s.HostName, Status: p.Status,
		AnsweredBy: p.AnsweredBy, Answerer: p.Answerer, AnsweredAt: p.AnsweredAt, Answer: p.Answer,
	}
}

// LastPrompt implements fleet.PromptStore.
func (db *DB) LastPrompt(ctx context.Context, session protocol.SessionID) (fleet.Prompt, error) {
	rows, _ := db.pool.Query(ctx, `
		SELECT `+promptColumns+`
		FROM `+promptTables+`
		WHERE p.session_id = $1 AND p.status = 'settled'
		ORDER BY p.settled_at DESC
		LIMIT 1`, session)
	prompt, err := pgx.CollectExactlyOneRow(rows, scanPrompt)
	return prompt, explain("read the prompt that was settled last", err)
}

// ClaimPrompt implements fleet.PromptStore.
func (db *DB) ClaimPrompt(ctx context.Context, c fleet.Claim) (protocol.CommandID, error) {
	var command protocol.CommandID
	err := db.pool.QueryRow(ctx, `
		UPDATE prompts SET status = 'answering', answered_by = $3, answered_at = $4, answer = $5,
			command_id = CASE status WHEN 'answering' THEN command_id ELSE $6 END
		WHERE id = $1 AND prompt->>'digest' = $2
			AND (status = 'asked'
				OR status = 'answering' AND answered_by = $3 AND answer = $5 AND answered_at < $7)
		RETURNING command_id`, c.Prompt, c.Digest, c.By, c.At, c.Answer, c.Command, c.Stale).Scan(&command)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", fleet.ErrConflict
	}
	return command, explain("claim a prompt", err)
}

// ReleasePrompt implements fleet.PromptStore.
func (db *DB) ReleasePrompt(ctx context.Context, c fleet.Claim) error {
	_, err := db.pool.Exec(ctx, `
		UPDATE prompts SET status = 'asked', answered_by = NULL, answered_at = NULL, answer = NULL, command_id = NULL
		WHERE id = $1 AND status = 'answering' AND command_id = $2`, c.Prompt, c.Command)
	return explain("release a prompt", err)
}
