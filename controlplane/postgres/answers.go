package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"switchboard/auth/audit"
	"switchboard/controlplane/fleet"
)

// usedAnswer is an answer that a record of the audit chain uses up. Nil stands for none.
type usedAnswer struct {
	fleet.Answer
	before bool // it had been used; known when the chain is locked
}

func use(a fleet.Answer) *usedAnswer {
	if a.ID == "" {
		return nil
	}
	return &usedAnswer{Answer: a}
}

// spent reports whether the answer had been used before.
func (u *usedAnswer) spent() bool { return u != nil && u.before }

// useAnswer queues that the record's answer is used up. If it had been, be it by another record of the same
// transaction, the record becomes that of a refusal. It does not fail then, since others share the transaction.
func (r *pendingRecord) useAnswer(begin *pgx.Batch) {
	if r.answer == nil {
		return
	}
	begin.Queue(`
		INSERT INTO used_answers (id, expires_at) VALUES ($1, $2)
		ON CONFLICT (id) DO NOTHING`, r.answer.ID, r.answer.Expires).Exec(func(tag pgconn.CommandTag) error {
		r.answer.before = tag.RowsAffected() == 0
		if r.answer.before {
			r.event.Allowed = false
			r.event.Detail["refused"] = fleet.ErrAnswered.Error()
		}
		return nil
	})
}

// RecordAnswered implements fleet.AnswerStore.
func (db *DB) RecordAnswered(ctx context.Context, record audit.Event, a fleet.Answer) error {
	answer := use(a)
	err := db.chain.append(ctx, &pendingRecord{event: storable(record), answer: answer})
	if err != nil {
		return explain("use an answer and write its audit record", err)
	}
	if answer.spent() {
		return fleet.ErrAnswered
	}
	return nil
}

// DeleteAnswers implements fleet.AnswerStore.
func (db *DB) DeleteAnswers(ctx context.Context, expired time.Time) error {
	return db.change(ctx, "delete old answers", `DELETE FROM used_answers WHERE expires_at < $1`, expired)
}
