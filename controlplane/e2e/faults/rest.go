package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/e2e/harness"
)

// After the last fault all must come to rest while answers are given as they are asked for. Messages wait for their
// turns, and the real CLI takes one in a second, so that it counts how long nothing has moved.
const (
	restWithin = 90 * time.Second
	restSteady = 2 * time.Second // nothing may change any more for so long
	// knownWithin is how soon after the last fault it is known of each command what it did: what trust.md asks for, and
	// the time that hosts may take to come back.
	knownWithin = 30 * time.Second
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
		w.answerDialogs(ctx)
		left, err := w.unrest(ctx)
		if err != nil {
			left = err.Error()
		}
		if left != last {
			last, steady = left, time.Now()
		}
		if strings.Contains(left, unknown) && time.Since(began) > knownWithin {
			found = append(found[:0], violation{rule: "an unknown outcome is known soon", what: left})
		}
		if left == "" && time.Since(steady) > restSteady {
			took = time.Since(began) - restSteady
			found = append(found, w.probe(ctx)...)
			w.hearOut(ctx)
			return took, found
		}
		wait(ctx, 300*time.Millisecond)
	}
	return time.Since(began), append(found, violation{rule: "all comes to rest", what: last})
}

// probe sends each session that lives a last message: all of them must listen.
func (w *world) probe(ctx context.Context) (found []violation) {
	for _, s := range w.sessions {
		if !s.lives() {
			continue
		}
		text := fmt.Sprintf("say number %d", w.unique())
		if w.plan.real {
			text = "fake:text still here"
		}
		a := w.send(ctx, s, text, w.newKey(), false)
		err := harness.Await(ctx, "the probe to be accepted", func(ctx context.Context) (bool, error) {
			var status string
			err := w.inDatabase(ctx, func(db *pgx.Conn) error {
				return db.QueryRow(ctx, `
					SELECT m.status || ' ' || s.state FROM messages m JOIN sessions s ON s.id = m.session_id WHERE m.id = $1`, a.message).Scan(&status)
			})
			return status == "accepted idle", errors.Join(err, errors.New("it is "+status))
		})
		if err != nil {
			found = append(found, violation{"a session that lives listens", a.String() + ": " + err.Error(), nil})
		}
	}
	return found
}

// hearOut waits until the hosts have told what the agents wrote last, which may be a moment after they are idle. What is not
// told by then is a violation.
func (w *world) hearOut(ctx context.Context) {
	steady, last := time.Now(), ""
	for deadline := time.Now().Add(knownWithin); time.Now().Before(deadline) && time.Since(steady) < restSteady; wait(ctx, 300*time.Millisecond) {
		now, err := w.told(ctx)
		if err != nil || now == "" || now != last {
			steady, last = time.Now(), now
		}
	}
}

// told says how far the hosts have told what they keep; empty if not to the end.
func (w *world) told(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var sessions []sessionRow
	err := w.inDatabase(ctx, func(db *pgx.Conn) (err error) {
		sessions, err = readSessions(ctx, db)
		return err
	})
	if err != nil {
		return "", err
	}
	var far string
	for _, s := range sessions {
		kept, err := w.hostNamed(s.Host).events(s.ID)
		if err != nil || int64(len(kept)) != s.LastSeq {
			return "", err
		}
		far += fmt.Sprintln(s.ID, s.LastSeq)
	}
	return far, nil
}

// answerDialogs does at the terminal what a person has to who is asked there only: while a disk is full, no hook is taken.
func (w *world) answerDialogs(ctx context.Context) {
	var asked []string
	err := w.inDatabase(ctx, func(db *pgx.Conn) (err error) {
		rows, _ := db.Query(ctx, `
			SELECT id FROM sessions s
			WHERE state = 'waiting' AND state_at < now() - interval '3 seconds'
				AND NOT EXISTS (SELECT FROM prompts p WHERE p.session_id = s.id AND p.status <> 'settled' AND p.prompt ?| ARRAY['options', 'allows_text'])`)
		asked, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return
	}
	for _, session := range asked {
		w.atTerminal(session, allow)
	}
}

// unknown is what unrest calls a command of which nobody knows what it did.
const unknown = "outcomes unknown"

// unrest says what is under way; empty for nothing.
func (w *world) unrest(ctx context.Context) (left string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err = w.inDatabase(ctx, func(db *pgx.Conn) (err error) {
		left, err = readUnrest(ctx, db)
		return err
	})
	return left, err
}

func readUnrest(ctx context.Context, db *pgx.Conn) (string, error) {
	var left string
	for _, question := range []struct{ what, query string }{
		{"hosts away", `SELECT count(*), coalesce(min(name), '') FROM hosts WHERE away_since IS NOT NULL`},
		{"messages under way", `SELECT count(*), coalesce(min(session_id || ' ' || id || ' ' || status || ' ' || detail), '') FROM messages WHERE status IN ('queued', 'delivered')`},
		{unknown, `SELECT count(*), coalesce(min(session_id || ' ' || id || ' ' || detail), '') FROM messages WHERE status = 'queued' AND (detail LIKE 'outcome unknown%' OR detail LIKE 'on its way%')`},
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
