// Package session is the life of coding agents in terminals: it starts them, derives from evidence what they do,
// types messages into them and answers their questions.
//
// A session's journal (package holder) is the one ordered log of what happened. The fold makes events of it,
// together with what the agent writes about itself, and the event log keeps them on disk until the control plane
// has them. Everything in memory can be derived again, so that this process may be killed at any time.
package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
)

// Manager runs all sessions of a host. Dir, Self, Policy and Kinds must be set.
type Manager struct {
	Dir     string           // holds one directory per session; sockets lie in them, so a short path
	Self    string           // path of the hostagent program, which is also holder and hook
	Policy  policy.Policy    // what the host's owner allows when it is opened; see SetPolicy
	Kinds   []agentkind.Kind // agents that can be started
	Environ []string         // what agents get their environment from; nil: this process's own
	Log     *slog.Logger     // nil: nowhere
	Now     func() time.Time // nil: the clock
	Boot    string           // names the time since the machine was started; empty: what the system calls it

	creating lock           // one start at a time, so that the policy's limit holds
	group    sync.WaitGroup // the goroutine of each session that is followed
	stop     context.CancelFunc
	running  context.Context // ends when Close is called
	lock     *os.File
	inForce  atomic.Pointer[policy.Policy] // nil: Policy
	changed  chan struct{}
	offers   chan struct{}
	watches  *watches

	mu         sync.Mutex // guards the fields below
	sessions   map[protocol.SessionID]*session
	unreadable map[protocol.SessionID]protocol.Session // as far as is known
}

// Open finds the sessions on disk and follows those that live. Only one manager at a time may have a directory.
// Call it before anything else, and once.
func (m *Manager) Open(ctx context.Context) error {
	m.defaults()
	if err := os.MkdirAll(m.Dir, 0o700); err != nil {
		return fmt.Errorf("making the sessions' directory: %w", err)
	}
	if err := m.lockDir(); err != nil {
		return err
	}
	if err := m.Policy.PutInForce(m.Dir); err != nil {
		return errors.Join(err, m.unlockDir())
	}
	m.watches = newWatches(m.Log)
	m.running, m.stop = context.WithCancel(context.WithoutCancel(ctx))
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return errors.Join(fmt.Errorf("listing the sessions: %w", err), m.Close())
	}
	for _, entry := range entries {
		id, err := protocol.ParseSessionID(entry.Name())
		if err != nil || !exists(filepath.Join(m.Dir, entry.Name(), birthFile)) {
			continue // not a session, or one that was never begun
		}
		if err := m.reload(id); err != nil {
			// One session that cannot be read must not take the others away.
			m.Log.Error("session not opened", "session", id, "err", err)
			m.cannotRead(id, err)
		}
	}
	return nil
}

func (m *Manager) defaults() {
	if m.Log == nil {
		m.Log = slog.New(slog.DiscardHandler)
	}
	if m.Now == nil {
		m.Now = time.Now
	}
	if m.Environ == nil {
		m.Environ = os.Environ()
	}
	if m.Boot == "" {
		m.Boot = holder.Boot()
	}
	m.creating = newLock()
	m.changed, m.offers = make(chan struct{}, 1), make(chan struct{}, 1)
	m.sessions, m.unreadable = map[protocol.SessionID]*session{}, map[protocol.SessionID]protocol.Session{}
}

// lockDir keeps a second host agent from writing the same event logs. The lock goes with the process.
func (m *Manager) lockDir() error {
	file, err := os.OpenFile(filepath.Join(m.Dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("locking the sessions' directory: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("another host agent runs with %s: %w", m.Dir, err), file.Close())
	}
	m.lock = file
	return nil
}

// unlockDir lets go at once. Closing alone would not: a program that is just being started has the file open too, until
// it runs.
func (m *Manager) unlockDir() error {
	return errors.Join(syscall.Flock(int(m.lock.Fd()), syscall.LOCK_UN), m.lock.Close())
}

// Close stops following. The sessions live on. Closing again does nothing.
func (m *Manager) Close() error {
	if m.stop == nil {
		return nil
	}
	m.stop()
	m.stop = nil
	m.group.Wait()
	var err error
	for _, s := range m.all() {
		err = errors.Join(err, s.log.close())
	}
	return errors.Join(err, m.watches.close(), m.unlockDir())
}

// reload opens a session that an earlier host agent has begun.
func (m *Manager) reload(id protocol.SessionID) error {
	s, err := m.openSession(m.dir(id))
	if err != nil {
		return err
	}
	s.found = !s.exited()
	m.add(s)
	return nil
}

// load opens a session that was begun just now.
func (m *Manager) load(id protocol.SessionID) (*session, error) {
	s, err := m.openSession(m.dir(id))
	if err != nil {
		return nil, err
	}
	m.add(s)
	return s, nil
}

// add has the session known from now on, and follows it if it may live.
func (m *Manager) add(s *session) {
	m.mu.Lock()
	m.sessions[s.id] = s
	m.mu.Unlock()
	m.tell()
	m.start(s)
}

// start follows a session's run until it is over.
func (m *Manager) start(s *session) {
	m.group.Go(func() { s.follow(m.running) })
}

func (m *Manager) dir(id protocol.SessionID) string { return filepath.Join(m.Dir, string(id)) }

func (m *Manager) tell() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// Changed has a value when some session has new events. It is never closed.
func (m *Manager) Changed() <-chan struct{} { return m.changed }

func (m *Manager) all() []*session {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]*session, 0, len(m.sessions))
	for _, s := range m.sessions {
		all = append(all, s)
	}
	return all
}

// session finds one that this host has.
func (m *Manager) session(id protocol.SessionID) (*session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sessions[id]
	if _, damaged := m.unreadable[id]; damaged {
		return nil, protocol.Errorf(protocol.CodeUnavailable, "what this host kept of session %s is damaged; the host agent's log says where", id)
	}
	if s == nil {
		return nil, protocol.Errorf(protocol.CodeNotFound, "this host has no session %.50q", id)
	}
	return s, nil
}

// Sessions lists every session of this host, ended ones too, oldest first.
func (m *Manager) Sessions() []protocol.Session {
	var sessions []protocol.Session
	for _, s := range m.all() {
		sessions = append(sessions, s.state())
	}
	sessions = append(sessions, m.damaged()...)
	slices.SortFunc(sessions, func(a, b protocol.Session) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.ID, b.ID))
	})
	return sessions
}

// Events reads up to most of a session's events with seq > after, from disk.
func (m *Manager) Events(id protocol.SessionID, after uint64, most int) ([]protocol.Event, error) {
	s, err := m.session(id)
	if err != nil {
		return nil, err
	}
	return s.log.events(after, most)
}

// begin is what every command that changes something starts with.
func (m *Manager) begin(id protocol.SessionID, act protocol.Act) (*session, error) {
	if err := m.accepts(act); err != nil {
		return nil, err
	}
	return m.session(id)
}

// accepts says whether a command is whole, and in the name of somebody for whom this host acts. That it is in time has
// been seen to by who received it.
func (m *Manager) accepts(act protocol.Act) error {
	if act.Command == "" {
		return protocol.Errorf(protocol.CodeInvalid, "the command has no command_id")
	}
	if err := m.rules().Person(act.Actor); err != nil {
		return fromPolicy(err)
	}
	return nil
}
