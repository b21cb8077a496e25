package mcptools

import (
	"context"

	"switchboard/auth"
)

type resumeSessionInput struct {
	SessionID string `json:"session_id" required:"true" max:"100" doc:"The session's handle, UUID, or a name that only it has."`
}

func resumeSession() Tool {
	return typed(Tool{
		Name:  "resume_session",
		Title: "Resume a session",
		Description: "Starts the agent of a session that has ended again, with its conversation and the settings it was " +
			"started with.",
		Scope: auth.ScopeSessionsWrite,
		Hints: Hints{OpenWorld: true},
	}, func(ctx context.Context, c call, in resumeSessionInput) (sessionAnswer, error) {
		session, err := c.fleet.ResumeSession(ctx, c.caller, in.SessionID)
		return sessionAnswer{Session: c.view(session)}, err
	})
}
