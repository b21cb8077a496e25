package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/dispatch"
	"switchboard/hostagent/protocol"
)

// peer is the host that a command goes to, with what is needed to speak of it.
type peer struct {
	id   protocol.HostID
	name string
	away time.Time // since when, if it is known to be away
}

func (s Session) peer() peer { return peer{s.Host, s.HostName, s.HostAway} }

func (h Host) peer() peer {
	p := peer{id: h.ID, name: h.Name}
	if h.AwaySince != nil {
		p.away = *h.AwaySince
	}
	return p
}

// tell asks a host to change something. Its errors tell what was done: nothing (see nothingDone), or unknown.
func tell[Request, Reply any](ctx context.Context, f *Fleet, to peer, c protocol.Command[Request, Reply], r Request) (Reply, error) {
	reply, err := dispatch.Call(ctx, f.Hosts, to.id, c, r)
	return clean(reply), to.explain(err)
}

// ask asks a host for something that changes nothing, so that asking again is always right.
func ask[Request, Reply any](ctx context.Context, f *Fleet, to peer, c protocol.Command[Request, Reply], r Request) (Reply, error) {
	reply, err := dispatch.Call(ctx, f.Hosts, to.id, c, r)
	err = to.explain(err)
	if errors.Is(err, ErrUnknown) {
		err = refuse(ErrUnavailable, "host %s did not answer; try again", to.name)
	}
	return reply, err
}

// explain puts a call's failure into words.
func (p peer) explain(err error) error {
	var refused *protocol.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return fmt.Errorf("host %s: %w", p.name, refused)
	case errors.Is(err, dispatch.ErrOffline):
		return refuse(ErrUnavailable, "host %s is offline%s; nothing was done", p.name, p.since())
	case errors.Is(err, dispatch.ErrDown):
		return refuse(ErrDown, "no host can be reached at the moment; nothing was done")
	}
	return refuse(ErrUnknown, "host %s was asked and did not answer; whether it was done is unknown: look before you try again", p.name)
}

func (p peer) since() string {
	if p.away.IsZero() {
		return ""
	}
	return " since " + p.away.UTC().Format(time.RFC3339)
}

// nothingDone reports whether a command's error proves that the host did nothing.
func nothingDone(err error) bool {
	var refused *protocol.Error
	if errors.As(err, &refused) {
		return refused.Code != protocol.CodeInternal
	}
	return errors.Is(err, ErrUnavailable)
}

// actTimeout is how long an act may take, from the gate to its end: two calls to a host and some rows.
const actTimeout = 3 * dispatch.CallTimeout

// detach lets an act run to its end, whether or not the request that asked for it is still there.
func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
}

func (f *Fleet) act(c auth.Caller, id protocol.CommandID) protocol.Act {
	return protocol.Act{Command: id, Actor: c.UserName, Deadline: f.Now().Add(actTimeout)}
}
