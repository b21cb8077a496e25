package mcptools

import (
	"context"

	"switchboard/auth"
)

type interruptSessionInput struct {
	SessionID string `json:"session_id" required:"true" max:"100" doc:"The session's handle, UUID, or a name that only it has."`
}

func interruptSession() Tool {
	return typed(Tool{
		Name:  "interrupt_session",
		Title: "Interrupt a session",
		Description: "Stops what the agent is doing now, as Esc at its terminal does. The session lives on and takes the " +
			"next message; what was being done is left unfinished.",
		Scope: auth.ScopeSessionsWrite,
	}, func(ctx context.Context, c call, in interruptSessionInput) (sessionAnswer, error) {
		session, err := c.fleet.InterruptSession(ctx, c.caller, in.SessionID)
		return sessionAnswer{Session: c.view(session), Next: advise(session)}, err
	})
}
