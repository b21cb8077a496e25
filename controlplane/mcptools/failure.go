package mcptools

import (
	"context"
	"errors"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// What a model is told where the truth is only for the log.
const (
	internalError    = "Internal error. The server's log says more."
	unavailableError = "The server cannot reach its database at the moment. Try again in a few seconds; if this was to change something, look first whether it was done."
	tooLongError     = "This took too long; whether it was done is unknown. Look with get_session_status before you try again."
)

// failed turns an error into the result that the model reads: the only place that does.
func (d *Desk) failed(ctx context.Context, t Tool, caller auth.Caller, err error) *mcp.CallToolResult {
	var scope *auth.ScopeError
	if errors.As(err, &scope) {
		return d.lacksScope(caller, scope.Needed, d.explain(ctx, t.Name, caller, err))
	}
	return mcp.NewToolResultError(d.explain(ctx, t.Name, caller, err))
}

// explain says of an error what a model may know, and of what a client should repeat that it should.
func (d *Desk) explain(ctx context.Context, what string, caller auth.Caller, err error) string {
	var argument *argumentError
	var scope *auth.ScopeError
	var refused *protocol.Error
	switch {
	case errors.As(err, &argument):
		return argument.Error()
	case errors.As(err, &scope):
		return "This connection may not do that: it " + scope.Error() + "."
	case errors.Is(err, fleet.ErrDown):
		d.Unavailable(ctx)
		return plainLine(err.Error())
	case fleet.ForPeople(err), errors.As(err, &refused):
		return clip(plain(err.Error()), maxDetail)
	case errors.Is(err, auth.ErrUnavailable):
		d.Log.ErrorContext(ctx, "the store could not be reached", "for", what, "err", err)
		d.Unavailable(ctx)
		return unavailableError
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return tooLongError
	}
	d.Log.ErrorContext(ctx, "call failed", "of", what, "user", caller.User, "err", err)
	return internalError
}

// lacksScope carries the challenge on which ChatGPT asks its user for more scopes.
func (d *Desk) lacksScope(caller auth.Caller, needed auth.Scope, words string) *mcp.CallToolResult {
	result := mcp.NewToolResultError(words)
	challenge := auth.Challenge{
		PublicURL:   d.Fleet.PublicURL,
		Error:       "insufficient_scope",
		Description: "this tool needs the scope " + string(needed),
		Scopes:      append(append(auth.Scopes{}, caller.Scopes...), needed),
	}
	result.Meta = mcp.NewMetaFromMap(map[string]any{"mcp/www_authenticate": []string{challenge.String()}})
	return result
}
