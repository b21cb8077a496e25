package fleet

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"switchboard/controlplane/dispatch"
	"switchboard/hostagent/protocol"
)

// Unheard is a command of which the host has said nothing: its answer was lost, or this side was killed before it sent
// the command. It carried a message, or the answer to a prompt, or started the session.
type Unheard struct {
	Host    protocol.HostID
	Session protocol.SessionID
	Command protocol.CommandID // empty: it started the session
	Prompt  protocol.PromptID  // empty: it was no answer
	At      time.Time
	Since   time.Time // when the host connected last
}

// UnheardStore finds what nobody knows the outcome of.
type UnheardStore interface {
	// UnheardCommands are those of hosts that are there, begun before a time: messages that are queued with one of
	// UnheardDetails, answers that are under way, and starts of sessions.
	UnheardCommands(ctx context.Context, before time.Time) ([]Unheard, error)
}

// LateAfter is how long after a command was sent no host takes it any more, not even one whose clock is behind.
const LateAfter = 5 * time.Minute

const (
	// unheardAfter: the call has been given up by then.
	unheardAfter   = dispatch.CallTimeout + time.Second
	reconcileEvery = 2 * time.Second
	reconcilers    = 8 // hosts are asked side by side
)

// Reconcile finds out, until the context ends, what has become of commands whose answers were lost. All replicas do
// it: to ask twice changes nothing.
func (f *Fleet) Reconcile(ctx context.Context) {
	r := reconciler{Fleet: f}
	ticker := time.NewTicker(reconcileEvery)
	defer ticker.Stop()
	for {
		if err := r.once(ctx); err != nil && ctx.Err() == nil {
			f.Log.WarnContext(ctx, "unknown outcomes not read", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// ReconcileOnce asks each host once about what it has said nothing of.
func (f *Fleet) ReconcileOnce(ctx context.Context) error {
	r := reconciler{Fleet: f}
	return r.once(ctx)
}

// reconciler remembers which hosts refused to say what became of a command.
type reconciler struct {
	*Fleet

	mu     sync.Mutex                    // guards the field below
	warned map[protocol.HostID]time.Time // when the host had connected of which it was logged
}

func (r *reconciler) once(ctx context.Context) error {
	f := r.Fleet
	unheard, err := f.Store.UnheardCommands(ctx, f.Now().Add(-unheardAfter))
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(reconcilers)
	for _, u := range unheard {
		settle := f.settleUnheard
		if u.Command == "" {
			settle = f.settleStart
		}
		group.Go(func() error {
			if err := settle(ctx, u); err != nil && ctx.Err() == nil && r.isNews(u, err) {
				f.Log.WarnContext(ctx, "outcome of a command still unknown", "command", u.Command, "session", u.Session, "err", err)
			}
			return nil
		})
	}
	return group.Wait()
}

// isNews reports whether it is to be logged that an outcome is still unknown. A host that refuses to say, mostly since it is
// of an older version, will do so every time until it comes back as another.
func (r *reconciler) isNews(u Unheard, err error) bool {
	var refused *protocol.Error
	if !errors.As(err, &refused) {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, warned := r.warned[u.Host]; warned && at.Equal(u.Since) {
		return false
	}
	if r.warned == nil {
		r.warned = map[protocol.HostID]time.Time{}
	}
	r.warned[u.Host] = u.Since
	return true
}

// settleUnheard takes a command back. A host that has acted on it says so; one that has not never will, so that its
// sender may be told that nothing was done.
func (f *Fleet) settleUnheard(ctx context.Context, u Unheard) error {
	reply, err := dispatch.Call(ctx, f.Hosts, u.Host, protocol.WithdrawCommand,
		protocol.WithdrawCommandRequest{Session: u.Session, Command: u.Command})
	reply = clean(reply)
	var refused *protocol.Error
	switch {
	case errors.As(err, &refused) && refused.Code == protocol.CodeNotFound: // without the session, nothing was done in it
	case errors.Is(err, dispatch.ErrOffline) || errors.Is(err, dispatch.ErrDown):
		return nil // it is asked again when it is back
	case err != nil:
		return err
	}
	switch {
	case reply.Message != nil:
		return f.settleMessage(ctx, u, *reply.Message)
	case reply.Acted:
		return nil // events tell the rest
	case u.Prompt != "":
		defer f.Changes.Publish(u.Host, u.Session)
		return f.Store.ReleasePrompt(ctx, Claim{Prompt: u.Prompt, Command: u.Command})
	}
	return f.settleMessage(ctx, u, protocol.MessageState{
		Status: protocol.MessageFailed, Detail: "it did not reach the host; nothing was typed",
	})
}

func (f *Fleet) settleMessage(ctx context.Context, u Unheard, state protocol.MessageState) error {
	state.ID = protocol.MessageID(u.Command)
	session := Session{Session: protocol.Session{ID: u.Session}, Host: u.Host}
	_, err := f.advance(ctx, session, state)
	return err
}

// settleStart takes back the start of a session. One that was never begun is forgotten, so that its key may be used
// again.
func (f *Fleet) settleStart(ctx context.Context, u Unheard) error {
	reply, err := dispatch.Call(ctx, f.Hosts, u.Host, protocol.WithdrawSession, protocol.WithdrawSessionRequest{Session: u.Session})
	var refused *protocol.Error
	switch {
	case errors.Is(err, dispatch.ErrOffline) || errors.Is(err, dispatch.ErrDown) || err == nil && reply.Started:
		return nil
	case errors.As(err, &refused) && f.Now().Sub(u.At) > LateAfter: // by a host that does not know the command
	case err != nil:
		return err
	}
	if err := f.Store.RemoveSession(ctx, u.Session); err != nil {
		return err
	}
	f.Changes.Publish(u.Host, u.Session)
	return nil
}
