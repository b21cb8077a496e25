package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

const (
	// acknowledgedFile holds the seq up to which the control plane has an ended session's events.
	acknowledgedFile = "acknowledged"
	// doomed ends the name of a session's directory that is being deleted.
	doomed = ".deleted"
	// pruneEvery is how often it is looked for sessions that need not be kept any longer.
	pruneEvery = time.Hour
	// withdrawnFor is how long it is remembered that a start was taken back: its deadline has long passed then.
	withdrawnFor = time.Hour
)

// Acknowledged remembers that the control plane has all events of a session that has ended: what is kept of it here
// may go some day. Of one that lives nothing is noted, since there will be more.
func (m *Manager) Acknowledged(id protocol.SessionID, seq uint64) {
	s, err := m.session(id)
	if err != nil {
		return
	}
	if state := s.state(); state.State != protocol.StateExited || seq < state.LastSeq || acknowledged(s.dir) >= seq {
		return
	}
	if err := replaceFile(filepath.Join(s.dir, acknowledgedFile), strconv.AppendUint(nil, seq, 10)); err != nil {
		s.logger.Error("acknowledgement not noted", "err", err)
	}
}

func acknowledged(dir string) uint64 {
	text, err := os.ReadFile(filepath.Join(dir, acknowledgedFile))
	if err != nil {
		return 0
	}
	seq, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		return 0
	}
	return seq
}

// Prune deletes what need not be kept, now and then, until ctx ends.
func (m *Manager) Prune(ctx context.Context) {
	for {
		if err := m.prune(ctx); err != nil {
			m.Log.ErrorContext(ctx, "ended sessions not deleted", "err", err)
		}
		if sleep(ctx, pruneEvery) != nil {
			return
		}
	}
}

// prune deletes what the policy does not want to be kept any longer. The control plane keeps what it was told.
func (m *Manager) prune(ctx context.Context) error {
	free, err := m.creating.wait(ctx) // nothing may be resumed meanwhile
	if err != nil {
		return err
	}
	defer free()
	for _, s := range m.all() {
		if m.outlived(s) {
			err = errors.Join(err, m.forget(ctx, s))
		}
	}
	return errors.Join(err, m.pruneRecordings(), m.deleteDoomed())
}

func (m *Manager) outlived(s *session) bool {
	if m.rules().KeepDays == 0 {
		return false
	}
	state := s.state()
	return state.State == protocol.StateExited && state.ExitedAt != nil &&
		m.Now().Sub(*state.ExitedAt) > time.Duration(m.rules().KeepDays)*24*time.Hour &&
		acknowledged(s.dir) >= state.LastSeq && !holder.Alive(s.dir)
}

// forget takes a session's name away first, so that a half deleted one is never taken for a session.
func (m *Manager) forget(ctx context.Context, s *session) error {
	free, err := s.acting.wait(ctx)
	if err != nil {
		return err
	}
	defer free()
	if err := os.Rename(s.dir, s.dir+doomed); err != nil {
		return fmt.Errorf("deleting session %s: %w", s.id, err)
	}
	m.mu.Lock()
	delete(m.sessions, s.id)
	m.mu.Unlock()
	s.logger.Info("ended session deleted", "ended", s.state().ExitedAt)
	return s.log.close()
}

// deleteDoomed deletes what was forgotten, by this process or by one before it.
func (m *Manager) deleteDoomed() error {
	entries, err := os.ReadDir(m.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listing the sessions: %w", err)
	}
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), doomed)
		path := filepath.Join(m.Dir, entry.Name())
		if _, notID := protocol.ParseSessionID(name); notID == nil && (ok || m.longWithdrawn(path)) {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	return err
}

// longWithdrawn reports whether it is the directory of a session whose start was taken back, and may be forgotten.
func (m *Manager) longWithdrawn(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, withdrawnFile))
	return err == nil && m.Now().Sub(info.ModTime()) > withdrawnFor && !exists(filepath.Join(dir, birthFile))
}
