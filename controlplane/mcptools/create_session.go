package mcptools

import (
	"context"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
)

type createSessionInput struct {
	Name           string `json:"name" max:"40" doc:"What to call it; left out, the directory's name."`
	WorkingDir     string `json:"working_dir" max:"4096" doc:"Where the agent works: an absolute path on the host, or ~/…. The host decides which are allowed; list_hosts shows them."`
	Host           string `json:"host" max:"100" doc:"Name or id of the host; may be left out if the user has only one."`
	Template       string `json:"template" max:"100" doc:"A template from list_templates, for everything that is left out here."`
	Agent          string `json:"agent" max:"40" doc:"Which agent, such as claude; left out, the host's default."`
	PermissionMode string `json:"permission_mode" max:"40" doc:"How much the agent may do without asking; left out, it asks. The host decides which are allowed."`
	Message        string `json:"message" max:"100000" lines:"true" doc:"The first message, typed when the agent is ready."`
	IdempotencyKey string `json:"idempotency_key" max:"200" doc:"Any unique text. A repeat with the same key starts nothing and returns the first session, unless it is certain that none was started: then it tries again."`
}

func createSession() Tool {
	return typed(Tool{
		Name:  "create_session",
		Title: "Start a session",
		Description: "Starts a coding agent in a directory on one of the user's machines, optionally with a first message. " +
			"The agent runs commands there.",
		Scope: auth.ScopeSessionsWrite,
		Hints: Hints{OpenWorld: true},
	}, func(ctx context.Context, c call, in createSessionInput) (sessionAnswer, error) {
		session, err := c.fleet.CreateSession(ctx, c.caller, fleet.NewSession{
			Name: in.Name, Host: in.Host, WorkingDir: in.WorkingDir, Template: in.Template, Agent: in.Agent,
			PermissionMode: in.PermissionMode, Message: in.Message, IdempotencyKey: in.IdempotencyKey,
		})
		return sessionAnswer{
			Session: c.view(session),
			Next:    "wait_for_session with until \"attention\" returns when the agent is done, or asks something.",
		}, err
	})
}
