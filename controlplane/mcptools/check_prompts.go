package mcptools

import (
	"context"

	"switchboard/auth"
)

type checkPromptsInput struct {
	Host      string `json:"host" max:"100" doc:"Only on this host: its name or id."`
	SessionID string `json:"session_id" max:"100" doc:"Only of this session: its handle, UUID, or a name that only it has."`
}

type checkPromptsOutput struct {
	Prompts []promptView `json:"prompts" doc:"oldest first"`
	Next    string       `json:"next,omitempty" doc:"what helps next"`
}

func checkPrompts() Tool {
	return typed(Tool{
		Name:  "check_prompts",
		Title: "See open prompts",
		Description: "Lists the questions and permission requests that agents are waiting on, with the answers that each " +
			"takes. Use it when the user asks whether anything is stuck or waiting.",
		Scope: auth.ScopeSessionsRead,
		Hints: readOnly,
	}, func(ctx context.Context, c call, in checkPromptsInput) (checkPromptsOutput, error) {
		prompts, err := c.fleet.Prompts(ctx, c.caller, in.Host, in.SessionID)
		out := checkPromptsOutput{Prompts: viewPrompts(prompts)}
		if len(prompts) > 0 {
			out.Next = "Show the user what is asked. Give the user's answer with respond_to_prompt; do not decide for the user."
		}
		return out, err
	})
}
