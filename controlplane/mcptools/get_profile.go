package mcptools

import "context"

type getProfileInput struct{}

// getProfileOutput is ChatGPT's shape.
type getProfileOutput struct {
	ID   string `json:"id" doc:"stays the same for this user"`
	Name string `json:"name,omitempty"`
}

// getProfile needs no scope: who holds a token may know whose it is.
func getProfile() Tool {
	return typed(Tool{
		Name:        "get_profile",
		Title:       "Whose account this is",
		Description: "Shows which Switchboard user this connection acts for.",
		Hints:       readOnly,
		Meta:        map[string]any{"openai/profile": true},
	}, func(_ context.Context, c call, _ getProfileInput) (getProfileOutput, error) {
		return getProfileOutput{ID: string(c.caller.User), Name: plainLine(c.caller.UserName)}, nil
	})
}
