package session

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// watches tell sessions that their agents' files have changed. They are a way to notice sooner, not the way to
// notice at all: the system may have none left, or not see what changes on a network's disk. All sessions of a host
// share one watcher, since Linux allows a user few of them (128).
type watches struct {
	watcher *fsnotify.Watcher // nil: the system gives none
	group   sync.WaitGroup
	placing sync.Mutex // one call of the watcher at a time; never held by tell, on which a call may wait

	mu    sync.Mutex // guards the fields below
	all   map[*watch]bool
	users map[string]int // how many watches each place has
}

// watch is one session's wish to hear of one file.
type watch struct {
	file  string
	place string          // what the system watches: the file, or its directory, where it may appear or be replaced
	news  chan<- struct{} // gets a value when the file has changed, unless it has one
}

// newWatches without a watcher work, and tell nothing.
func newWatches(log *slog.Logger) *watches {
	w := &watches{all: map[*watch]bool{}, users: map[string]int{}}
	var err error
	if w.watcher, err = fsnotify.NewWatcher(); err != nil {
		log.Warn("agents' files are not watched, but looked at from time to time", "err", err)
		return w
	}
	w.group.Go(func() { w.tell(log) })
	return w
}

func (w *watches) close() error {
	if w.watcher == nil {
		return nil
	}
	err := w.watcher.Close()
	w.group.Wait()
	return err
}

// tell passes on what the system says, until the watcher is closed.
func (w *watches) tell(log *slog.Logger) {
	for {
		select {
		case event, ok := <-w.watcher.Events:
			if !ok {
				return
			}
			w.changed(event)
		case err, ok := <-w.watcher.Errors:
			if !ok {
				return
			}
			log.Warn("some changes of agents' files not noticed at once", "err", err)
		}
	}
}

func (w *watches) changed(event fsnotify.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lost := event.Has(fsnotify.Remove) || event.Has(fsnotify.Rename)
	for watch := range w.all {
		if watch.file == event.Name || watch.place == event.Name {
			ring(watch.news)
		}
		if lost && watch.place == event.Name {
			delete(w.all, watch) // the system has let go of it, too
			delete(w.users, watch.place)
		}
	}
}

func ring(news chan<- struct{}) {
	select {
	case news <- struct{}{}:
	default:
	}
}

// errUnwatched: the system gives no watcher.
var errUnwatched = errors.New("no files can be watched")

// add begins a watch. Its error is fs.ErrNotExist while the place is not there.
func (w *watches) add(file, place string, news chan<- struct{}) (*watch, error) {
	if w.watcher == nil {
		return nil, errUnwatched
	}
	added := &watch{file: filepath.Clean(file), place: filepath.Clean(place), news: news}
	w.placing.Lock()
	defer w.placing.Unlock()
	if err := w.watcher.Add(added.place); err != nil {
		return nil, fmt.Errorf("watching %s: %w", added.place, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all[added] = true
	w.users[added.place]++
	return added, nil
}

// holds reports whether the watch still stands: the system lets go of a place that is removed or renamed.
func (w *watches) holds(watch *watch) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all[watch]
}

// remove ends a watch. One that does not stand any more, or nil, is no error.
func (w *watches) remove(watch *watch) {
	w.placing.Lock()
	defer w.placing.Unlock()
	if w.forget(watch) {
		_ = w.watcher.Remove(watch.place) // it may have gone in this moment
	}
}

// forget reports whether the watch was its place's last.
func (w *watches) forget(watch *watch) (last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.all[watch] {
		return false
	}
	delete(w.all, watch)
	w.users[watch.place]--
	if w.users[watch.place] > 0 {
		return false
	}
	delete(w.users, watch.place)
	return true
}
