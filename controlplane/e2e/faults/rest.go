package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// After the last fault all must come to rest while answers are given as they are asked for. Messages wait for their
// turns, and the real CLI takes one in a second, so that it counts how long nothing has moved.
const (
	restWithin = 90 * time.Second
	restSteady = 2 * time.Second // nothing may change any more for so long
)

// rest waits until nothing is under way, and says how long that took.
func (w *world) rest(ctx context.Context) (took time.Duration, found []violation) {
	began := time.Now()
	var last string
	steady := time.Now()
	for time.Since(steady) < restWithin && ctx.Err() == nil {
		for _, p := range w.prompts(ctx) {
			w.answer(ctx, p, true)
		}
		left, err := w.unrest(ctx)
		if err != nil {
			left = err.Error()
		}
		if left != last {
			last, steady = left, time.Now()
		}
		if left == "" && time.Since(steady) > restSteady {
			return time.Since(began) - restSteady, nil
		}
		wait(ctx, 300*time.Millisecond)
	}
	return time.Since(began), []violation{{rule: "all comes to rest", what: last}}
}

// unrest says what is under way; empty for nothing.
func (w *world) unrest(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	db, err := pgx.Connect(ctx, w.postgres.URL())
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close(ctx) }()
	var left string
	for _, question := range []struct{ what, query string }{
		{"hosts away", `SELECT count(*), coalesce(min(name), '') FROM hosts WHERE away_since IS NOT NULL`},
		{"messages under way", `SELECT count(*), coalesce(min(session_id || ' ' || id || ' ' || status || ' ' || detail), '') FROM messages WHERE status IN ('queued', 'delivered')`},
		{"prompts open", `SELECT count(*), coalesce(min(p.session_id || ' ' || p.id || ' ' || p.status), '') FROM prompts p JOIN sessions s ON s.id = p.session_id WHERE p.status <> 'settled'`},
		{"sessions busy", `SELECT count(*), coalesce(min(id || ' ' || state || ' ' || evidence), '') FROM sessions WHERE state NOT IN ('idle', 'exited')`},
	} {
		var count int
		var example string
		if err := db.QueryRow(ctx, question.query).Scan(&count, &example); err != nil {
			return "", err
		}
		if count > 0 {
			left += fmt.Sprintf("%s: %d (%s); ", question.what, count, example)
		}
	}
	return left, nil
}
