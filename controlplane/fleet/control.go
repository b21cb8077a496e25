package fleet

import (
	"context"
	"errors"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// TerminateSession ends a session; force does not wait for the agent to end by itself. To end one that has exited
// is no error.
func (f *Fleet) TerminateSession(ctx context.Context, c auth.Caller, ref string, force bool) (Session, error) {
	return Acting{Fleet: f}.TerminateSession(ctx, c, ref, force)
}

// TerminateSession ends a session. Where the person can be asked, he has to confirm that a busy one ends.
func (a Acting) TerminateSession(ctx context.Context, c auth.Caller, ref string, force bool) (Session, error) {
	f := a.Fleet
	id := protocol.CommandID(protocol.NewID())
	d := a.operate("session.terminate", id)
	d.ask = a.confirmEnd
	session, err := f.session(ctx, c, d, ref)
	if err != nil || session.State == protocol.StateExited {
		return session, err
	}
	ended, err := control(ctx, f, c, session, protocol.TerminateSession, protocol.TerminateSessionRequest{
		Act: f.act(c, id), Session: session.ID, Force: force,
	})
	var refused *protocol.Error
	if errors.As(err, &refused) && refused.Code == protocol.CodeNotFound {
		return f.lose(ctx, c, session)
	}
	return ended, err
}

// lose ends a session that its host does not know, such as one whose start it never heard of.
func (f *Fleet) lose(ctx context.Context, c auth.Caller, session Session) (Session, error) {
	ctx, cancel := detach(ctx)
	defer cancel()
	now := f.Now()
	lost := session.Session
	lost.State, lost.StateAt, lost.ExitedAt = protocol.StateExited, now, &now
	lost.Evidence = "lost: the host does not know it"
	lost.ExitReason, lost.Confidence = lost.Evidence, protocol.ConfidenceLow
	return f.project(ctx, c, session.Host, session.ID, lost)
}

// InterruptSession stops what a session's agent is doing; the session goes on.
func (f *Fleet) InterruptSession(ctx context.Context, c auth.Caller, ref string) (Session, error) {
	return Acting{Fleet: f}.InterruptSession(ctx, c, ref)
}

// InterruptSession stops what a session's agent is doing; the session goes on.
func (a Acting) InterruptSession(ctx context.Context, c auth.Caller, ref string) (Session, error) {
	f := a.Fleet
	id := protocol.CommandID(protocol.NewID())
	session, err := f.session(ctx, c, a.operate("session.interrupt", id), ref)
	if err != nil {
		return Session{}, err
	}
	return control(ctx, f, c, session, protocol.InterruptSession, protocol.InterruptSessionRequest{
		Act: f.act(c, id), Session: session.ID,
	})
}

// ResumeSession starts an exited session's agent again, with its conversation.
func (f *Fleet) ResumeSession(ctx context.Context, c auth.Caller, ref string) (Session, error) {
	return Acting{Fleet: f}.ResumeSession(ctx, c, ref)
}

// ResumeSession starts an exited session's agent again, with its conversation.
func (a Acting) ResumeSession(ctx context.Context, c auth.Caller, ref string) (Session, error) {
	f := a.Fleet
	id := protocol.CommandID(protocol.NewID())
	session, err := f.session(ctx, c, a.operate("session.resume", id), ref)
	if err != nil {
		return Session{}, err
	}
	return control(ctx, f, c, session, protocol.ResumeSession, protocol.ResumeSessionRequest{
		Act: f.act(c, id), Session: session.ID,
	})
}

// control carries out what the gate has let through, and stores what the host says of the session then.
func control[Request any](ctx context.Context, f *Fleet, c auth.Caller, session Session,
	command protocol.Command[Request, protocol.SessionReply], request Request,
) (Session, error) {
	ctx, cancel := detach(ctx)
	defer cancel()
	reply, err := tell(ctx, f, session.peer(), command, request)
	if err != nil {
		return Session{}, err
	}
	return f.project(ctx, c, session.Host, session.ID, reply.Session)
}
