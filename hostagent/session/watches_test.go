package session

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestWatches: a change of a file is told wherever the file and its directory come from or go to.
func TestWatches(t *testing.T) {
	t.Parallel()
	w := newWatches(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { check(t, w.close()) })
	dir := t.TempDir()
	status, transcript := filepath.Join(dir, "sessions", "1.json"), filepath.Join(dir, "transcript.jsonl")
	files := attention{watches: w, news: make(chan struct{}, 1)}
	defer files.end()
	told := func(what string) {
		t.Helper()
		select {
		case <-files.news:
		case <-time.After(patience):
			t.Fatalf("not told that %s", what)
		}
	}
	write := func(path, text string) {
		t.Helper()
		check(t, os.WriteFile(path, []byte(text), 0o600))
	}

	files.follow(status, transcript)
	if files.status != nil || files.transcript != nil || files.blind {
		t.Errorf("watching what is not there: %+v", files)
	}
	check(t, os.Mkdir(filepath.Dir(status), 0o700))
	write(transcript, "{}\n")
	files.follow(status, transcript)
	told("the files may have changed before they were watched")
	write(status, "{}")
	told("the status was written")
	quieten(files)
	write(status+".new", "{ }")
	check(t, os.Rename(status+".new", status))
	told("the status was replaced")
	write(transcript, "{}\n{}\n")
	told("the transcript was added to")
	quieten(files)

	check(t, os.RemoveAll(filepath.Dir(status)))
	for w.holds(files.status) {
		told("the status directory went away")
	}
	check(t, os.Mkdir(filepath.Dir(status), 0o700))
	files.follow(status, transcript)
	write(status, "{}")
	told("the status was written in a new directory")
	check(t, os.Remove(transcript))
	for w.holds(files.transcript) {
		told("the transcript went away")
	}
}

// quieten takes what was told. More may be told of what happened before, which does no harm.
func quieten(files attention) {
	select {
	case <-files.news:
	default:
	}
}

// TestSharedWatch: sessions share the directory of their agents' status files, and one that ends leaves it to the
// others.
func TestSharedWatch(t *testing.T) {
	t.Parallel()
	w := newWatches(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { check(t, w.close()) })
	dir := t.TempDir()
	file := filepath.Join(dir, "2.json")
	first := attention{watches: w, news: make(chan struct{}, 1)}
	second := attention{watches: w, news: make(chan struct{}, 1)}
	first.follow(filepath.Join(dir, "1.json"), "")
	second.follow(file, "")
	<-second.news
	first.end()
	check(t, os.WriteFile(file, nil, 0o600))
	select {
	case <-second.news:
	case <-time.After(patience):
		t.Fatal("not told of a change")
	}
	second.end()
	if left := w.watcher.WatchList(); len(left) > 0 {
		t.Errorf("still watched: %v", left)
	}
}

// TestWithoutWatcher: the files are looked at more often then.
func TestWithoutWatcher(t *testing.T) {
	t.Parallel()
	w := &watches{all: map[*watch]bool{}, users: map[string]int{}}
	files := attention{watches: w, news: make(chan struct{}, 1)}
	files.follow(filepath.Join(t.TempDir(), "1.json"), "")
	if !files.blind {
		t.Error("counts on being told of changes by nobody")
	}
	files.end()
	check(t, w.close())
}
