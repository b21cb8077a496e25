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
	var argument *argumentError
	var scope *auth.ScopeError
	var refused *protocol.Error
	switch {
	case errors.As(err, &argument):
		return mcp.NewToolResultError(argument.Error())
	case errors.As(err, &scope):
		return d.lacksScope(caller, scope.Needed)
	case errors.Is(err, fleet.ErrDown):
		d.Unavailable(ctx)
		return mcp.NewToolResultError(plainLine(err.Error()))
	case fleet.ForPeople(err), errors.As(err, &refused):
		return mcp.NewToolResultError(clip(plain(err.Error()), maxDetail))
	case errors.Is(err, auth.ErrUnavailable):
		d.Log.ErrorContext(ctx, "tool could not reach the store", "tool", t.Name, "err", err)
		d.Unavailable(ctx)
		return mcp.NewToolResultError(unavailableError)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return mcp.NewToolResultError(tooLongError)
	}
	d.Log.ErrorContext(ctx, "tool failed", "tool", t.Name, "user", caller.User, "err", err)
	return mcp.NewToolResultError(internalError)
}

// lacksScope carries the challenge on which ChatGPT asks its user for more scopes.
func (d *Desk) lacksScope(caller auth.Caller, needed auth.Scope) *mcp.CallToolResult {
	result := mcp.NewToolResultError("This connection may not do that: it " + (&auth.ScopeError{Needed: needed}).Error() + ".")
	challenge := auth.Challenge{
		PublicURL:   d.Fleet.PublicURL,
		Error:       "insufficient_scope",
		Description: "this tool needs the scope " + string(needed),
		Scopes:      append(append(auth.Scopes{}, caller.Scopes...), needed),
	}
	result.Meta = mcp.NewMetaFromMap(map[string]any{"mcp/www_authenticate": []string{challenge.String()}})
	return result
}
