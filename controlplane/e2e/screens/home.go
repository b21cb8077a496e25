package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"switchboard/controlplane/e2e/claudecli"
	"switchboard/controlplane/e2e/model"
	"switchboard/controlplane/e2e/project"
)

// home is where the programs run: always the same names, the same files, the same dates.
type home struct {
	dir      string
	claude   claudecli.Home
	endpoint *model.Endpoint
}

//go:embed files
var files embed.FS

func (h *home) project() string { return filepath.Join(h.dir, "web-app") }

func (h *home) make(ctx context.Context) error {
	if err := os.MkdirAll(h.dir, 0o755); err != nil {
		return fmt.Errorf("make a home: %w", err)
	}
	if err := project.Make(ctx, h.project()); err != nil {
		return err
	}
	if err := h.copyFiles(); err != nil {
		return fmt.Errorf("make a home: %w", err)
	}
	cli, err := claudecli.Find(os.Getenv)
	if err != nil {
		return err
	}
	h.claude = claudecli.Home{Dir: h.dir, CLI: cli}
	if err := h.claude.Seed(h.project()); err != nil {
		return err
	}
	h.endpoint, err = new(model.Server).Start(ctx, "127.0.0.1:0")
	return err
}

// copyFiles puts the files that the programs show into the project, and gives all of it one date.
func (h *home) copyFiles() error {
	from, err := fs.Sub(files, "files")
	if err != nil {
		return err
	}
	if err := os.CopyFS(h.project(), from); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(h.project(), "tmux.conf"), filepath.Join(h.dir, ".tmux.conf")); err != nil {
		return err
	}
	date := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	return filepath.WalkDir(h.project(), func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, date, date))
	})
}

func (h *home) environment() []string {
	return append(h.claude.Environment(h.endpoint.URL, "/usr/local/bin:/usr/bin:/bin"),
		"SHELL=/bin/bash", "USER=sam", "PS1=$ ", "HISTFILE=/dev/null", "TZ=UTC", "LESSHISTFILE=-", "EDITOR=nano")
}

func (h *home) close() { _ = h.endpoint.Close() }
