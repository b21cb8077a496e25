package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"switchboard/controlplane/e2e/harness"
)

// keepSecret remembers what is to be found nowhere in the end.
func (w *world) keepSecret(what, secret string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.secrets == nil {
		w.secrets = map[string]string{}
	}
	if secret != "" {
		w.secrets[secret] = what
	}
}

// keepHostKey remembers the seed of the host's key, which only its own file may hold.
func (w *world) keepHostKey(h *host) error {
	return filepath.WalkDir(h.diskDir(), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if seed := strings.TrimSpace(string(text)); err == nil && strings.HasPrefix(seed, "SU") && !strings.Contains(seed, "\n") {
			w.keepSecret("a host's key", seed)
		}
		return err
	})
}

// checkSecrets: what proves who one is stands in no log, no answer, no table and no process's arguments.
func (w *world) checkSecrets(f facts) (found []violation) {
	for secret, what := range w.secrets {
		for place, text := range f.texts {
			if strings.Contains(text, secret) {
				found = append(found, violation{"no secret shows", what + " in " + place, nil})
			}
		}
	}
	return found
}

// readable is everything that somebody might read who is not meant to know a secret, by its place.
func (w *world) readable(ctx context.Context, db *pgx.Conn) (map[string]string, error) {
	texts := map[string]string{}
	for _, p := range w.parts() {
		texts["the output of "+p.name] = p.output()
	}
	for _, h := range w.hosts {
		logs, err := filepath.Glob(filepath.Join(h.sessionsDir(), "*", "holder.log"))
		if err != nil {
			return nil, err
		}
		for _, path := range logs {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			texts[path] = string(text)
		}
	}
	leftovers, err := harness.Leftovers(w.dir)
	if err != nil {
		return nil, err
	}
	texts["the processes' arguments"] = fmt.Sprint(leftovers)
	var answers strings.Builder
	for _, a := range w.history.acts {
		for _, t := range a.tries {
			answers.WriteString(t.detail + "\n")
		}
	}
	texts["what callers were told"] = answers.String()
	return texts, w.readTables(ctx, db, texts)
}

func (w *world) readTables(ctx context.Context, db *pgx.Conn, texts map[string]string) error {
	rows, _ := db.Query(ctx, `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, table := range slices.Compact(tables) {
		name := pgx.Identifier{table}.Sanitize()
		var text string
		if err := db.QueryRow(ctx, `SELECT coalesce(string_agg(t::text, E'\n'), '') FROM `+name+` t`).Scan(&text); err != nil {
			return err
		}
		texts["table "+table] = text
	}
	return nil
}
