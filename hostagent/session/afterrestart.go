package session

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// A session that is interrupted again and again is not resumed for ever: it may be what stops the machine.
const (
	revivals     = 3
	revivalsTime = time.Hour
)

// foundPatience bounds the wait until it is known of every session whether its holder is still there, and the wait for
// one whose holder is gone to be told of as ended.
const foundPatience = holderGrace + 10*time.Second

// revivalPatience bounds the wait for one agent to be up before the next is resumed, so that they do not all start at
// once on a machine that is starting itself.
const revivalPatience = 15 * time.Second

// AfterRestart does with interrupted sessions what the policy says, one after the other, and returns when that is done,
// or ctx ends. One of which the end cannot be told now is left to the next start.
func (m *Manager) AfterRestart(ctx context.Context) {
	all := m.all()
	slices.SortFunc(all, func(a, b *session) int { return cmp.Or(a.born().At.Compare(b.born().At), cmp.Compare(a.id, b.id)) })
	patience, cancel := context.WithTimeout(ctx, foundPatience)
	for _, s := range all { // each that is not known to have ended takes another's room
		_ = s.until(patience, func(f *fold) bool { return !s.found || f.session.ExitedAt != nil })
	}
	cancel()
	for _, s := range all {
		revived, err := m.decide(ctx, s)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			s.logger.Error("interrupted session not taken care of", "err", err)
		}
		if revived {
			patience, cancel := context.WithTimeout(ctx, revivalPatience)
			_ = s.until(patience, func(f *fold) bool { return f.ready || f.session.ExitedAt != nil }) // the next one's turn comes either way
			cancel()
		}
	}
}

// decide resumes an interrupted session, or says why that is left to people.
func (m *Manager) decide(ctx context.Context, s *session) (revived bool, err error) {
	free, err := m.creating.wait(ctx)
	if err != nil {
		return false, err
	}
	defer free()
	release, err := s.acting.wait(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	var interrupted bool
	s.view(func(f *fold) { interrupted = f.interrupted() })
	if !interrupted || ctx.Err() != nil {
		return false, nil
	}
	if err := m.rules().Restart(); err != nil {
		return false, m.leaveEnded(s, "Resume the session to go on.")
	}
	err = m.revive(ctx, s)
	if err == nil || ctx.Err() != nil {
		return err == nil, err
	}
	s.logger.Warn("interrupted session not resumed", "err", err)
	return false, m.leaveEnded(s, "Not resumed by this host's policy: "+err.Error()+".")
}

// revive resumes a session as whoever began it could, in his name.
func (m *Manager) revive(ctx context.Context, s *session) error {
	next := s.born()
	if err := m.mayResume(next); err != nil {
		return fromPolicy(err)
	}
	if next.Conversation == "" {
		if err := m.rules().Person(next.Actor); err != nil {
			return fromPolicy(err)
		}
	}
	now := m.Now()
	if n := len(next.Revived); n == revivals && now.Sub(next.Revived[0]) < revivalsTime {
		return fmt.Errorf("it was resumed %d times within %s and was interrupted each time", n, now.Sub(next.Revived[0]).Round(time.Second))
	}
	next.Revived = append(slices.Clone(next.Revived), now)
	next.Revived = next.Revived[max(0, len(next.Revived)-revivals):]
	patience, cancel := context.WithTimeout(ctx, foundPatience) // nothing else is started meanwhile
	defer cancel()
	if err := s.waitStopped(patience); err != nil {
		return unavailable("waiting for the last run to end", err)
	}
	var reason string
	s.view(func(f *fold) { reason = f.whyGone(f.session.ExitReason) })
	if reason == reasonRestart {
		reason = "a restart of the machine"
	}
	_, err := m.resume(ctx, s, next, "resumed after "+reason+", by this host's policy")
	return err
}

// leaveEnded tells what becomes of an interrupted session, unless it runs again after all. What cannot be written now
// is written later, by who follows the session then, for that only.
func (m *Manager) leaveEnded(s *session, why string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.fold.interrupted() {
		return nil
	}
	s.fold.decideInterrupted(s.now().UTC().Truncate(time.Millisecond), why)
	err := s.keep()
	if err != nil && !s.running {
		m.start(s)
	}
	return err
}
