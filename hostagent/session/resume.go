package session

import (
	"context"
	"errors"
	"slices"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// Resume starts an exited session's agent again, with its conversation and its flags. The CLI lets two processes
// write the same conversation; this is what keeps a second one away.
func (m *Manager) Resume(ctx context.Context, r protocol.ResumeSessionRequest) (protocol.SessionReply, error) {
	free, err := m.creating.take(ctx, whileStarting)
	if err != nil {
		return protocol.SessionReply{}, err
	}
	defer free()
	s, err := m.begin(r.Session, r.Act)
	if err != nil {
		return protocol.SessionReply{}, err
	}
	release, err := s.acting.take(ctx, whileActing)
	if err != nil {
		return protocol.SessionReply{}, err
	}
	defer release()
	if s.born().resumedBy(r.Command) {
		return protocol.SessionReply{Session: s.state()}, nil
	}
	if !s.exited() {
		return protocol.SessionReply{}, stillLive()
	}
	if err := m.mayResume(s.born()); err != nil {
		return protocol.SessionReply{}, fromPolicy(err)
	}
	if err := s.waitStopped(ctx); err != nil {
		return protocol.SessionReply{}, unavailable("waiting for the last run to end", err)
	}
	next := s.born()
	next.Resumed = append(slices.Clone(next.Resumed), r.Command)
	return m.resume(ctx, s, next, "")
}

func stillLive() error {
	return protocol.Errorf(protocol.CodeConflict, "the session is live; only an exited one can be resumed")
}

// mayResume: the policy may have changed since the session was created.
func (m *Manager) mayResume(b birth) error {
	if err := errors.Join(m.rules().Begin(m.Now()), m.rules().Agent(b.Agent), m.rules().Mode(b.PermissionMode), m.rules().Room(m.live(b.Actor))); err != nil {
		return err
	}
	_, err := m.rules().Directory(b.WorkingDir)
	return err
}

// resume starts the agent again as next says; why is told where nobody asked for just that.
func (m *Manager) resume(ctx context.Context, s *session, next birth, why string) (protocol.SessionReply, error) {
	var conversation, transcript string
	var runs int
	s.view(func(f *fold) { conversation, transcript, runs = f.process.Session, f.lastTranscript(), f.runs })
	program, version, err := FindProgram(ctx, m.rules(), m.Environ, s.kind)
	if err != nil {
		return protocol.SessionReply{}, protocol.Errorf(protocol.CodeUnavailable, "%v", err)
	}
	if err := m.drivable(s.kind, version); err != nil {
		return protocol.SessionReply{}, err
	}
	if why := s.kind.Withheld(version, agentkind.FeatureResume); why != "" {
		return protocol.SessionReply{}, protocol.Errorf(protocol.CodeUnavailable, "start a new session instead: %s", why)
	}
	if err := m.onlyWriter(s.kind, conversation); err != nil {
		return protocol.SessionReply{}, err
	}
	before := s.born()
	next.Program, next.AgentVersion = program, version
	if err := next.write(s.dir); err != nil {
		return protocol.SessionReply{}, unavailable("noting the resumption", err)
	}
	// An agent that never got a message has written no transcript: there is nothing to resume, and its id is free.
	again := transcript != "" && exists(transcript) || conversation == next.Conversation
	if err := m.launch(ctx, next, start{conversation: conversation, resume: again, why: why}); err != nil {
		return protocol.SessionReply{}, errors.Join(err, before.write(s.dir))
	}
	s.mu.Lock()
	s.birth, s.found = next, false
	s.fold.runsVersion(version)
	s.mu.Unlock()
	if err := s.catchUp(runs); err != nil {
		return protocol.SessionReply{}, err
	}
	m.start(s)
	return s.afterStart(ctx, runs+1)
}

// catchUp reads that the new run has begun, without which the session would still count as exited.
func (s *session) catchUp(runs int) error {
	var last uint64
	s.view(func(f *fold) { last = f.position.Journal })
	entries, err := holder.ReadJournal(s.dir, last)
	if err != nil {
		return protocol.Errorf(protocol.CodeInternal, "reading the journal: %v", err)
	}
	if err := s.look(entries); err != nil {
		return protocol.Errorf(protocol.CodeInternal, "%v", err)
	}
	var now int
	s.view(func(f *fold) { now = f.runs })
	if now <= runs {
		return protocol.Errorf(protocol.CodeInternal, "the agent was started, but its journal does not say so")
	}
	return nil
}

// waitStopped waits until nobody follows the last run any more, since two would write one event log, and until
// its holder has gone, which may outlive the agent by a moment.
func (s *session) waitStopped(ctx context.Context) error {
	for {
		s.mu.Lock()
		running, changed := s.running, s.changed
		s.mu.Unlock()
		if !running {
			break
		}
		if err := wait(ctx, changed); err != nil {
			return err
		}
	}
	for giveUp := s.now().Add(holderGrace); holder.Alive(s.dir); {
		if s.now().After(giveUp) {
			return errors.New("its holder still runs")
		}
		if err := sleep(ctx, lookEvery); err != nil {
			return err
		}
	}
	return nil
}
