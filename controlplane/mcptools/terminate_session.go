package mcptools

import (
	"context"

	"switchboard/auth"
)

type terminateSessionInput struct {
	SessionID string `json:"session_id" required:"true" max:"100" doc:"The session's handle, UUID, or a name that only it has."`
	Force     bool   `json:"force" doc:"Do not wait for the agent to end by itself."`
}

func terminateSession() Tool {
	return typed(Tool{
		Name:  "terminate_session",
		Title: "End a session",
		Description: "Ends a session: its agent stops and its terminal closes. The conversation is kept, and " +
			"resume_session brings it back. To stop only what the agent is doing now, use interrupt_session.",
		Scope: auth.ScopeSessionsWrite,
		Hints: Hints{Destructive: true, Idempotent: true},
	}, func(ctx context.Context, c call, in terminateSessionInput) (sessionAnswer, error) {
		session, err := c.fleet.TerminateSession(ctx, c.caller, in.SessionID, in.Force)
		return sessionAnswer{Session: c.view(session)}, err
	})
}
