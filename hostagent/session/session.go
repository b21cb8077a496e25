package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// session is one agent in one terminal: the fold of its evidence, its event log, and while it lives, those who
// look and type.
type session struct {
	id     protocol.SessionID
	dir    string
	kind   agentkind.Kind
	log    *eventLog
	logger *slog.Logger
	now    func() time.Time
	told   func() // some session has new events

	watches *watches

	acting lock   // one command at a time; guards the fields below
	noted  uint64 // N of the last note that a message left

	deciding lock // whether a message is typed or taken back is decided by one at a time

	typing   lock       // one writer to the terminal at a time; guards the fields below
	stashing *time.Time // a person's last input before the keys that put his draft aside; nil: that is done, or was not begun
	stashed  time.Time  // when these keys were sent

	handed chan handed // to the deliverer, who takes one only when he has nothing else to do
	looked ahead       // the deliverer's
	aside  bool        // a person's draft was put aside, and comes back by itself at the next submit; the deliverer's

	searched time.Time // when it was looked for subagents' transcripts; of who looks

	mu      sync.Mutex // guards the fields below
	birth   birth
	fold    *fold
	visible protocol.Session       // as the events on disk say
	changed chan struct{}          // closed at the next change
	running bool                   // a run is followed
	found   bool                   // the run was there before this process, and its holder has not been met yet
	unsent  []step                 // told, not yet on disk
	stuck   bool                   // it could not be written
	freed   map[holder.HookID]bool // held hooks that were released
	closing protocol.PromptID      // a form that is being closed, so that an answer can go in that one's place
}

// openSession reads what is on disk and derives the rest.
func (m *Manager) openSession(dir string) (*session, error) {
	b, err := readBirth(dir)
	if err != nil {
		return nil, err
	}
	kind, ok := agentkind.Find(m.Kinds, b.Agent)
	if !ok {
		return nil, fmt.Errorf("session %s: unknown agent %q", b.Session, b.Agent)
	}
	log, steps, err := openEventLog(dir)
	if err != nil {
		return nil, err
	}
	s := &session{
		id: b.Session, dir: dir, kind: kind, log: log, logger: m.Log.With("session", b.Session), now: m.Now, told: m.tell,
		watches: m.watches, handed: make(chan handed), acting: newLock(), deciding: newLock(), typing: newLock(), birth: b, fold: newFold(b, kind, m.rules()), changed: make(chan struct{}), freed: map[holder.HookID]bool{},
	}
	s.fold.bootNow = m.Boot
	s.fold.process.Getenv = m.getenv
	if err := s.restore(steps); err != nil {
		return nil, errors.Join(err, log.close())
	}
	return s, nil
}

// restore brings the fold to where the event log ends, without telling anything again, and then on to where the
// journal ends.
func (s *session) restore(steps []step) error {
	entries, err := holder.ReadJournal(s.dir, 0)
	if err != nil {
		return fmt.Errorf("session %s: %w", s.id, err)
	}
	entries = s.fold.replay(entries, steps, s.misread)
	s.visible = s.fold.session
	if s.log.lastSeq() == 0 {
		s.fold.tell(s.fold.session.StateAt, protocol.EventSession, s.fold.session)
	}
	// Nothing may be done to the session before all that an earlier process did to it is known.
	return s.look(entries)
}

// misread is told of journal entries that cannot be understood.
func (s *session) misread(err error) {
	if err != nil {
		s.logger.Error("journal entry not understood", "err", err)
	}
}

// look takes in what happened since the last time: journal entries first, because they say which transcript to
// read, then the transcript, the agent's status, and time. Only one goroutine may look at a time.
func (s *session) look(entries []holder.Entry) error {
	s.mu.Lock()
	for _, e := range entries {
		s.misread(s.fold.apply(e))
		s.gather()
	}
	process := s.fold.process
	s.mu.Unlock()

	search := len(entries) > 0 || s.now().Sub(s.searched) >= subagentsEvery
	if search {
		s.searched = s.now()
	}
	behind := s.isStuck() || s.readTranscripts(search) // what cannot be kept is not read
	status, hasStatus := s.kind.ReadStatus(process)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.fold.behind = behind
	deaf := s.fold.deaf()
	now := s.now().UTC().Truncate(time.Millisecond)
	switch {
	case s.fold.process.PID != process.PID: // another run has begun
	case hasStatus:
		s.fold.observeStatus(status, now)
	default:
		s.fold.missStatus(now)
	}
	s.fold.tick(now)
	if len(entries) > 0 || s.fold.deaf() != deaf {
		defer s.signal()
	}
	return s.keep()
}

// gather moves what the fold has told to the steps that go to disk.
func (s *session) gather() {
	if step, ok := s.fold.take(); ok {
		s.unsent = append(s.unsent, step)
	}
}

// keep writes to disk what was told, and only then shows it. What cannot be written is tried again at the next
// look.
func (s *session) keep() error {
	s.gather()
	if len(s.unsent) == 0 {
		return nil
	}
	defer s.signal()
	err := s.log.append(s.unsent)
	if s.stuck = err != nil; s.stuck {
		return err
	}
	s.unsent = nil
	s.visible = s.fold.session
	s.told()
	return nil
}

func (s *session) isStuck() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stuck
}

// signal wakes who waits for a change. The caller holds mu.
func (s *session) signal() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// until waits for a condition on the session, which is tested under its lock after each look.
func (s *session) until(ctx context.Context, met func(*fold) bool) error {
	for {
		s.mu.Lock()
		ok, changed := met(s.fold), s.changed
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// note appends to the journal and waits until the session has taken it in.
func (s *session) note(ctx context.Context, client *holder.Client, kind string, body any) error {
	n, err := client.Append(ctx, kind, body)
	if err != nil {
		return fmt.Errorf("noting %s: %w", kind, err)
	}
	return s.until(ctx, func(f *fold) bool { return f.position.Journal >= n })
}

// state is the session as others may see it.
func (s *session) state() protocol.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.visible
}

// born is what the session was asked to be.
func (s *session) born() birth {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.birth
}

// view reads from the fold.
func (s *session) view(read func(*fold)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	read(s.fold)
}

func (s *session) exited() bool {
	var exited bool
	s.view(func(f *fold) { exited = f.session.ExitedAt != nil })
	return exited
}

func (s *session) recording() string { return holder.RecordingPath(s.dir) }
