package mcptools

import (
	"context"

	"switchboard/auth"
)

type getSessionStatusInput struct {
	SessionID string `json:"session_id" required:"true" max:"100" doc:"The session's handle, UUID, or a name that only it has."`
}

type getSessionStatusOutput struct {
	Session      sessionView   `json:"session"`
	AgentVersion string        `json:"agent_version,omitempty"`
	Evidence     string        `json:"evidence" doc:"what says that it is in this state"`
	StartedBy    string        `json:"started_by,omitempty"`
	Usage        *usageParts   `json:"usage,omitempty" doc:"what the session has taken so far, in tokens"`
	Prompts      []promptView  `json:"prompts" doc:"what the agent asks and waits on"`
	Queued       []messageView `json:"queued" doc:"messages of which nothing is typed yet, the oldest first"`
	Next         string        `json:"next,omitempty" doc:"what helps next"`
}

func getSessionStatus() Tool {
	return typed(Tool{
		Name:  "get_session_status",
		Title: "Look at a session",
		Description: "Shows what one session is doing now, since when and how that is known, the questions that its agent " +
			"waits on, and the messages that wait to be typed.",
		Scope: auth.ScopeSessionsRead,
		Hints: readOnly,
	}, func(ctx context.Context, c call, in getSessionStatusInput) (getSessionStatusOutput, error) {
		session, err := c.fleet.Session(ctx, c.caller, in.SessionID)
		if err != nil {
			return getSessionStatusOutput{}, err
		}
		queued, err := c.fleet.QueuedMessages(ctx, session)
		return getSessionStatusOutput{
			Session:      c.view(session),
			AgentVersion: plainLine(session.AgentVersion),
			Evidence:     plainLine(session.Evidence),
			StartedBy:    plainLine(session.Creator),
			Usage:        viewUsageParts(session),
			Prompts:      viewPrompts(session.Open),
			Queued:       viewMessages(queued),
			Next:         advise(session),
		}, err
	})
}
