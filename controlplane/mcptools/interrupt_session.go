package mcptools

import (
	"context"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

type interruptSessionInput struct {
	SessionID string `json:"session_id" required:"true" max:"100" doc:"The session's handle, UUID, or a name that only it has."`
	MessageID string `json:"message_id" max:"100" doc:"Instead, take back this message, of which nothing is typed yet; what the agent does now goes on."`
}

type interruptSessionOutput struct {
	Session sessionView  `json:"session"`
	Message *messageView `json:"message,omitempty" doc:"the one that was taken back"`
	Next    string       `json:"next,omitempty" doc:"what helps next"`
}

func interruptSession() Tool {
	return typed(Tool{
		Name:  "interrupt_session",
		Title: "Interrupt a session",
		Description: "Stops what the agent is doing now, as Esc at its terminal does. The session lives on and takes the " +
			"next message; what was being done is left unfinished. With message_id it stops nothing, and takes back a message " +
			"that is still queued; get_session_status shows which are.",
		Scope: auth.ScopeSessionsWrite,
	}, func(ctx context.Context, c call, in interruptSessionInput) (interruptSessionOutput, error) {
		if in.MessageID != "" {
			session, message, err := c.fleet.TakeBackMessage(ctx, c.caller, in.SessionID, protocol.MessageID(in.MessageID))
			taken := viewMessage(message)
			return interruptSessionOutput{Session: c.view(session), Message: &taken, Next: advise(session)}, err
		}
		session, err := c.fleet.InterruptSession(ctx, c.caller, in.SessionID)
		return interruptSessionOutput{Session: c.view(session), Next: advise(session)}, err
	})
}
