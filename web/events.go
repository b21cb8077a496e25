package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// How an event stream looks for changes and keeps itself alive, and how long it lives before the browser connects
// anew.
const (
	streamLook = 3 * time.Second // in case that word of a change was lost
	loginLook  = time.Second     // at most for the login: a stream is cut within 5 s of its end
	streamCalm = time.Second     // between two looks, so that a busy session does not make a page restless
	streamLife = 10 * time.Minute
)

// streamsPerUser is how many event streams one person may hold open: more than he has windows to look at.
const streamsPerUser = 24

// look is what a page should follow, in a form that can be compared.
type look func(context.Context, auth.Caller) (string, error)

// Events tells a page when to read itself again: "change" when there is something new in the session that its
// query names, or in any that the person may see, and "ended" when his login has ended. It carries no facts.
//
// It looks by itself, rather than with fleet.WaitForSession, which would read what the page reads itself then, and
// would not notice that the login has ended.
func (p *Pages) Events(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if errors.Is(err, auth.ErrNoLogin) {
		w.WriteHeader(http.StatusUnauthorized) // nobody reads a login page here
		return nil
	}
	if err != nil {
		return err
	}
	leave, ok := p.streams.Take(visit.User, streamsPerUser)
	if !ok {
		return errMany
	}
	defer leave()
	look, watched, err := p.watched(r, visit)
	if err != nil {
		return err
	}
	// Watched before the first look, so that nothing falls in between.
	changed, stop, err := p.Fleet.Changes.Watch(watched...)
	if err != nil {
		return fmt.Errorf("%w: nothing can be followed at the moment: %w", fleet.ErrDown, err)
	}
	defer stop()
	known, err := look(r.Context(), visit.Caller)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	told, deaf := p.told(visit)
	defer deaf()
	p.stream(&eventWriter{w: w, controller: http.NewResponseController(w)}, r, changed, told, look, known)
	return nil
}

// told gets a value when the person's login may have ended.
func (p *Pages) told(visit visit) (told <-chan struct{}, stop func()) {
	signal := make(chan struct{}, 1)
	return signal, p.OAuth.Changes.Watch(visit.Caller, func() {
		select {
		case signal <- struct{}{}:
		default: // one is waiting to be read already
		}
	})
}

// watched is what the request wants to follow: one session, if the person may see it, or all of his.
func (p *Pages) watched(r *http.Request, visit visit) (look, []protocol.SessionID, error) {
	ref := r.URL.Query().Get("session")
	if ref == "" {
		return p.lookAtAll, nil, nil
	}
	session, err := p.Fleet.Session(r.Context(), visit.Caller, ref)
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context, c auth.Caller) (string, error) {
		session, err := p.Fleet.Session(ctx, c, string(session.ID))
		return session.Cursor(), err
	}, []protocol.SessionID{session.ID}, nil
}

// lookAtAll is what the list of sessions shows.
func (p *Pages) lookAtAll(ctx context.Context, c auth.Caller) (string, error) {
	page, err := p.Fleet.ListSessions(ctx, c, fleet.SessionFilter{})
	var b strings.Builder
	for _, s := range page.Sessions {
		fmt.Fprintln(&b, s.ID, s.State, s.StateAt.UnixNano(), s.HostOnline, len(s.Open))
	}
	return b.String(), err
}

// stream ends when the reader goes, his login ends, or it has lived long enough.
func (p *Pages) stream(events *eventWriter, r *http.Request, changed, told <-chan struct{}, look look, known string) {
	ctx := r.Context()
	end := time.NewTimer(streamLife)
	defer end.Stop()
	tick := time.NewTicker(streamLook)
	defer tick.Stop()
	events.send("retry: 1000\n\n")
	for events.err == nil {
		select {
		case <-changed:
		case <-told:
		case <-tick.C:
		case <-end.C:
			return
		case <-ctx.Done():
			return
		}
		visit, err := p.visitSoon(r)
		if errors.Is(err, auth.ErrNoLogin) {
			events.send("event: ended\ndata:\n\n")
			return
		}
		if err != nil {
			return // the store is away; the browser comes back by itself
		}
		now, err := look(ctx, visit.Caller)
		if err != nil {
			return
		}
		if now == known {
			events.send(": still here\n\n")
			continue
		}
		known = now
		events.send("event: change\ndata:\n\n")
		pause(ctx, streamCalm)
	}
}

// visitSoon is visit for one who does not wait for a store that hangs.
func (p *Pages) visitSoon(r *http.Request) (visit, error) {
	ctx, cancel := context.WithTimeout(r.Context(), loginLook)
	defer cancel()
	return p.visit(r.WithContext(ctx))
}

// pause waits, but not for a reader who has gone.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// eventWriter writes events and keeps the first error.
type eventWriter struct {
	w          http.ResponseWriter
	controller *http.ResponseController
	err        error
}

// writeTimeout is how long a reader may take to accept one event.
const writeTimeout = 20 * time.Second

func (e *eventWriter) send(event string) {
	if e.err != nil {
		return
	}
	// A writer that knows no deadlines has none to move.
	_ = e.controller.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, e.err = fmt.Fprint(e.w, event); e.err == nil {
		e.err = e.controller.Flush()
	}
}
