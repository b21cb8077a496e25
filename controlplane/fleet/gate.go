package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"switchboard/auth"
	"switchboard/auth/audit"
	"switchboard/hostagent/protocol"
)

// deed is what a caller wants to do, as the gate judges and records it.
type deed struct {
	action  string // as the audit chain names it; empty: not recorded
	scope   auth.Scope
	need    Access
	orAdmin bool               // an administrator may, whatever his access
	reads   bool               // changes nothing, so that one record stands for its repeats
	command protocol.CommandID // which the host will see, if it changes something there
	session protocol.SessionID // that it makes
	target  string             // what else it acts on
	answer  Answer             // the person's, which it uses up
	detail  map[string]string
	// ask asks what the person must say himself before it is done; nil: nothing.
	ask func(Session) error
	// keep writes the record, if the deed is allowed, in one commit with what it makes; nil: Fleet.Audit writes it.
	keep func(context.Context, audit.Event) error
}

// session is the gate to one session: scope, then whether the caller may see it, then his right on its host, then
// the audit record. Only after that may anything happen.
func (f *Fleet) session(ctx context.Context, c auth.Caller, d deed, ref string) (Session, error) {
	if !c.Scopes.Has(d.scope) {
		return Session{}, f.record(ctx, c, d.at(ref), &auth.ScopeError{Needed: d.scope})
	}
	session, err := f.seeSession(ctx, c, ref)
	if err != nil {
		return Session{}, f.record(ctx, c, d.at(ref), err)
	}
	if err := f.enterSession(ctx, c, d, session); err != nil {
		return Session{}, err
	}
	return session, nil
}

// enterSession is the rest of the gate, once the caller is known to see the session.
func (f *Fleet) enterSession(ctx context.Context, c auth.Caller, d deed, session Session) error {
	var err error
	if session.Access < d.need {
		err = refuse(auth.ErrForbidden, "you may read session %s, but not act on it", session.Handle)
	}
	if err == nil && d.ask != nil {
		err = d.ask(session)
	}
	event := d.event()
	event.Host, event.Session = string(session.Host), string(session.ID)
	event.Detail["handle"] = session.Handle
	return f.recordDeed(ctx, c, d, event, err)
}

// host is the gate to one host.
func (f *Fleet) host(ctx context.Context, c auth.Caller, d deed, ref string) (Host, error) {
	if !c.Scopes.Has(d.scope) {
		return Host{}, f.record(ctx, c, d.at(ref), &auth.ScopeError{Needed: d.scope})
	}
	host, err := f.seeHost(ctx, c, ref)
	if err != nil {
		return Host{}, f.record(ctx, c, d.at(ref), err)
	}
	may := host.Access >= d.need || d.orAdmin && c.Role == auth.RoleAdmin
	if !may {
		err = refuse(auth.ErrForbidden, "you may see host %s, but %s", host.Name, d.need.lacking())
	}
	event := d.event()
	event.Host = string(host.ID)
	event.Detail["host_name"] = host.Name
	if err := f.record(ctx, c, event, err); err != nil {
		return Host{}, err
	}
	return host, nil
}

// anywhere is the gate to what belongs to no host.
func (f *Fleet) anywhere(ctx context.Context, c auth.Caller, d deed) error {
	var err error
	if !c.Scopes.Has(d.scope) {
		err = &auth.ScopeError{Needed: d.scope}
	}
	return f.recordDeed(ctx, c, d, d.event(), err)
}

// lacking says what one without this access may not do.
func (a Access) lacking() string {
	switch a {
	case AccessOwner:
		return "only its owner may do this"
	case AccessOperator:
		return "not run sessions on it"
	}
	return "not read its sessions"
}

// maxTarget bounds what a stranger's reference can add to the audit chain.
const maxTarget = 80

// at is the record of a deed that did not get as far as a session or host: only what was asked for is known.
func (d deed) at(ref string) audit.Event {
	event := d.event()
	event.Detail["asked_for"] = fmt.Sprintf("%.*q", maxTarget, ref)
	return event
}

func (d deed) event() audit.Event {
	event := audit.Event{Action: d.action, Session: string(d.session), Target: d.target, Detail: map[string]string{}}
	maps.Copy(event.Detail, d.detail)
	if d.command != "" {
		event.Detail["command"] = string(d.command)
	}
	if d.answer.ID != "" {
		event.Detail["answer"] = d.answer.ID
	}
	return event
}

// record writes what was decided, and returns the refusal, if it was one. If it cannot be written it returns that
// instead, so that nothing happens.
func (f *Fleet) record(ctx context.Context, c auth.Caller, event audit.Event, refused error) error {
	return f.recordBy(ctx, f.Audit, c, event, refused)
}

func (f *Fleet) recordBy(ctx context.Context, write func(context.Context, audit.Event) error,
	c auth.Caller, event audit.Event, refused error,
) error {
	if event.Action == "" || (refused != nil && !decided(refused)) {
		return refused
	}
	event.At = f.Now()
	event.User, event.UserName = string(c.User), c.UserName
	event.ClientID, event.Client, event.Addr = c.ClientID, c.Client, c.Addr
	event.Allowed = refused == nil
	if refused != nil {
		event.Detail["refused"] = reason(refused)
	}
	err := write(ctx, event)
	switch {
	case errors.Is(err, ErrAnswered):
		return usedBefore()
	case err != nil:
		return fmt.Errorf("%w: the audit record of %s could not be written: %w", ErrUnavailable, event.Action, err)
	}
	return refused
}

// decided reports whether err is a judgement on what the caller asked, and not a failure to judge.
func decided(err error) bool {
	var scope *auth.ScopeError
	var refused *refusal
	return errors.As(err, &scope) || errors.As(err, &refused)
}

// reason keeps what a record needs of a refusal: its kind, and not the candidates or the text that it quotes.
func reason(err error) string {
	var refused *refusal
	if errors.As(err, &refused) {
		return refused.kind.Error()
	}
	return err.Error() // a ScopeError
}
