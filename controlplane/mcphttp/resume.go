package mcphttp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
	"switchboard/controlplane/mcpsession"
)

// lookEvery is how often a client that came back to the answer of a request is looked after: another replica may work
// on it.
const lookEvery = 500 * time.Millisecond

// resume gives a client that comes back what it has missed, and goes on with its stream.
func (h *Handler) resume(answer *response, r *http.Request, caller auth.Caller, session string) {
	id, seq, ok := parseEventID(r.Header.Get(mcp.HeaderLastEventID))
	if !ok {
		refuse(answer, unknownEvent())
		return
	}
	stream, events, err := h.Sessions.MCPEvents(r.Context(), session, id, seq)
	switch {
	case errors.Is(err, auth.ErrNotFound):
		refuse(answer, unknownEvent())
		return
	case err != nil:
		h.refuseSession(answer, r, err)
		return
	case stream.LastSeq-seq != len(events): // it was never sent, or what followed is kept no more
		refuse(answer, unknownEvent())
		return
	}
	r.Header.Del(mcp.HeaderLastEventID)
	j := newJournal(r.Context(), h.Sessions, h.Log, answer.visit, stream.Request)
	j.stream, j.sent, j.missed = stream, seq, events
	if stream.Request == nil {
		h.listen(answer, r, caller, j)
		return
	}
	answer.mayStream(j)
	answer.follow(r.Context(), h)
}

func unknownEvent() *refusal {
	return &refusal{status: http.StatusBadRequest, code: mcp.INVALID_REQUEST,
		message: "no such Last-Event-ID: what followed it cannot be sent again"}
}

// follow sends the events of a request's stream until its answer, whoever works on it.
func (a *response) follow(ctx context.Context, h *Handler) {
	a.Header().Set("Content-Type", eventStream)
	a.WriteHeader(http.StatusOK)
	a.Flush()
	j := a.journal
	closed := j.stream.Closed
	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()
	for !closed {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		stream, events, err := j.store.MCPEvents(ctx, j.stream.Session, j.stream.ID, j.sent)
		if err != nil {
			return // the client comes back, and hears why it cannot
		}
		if !stream.Closed && time.Since(stream.AliveAt) > lostAfter {
			h.giveUp(ctx, stream)
			continue
		}
		a.replay(events)
		closed = stream.Closed
	}
}

func (a *response) replay(events []mcpsession.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(events) > 0 {
		_ = a.send(a.journal.events(events)) // a lost connection shows at the next read
		a.flush()
	}
}

// giveUp answers a request whose replica is gone.
func (h *Handler) giveUp(ctx context.Context, s mcpsession.Stream) {
	_, err := h.Sessions.AppendMCPEvent(ctx, s.Session, s.ID, lost(s.Request).line(), true, time.Now())
	if err != nil && !errors.Is(err, auth.ErrNotFound) { // another connection, or the replica after all, was first
		h.Log.WarnContext(ctx, "lost request not answered", "err", err)
	}
}

// lost is the answer to a request that was cut off, so that its client does not wait forever.
func lost(request json.RawMessage) *refusal {
	return &refusal{code: mcp.INTERNAL_ERROR, id: request,
		message: "the server stopped working on this; look whether it was done before you try again"}
}
