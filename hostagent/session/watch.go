package session

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

const (
	// lookEvery is how often the transcript and the status file are looked at while something happens.
	lookEvery = 100 * time.Millisecond
	// livelyFor is how long after the last news something still happens: longer than any evidence waits for a
	// better one, and than the tries of an interruption take.
	livelyFor = 5 * time.Second
	// quietEvery is how often they are looked at when nothing happens, should a change have gone unnoticed.
	quietEvery = time.Second
	// idleEvery is the same while the agent is idle and the system tells of its files. What an agent begins it reports by a
	// hook, and what a person types is in the journal.
	idleEvery = 15 * time.Second
)

// watch looks whenever something happened, and from time to time.
func (s *session) watch(ctx context.Context, entries <-chan holder.Entry) error {
	files := attention{watches: s.watches, news: make(chan struct{}, 1)}
	defer files.end()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var looked time.Time
	last := s.now() // news
	for {
		files.follow(s.files())
		timer.Reset(s.due(looked, last, files.blind).Sub(s.now()))
		var news []holder.Entry
		select {
		case entry, ok := <-entries:
			if !ok {
				return errRunOver
			}
			news = append(news, entry)
			for more := len(entries); more > 0; more-- {
				news = append(news, <-entries)
			}
		case <-files.news:
			last = s.now()
			continue // at once, but for an agent that writes all the time
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		before := s.seen()
		err := s.look(news)
		if err != nil {
			s.logger.Error("session evidence not taken in", "err", err)
		}
		looked = s.now()
		if len(news) > 0 || err != nil || s.seen() != before {
			last = looked
		}
	}
}

// files are those in which the agent writes about itself now; an empty name for one that is not known yet.
func (s *session) files() (status, transcript string) {
	s.view(func(f *fold) { status, transcript = s.kind.StatusFile(f.process), f.lastTranscript() })
	return status, transcript
}

// due is when the next look is due after one. Idle sessions look all at the same moments, so that the host agent wakes up
// once for all of them.
func (s *session) due(looked, news time.Time, blind bool) time.Time {
	var idle, behind bool
	s.view(func(f *fold) {
		idle = f.session.State == protocol.StateIdle && len(f.running) == 0
		behind = f.behind && !s.stuck
	})
	switch {
	case behind:
		return looked
	case s.now().Sub(news) < livelyFor:
		return looked.Add(lookEvery)
	case idle && !blind:
		return looked.Add(idleEvery).Truncate(idleEvery)
	}
	return looked.Add(quietEvery)
}

// seen is what the evidence has said so far.
type seen struct {
	position
	status agentkind.Status
	last   uint64 // seq of the last event
}

func (s *session) seen() seen {
	var now seen
	s.view(func(f *fold) { now = seen{f.position, f.status, f.session.LastSeq} })
	return now
}

// attention is one session's watches on its agent's files.
type attention struct {
	watches            *watches
	news               chan struct{}
	status, transcript *watch
	blind              bool // there are files that the system does not tell of
}

// follow watches these files from now on. The status file may be replaced, so its directory is watched, which holds
// few others. The transcript's may hold very many, and on macOS each of them would be opened; that file is only
// added to, and does not exist before the agent's first hook has named it.
func (a *attention) follow(status, transcript string) {
	a.blind = false
	a.status = a.renew(a.status, status, filepath.Dir(status))
	a.transcript = a.renew(a.transcript, transcript, transcript)
}

func (a *attention) renew(old *watch, file, place string) *watch {
	if old != nil && old.file == filepath.Clean(file) && a.watches.holds(old) {
		return old
	}
	a.watches.remove(old)
	if file == "" {
		return nil
	}
	now, err := a.watches.add(file, place, a.news)
	if err != nil {
		a.blind = a.blind || !errors.Is(err, fs.ErrNotExist)
		return nil
	}
	ring(a.news) // the file may have changed since it was last looked at
	return now
}

func (a *attention) end() {
	a.watches.remove(a.status)
	a.watches.remove(a.transcript)
}
