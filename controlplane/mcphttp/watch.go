package mcphttp

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
)

// A request that lasts is looked at when something about its caller changes, and by itself now and then, should that
// not be told. These times together, since a store may hang, are how soon it is cut at the latest when its token is
// revoked: not more than 5 s. A silent event stream gets its comments as often.
const (
	watchEvery  = 3 * time.Second
	lookTimeout = 1500 * time.Millisecond
	cutTimeout  = 500 * time.Millisecond // for a client that does not read
)

// errSessionEnded cuts the stream of a session that is no more.
var errSessionEnded = errors.New("session ended")

// watch asks again and again, while a request lasts, whether it still may. The returned context ends when it may
// not; stop ends the watch and says why the request was cut, if it was.
func (h *Handler) watch(ctx context.Context, answer *response, caller auth.Caller, r *http.Request, token auth.Secret) (context.Context, func() error) {
	ctx, cut := context.WithCancelCause(ctx)
	session := ""
	if r.Method == http.MethodGet {
		session = r.Header.Get(mcp.HeaderSessionID)
	}
	look := func() bool {
		err := h.stillMay(ctx, caller, session, token)
		if err != nil {
			cut(err)
			// A write that is under way does not hear of it. What is written from now on, as the reason, has its own time.
			_ = answer.control.SetWriteDeadline(time.Now().Add(cutTimeout))
		}
		return err == nil
	}
	// Most requests are over before any of this happens: they pay for a timer and an entry, not for a goroutine. Word
	// has its own, since the timer's may be waiting for a client that does not read.
	var woken sync.WaitGroup
	unwatch := h.Watch(caller, func() { woken.Go(func() { look() }) })
	done := make(chan struct{})
	timer := time.AfterFunc(watchEvery, func() {
		defer close(done)
		ticks := time.NewTicker(watchEvery)
		defer ticks.Stop()
		for look() {
			answer.keepAlive()
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
		}
	})
	return ctx, func() error {
		cause := context.Cause(ctx)
		gone := r.Context().Err() != nil // the client itself: this context is the one before ours
		unwatch()
		cut(nil)
		woken.Wait()
		if !timer.Stop() {
			<-done
		}
		if gone {
			cause = nil
		}
		return cause
	}
}

func (h *Handler) stillMay(ctx context.Context, caller auth.Caller, session string, token auth.Secret) error {
	asking, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	_, err := h.Bearer(asking, token, caller.Addr)
	if err == nil && session != "" {
		if _, notFound := h.findSession(asking, session, caller); errors.Is(notFound, errNoSession) {
			err = errSessionEnded
		}
	}
	over := ctx.Err() != nil // and with the request, the question
	if over {
		err = nil
	}
	return err
}
