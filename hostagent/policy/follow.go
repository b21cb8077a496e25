package policy

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	settleTime = 100 * time.Millisecond // an editor may write a file in several steps
	lookAgain  = 30 * time.Second       // also if nothing tells of a change: it may be a link's target that changed
)

// Follow hands on what the owner's file comes to hold, until ctx ends. A file that cannot be read or understood
// changes nothing: the policy before stays in force, and the log says why.
func Follow(ctx context.Context, path string, put func(Policy) error, log *slog.Logger) {
	changes := make(<-chan fsnotify.Event)
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		defer func() { _ = watcher.Close() }()
		err = watcher.Add(filepath.Dir(path)) // the file may be replaced, or not be there yet
		changes = watcher.Events
	}
	if err != nil {
		log.Warn("the policy's file is not watched, but looked at from time to time", "err", err)
	}
	last := takeIn(path, "", put, log)
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case event := <-changes:
			if filepath.Base(event.Name) != filepath.Base(path) {
				continue
			}
			if !pause(ctx, settleTime) {
				return
			}
		}
		last = takeIn(path, last, put, log)
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// takeIn returns what it has seen, so that nothing is said twice.
func takeIn(path, last string, put func(Policy) error, log *slog.Logger) string {
	text, err := os.ReadFile(path)
	seen := "text: " + string(text)
	if err != nil {
		seen = err.Error()
	}
	if seen == last {
		return last
	}
	p, err := Load(path)
	if err == nil {
		err = put(p)
	}
	if err != nil {
		log.Error("policy not taken over: the one before stays in force", "err", err)
		return seen
	}
	log.Info("policy in force", "file", path, "deny", len(p.Deny), "ask", len(p.Ask))
	return seen
}
