package mcphttp

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
)

// watchEvery is how soon a request that lasts is cut when its token is revoked or its session ended, and how often
// a silent event stream gets a comment.
const watchEvery = 5 * time.Second

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
	done := make(chan struct{})
	// Most requests are over before this fires: they pay for a timer, not for a goroutine.
	timer := time.AfterFunc(watchEvery, func() {
		defer close(done)
		ticks := time.NewTicker(watchEvery)
		defer ticks.Stop()
		for {
			if err := h.stillMay(ctx, caller, session, token); err != nil {
				cut(err)
				return
			}
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
		cut(nil)
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
	if session != "" && !h.sessions.touch(session, caller) {
		return errSessionEnded
	}
	_, err := h.Bearer(ctx, token, caller.Addr)
	over := ctx.Err() != nil // and with the request, the question
	if over {
		err = nil
	}
	return err
}
