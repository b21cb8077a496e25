package mcphttp

import (
	"context"
	"net/http"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
)

// finishWithin is how long a call may go on after its client has gone, which can come back for the answer.
const finishWithin = 5 * time.Minute

// attended reports whether a request is a call in a legacy session. There a lost connection is no wish to cancel
// (2025-11-25, basic/transports): only the client's word is.
func attended(r *http.Request) bool {
	return r.Method == http.MethodPost && r.Header.Get(mcp.HeaderSessionID) != "" &&
		!mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion))
}

// attend handles a call in a session. When the client goes and can come back, the call goes on without it; its seat
// is kept until it ends.
func (h *Handler) attend(answer *response, r *http.Request, caller auth.Caller, token auth.Secret, leave func()) {
	ctx, end := context.WithCancel(context.WithoutCancel(r.Context()))
	unlink := context.AfterFunc(h.ending, end)
	limit := time.AfterFunc(finishWithin, end)
	limit.Stop() // until the client has gone
	done := make(chan struct{})
	h.calls.Go(func() {
		defer close(done)
		defer leave()
		defer limit.Stop()
		defer unlink()
		defer end()
		defer h.recover(answer, r)
		h.serve(answer, r.WithContext(ctx), caller, token)
	})
	select {
	case <-done:
		return
	case <-r.Context().Done():
	}
	if answer.keeps() {
		limit.Reset(finishWithin)
		return
	}
	end()
	<-done
}
