package session

import (
	"context"
	"errors"
	"syscall"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

const killSignal = syscall.SIGKILL

// politeness is how long an agent that was asked to end may take. Claude Code needs 0.1 s.
const politeness = 5 * time.Second

// Terminate ends a session's agent. A session that has exited already is a success.
func (m *Manager) Terminate(ctx context.Context, r protocol.TerminateSessionRequest) (protocol.SessionReply, error) {
	s, err := m.begin(r.Session, r.Act)
	if err != nil {
		return protocol.SessionReply{}, err
	}
	free, err := s.acting.take(ctx, whileActing)
	if err != nil {
		return protocol.SessionReply{}, err
	}
	defer free()
	if s.exited() || s.acted(r.Command) {
		return protocol.SessionReply{Session: s.state()}, nil
	}
	client, err := s.dial(ctx)
	if errors.Is(err, holder.ErrGone) {
		return s.afterExit(ctx)
	}
	if err != nil {
		return protocol.SessionReply{}, unavailable("ending the session", err)
	}
	defer client.Close()
	note := commandNote{ID: r.Command, Name: commandTerminate, Actor: r.Actor, Force: r.Force}
	if err := s.note(ctx, client, noteCommand, note); err != nil {
		return protocol.SessionReply{}, unavailable("ending the session", err)
	}
	if err := s.kill(ctx, client, r.Force); err != nil {
		return protocol.SessionReply{}, protocol.Errorf(protocol.CodeInternal, "ending the session: %v", err)
	}
	return s.afterExit(ctx)
}

func (s *session) kill(ctx context.Context, client *holder.Client, force bool) error {
	if !force {
		if err := client.Signal(ctx, syscall.SIGTERM); err != nil {
			return ignoreGone(err)
		}
		patience, cancel := context.WithTimeout(ctx, politeness)
		defer cancel()
		if err := s.until(patience, func(f *fold) bool { return f.session.ExitedAt != nil }); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return ignoreGone(client.Signal(ctx, killSignal))
}

func ignoreGone(err error) error {
	if errors.Is(err, holder.ErrGone) || errors.Is(err, holder.ErrLost) {
		return nil
	}
	return err
}

// afterExit waits until the end can be shown, or cannot be written.
func (s *session) afterExit(ctx context.Context) (protocol.SessionReply, error) {
	ctx, cancel := context.WithTimeout(ctx, holderGrace+politeness)
	defer cancel()
	ended := func(f *fold) bool { return f.session.ExitedAt != nil && (s.visible.ExitedAt != nil || s.stuck) }
	if err := s.until(ctx, ended); err != nil {
		return protocol.SessionReply{}, protocol.Errorf(protocol.CodeInternal, "the session was told to end; whether it has is unknown")
	}
	return protocol.SessionReply{Session: s.state()}, nil
}

// acted reports whether this command has been carried out.
func (s *session) acted(command protocol.CommandID) bool {
	var acted bool
	s.view(func(f *fold) { acted = f.commands[command] })
	return acted
}

func (s *session) dial(ctx context.Context) (*holder.Client, error) { return holder.Dial(ctx, s.dir) }

// Interrupt stops what the agent is doing, as Esc in its terminal does. In a dialog Esc would be an answer, and
// in an idle agent it would go back in the conversation: so it is pressed in neither.
func (m *Manager) Interrupt(ctx context.Context, r protocol.InterruptSessionRequest) (protocol.SessionReply, error) {
	s, err := m.begin(r.Session, r.Act)
	if err != nil {
		return protocol.SessionReply{}, err
	}
	free, err := s.acting.take(ctx, whileActing)
	if err != nil {
		return protocol.SessionReply{}, err
	}
	defer free()
	if s.acted(r.Command) {
		return protocol.SessionReply{Session: s.state()}, nil
	}
	client, err := s.dial(ctx)
	if err != nil {
		return protocol.SessionReply{}, s.cannotReach(err)
	}
	defer client.Close()
	release, err := s.typing.take(ctx, whileTyping)
	if err != nil {
		return protocol.SessionReply{}, err
	}
	defer release()
	if err := s.may(agentkind.FeatureInterrupt, "press Esc at the terminal"); err != nil {
		return protocol.SessionReply{}, err
	}
	if err := s.mayInterrupt(); err != nil {
		return protocol.SessionReply{}, err
	}
	if err := s.note(ctx, client, noteCommand, commandNote{ID: r.Command, Name: commandInterrupt, Actor: r.Actor}); err != nil {
		return protocol.SessionReply{}, unavailable("interrupting", err)
	}
	if err := s.pressInterrupt(ctx, client); err != nil {
		return protocol.SessionReply{}, protocol.Errorf(protocol.CodeInternal, "interrupting: %v", err)
	}
	return protocol.SessionReply{Session: s.afterInterrupt(ctx)}, nil
}

// afterInterrupt waits until the state that the key led to can be shown, or that takes too long.
func (s *session) afterInterrupt(ctx context.Context) protocol.Session {
	ctx, cancel := context.WithTimeout(ctx, interruptShows)
	defer cancel()
	_ = s.until(ctx, func(f *fold) bool { return s.visible.State == f.session.State || s.stuck })
	return s.state()
}

const (
	// interruptTries: an agent that is busy drawing misses a key now and then.
	interruptTries = 3
	// interruptShows is how long a key may take to show in the agent's status.
	interruptShows = time.Second
)

// pressInterrupt presses the key until the agent stops working. One that does not is reported as it is.
func (s *session) pressInterrupt(ctx context.Context, client *holder.Client) error {
	for range interruptTries {
		if !s.interruptible() {
			return nil
		}
		if err := client.Write(ctx, s.kind.Interrupt); err != nil {
			return err
		}
		shows, cancel := context.WithTimeout(ctx, interruptShows)
		err := s.until(shows, func(f *fold) bool { return f.session.State != protocol.StateWorking })
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

func (s *session) interruptible() bool { return s.mayInterrupt() == nil }

func (s *session) mayInterrupt() error {
	var err error
	s.view(func(f *fold) {
		switch p := f.openPrompt(); {
		case f.session.ExitedAt != nil:
			err = protocol.Errorf(protocol.CodeConflict, "the session has exited")
		case p != nil:
			err = promptIsOpen(p)
		case f.session.State != protocol.StateWorking:
			err = protocol.Errorf(protocol.CodeConflict, "the session is %s; there is nothing to interrupt", f.session.State)
		}
	})
	return err
}

func promptIsOpen(p *prompt) error {
	return protocol.Errorf(protocol.CodeConflict, "the session waits for an answer to prompt %s (%s); answer that first", p.ID, p.Title)
}

// cannotReach explains why a session's holder does not answer.
func (s *session) cannotReach(err error) error {
	if s.exited() || errors.Is(err, holder.ErrGone) {
		return protocol.Errorf(protocol.CodeConflict, "the session has exited")
	}
	return unavailable("reaching the session", err)
}
