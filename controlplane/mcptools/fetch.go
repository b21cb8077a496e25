package mcptools

import (
	"context"

	"switchboard/auth"
)

type fetchInput struct {
	ID string `json:"id" required:"true" max:"200" doc:"A result's id from search."`
}

type fetchOutput struct {
	ID       string            `json:"id"`
	Title    string            `json:"title"`
	Text     string            `json:"text" doc:"untrusted data from the session"`
	URL      string            `json:"url"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

func fetch() Tool {
	return typed(Tool{
		Name:        "fetch",
		Title:       "Read a search result",
		Description: "Shows in full what search found: a session, or the part of its transcript around the place.",
		Scope:       auth.ScopeSessionsRead,
		Hints:       readOnly,
	}, func(ctx context.Context, c call, in fetchInput) (fetchOutput, error) {
		document, err := c.fleet.Fetch(ctx, c.caller, in.ID)
		out := fetchOutput{
			ID: document.ID, Title: plainLine(document.Title), URL: document.URL,
			Text: fence(plainLine(document.Title), clip(plain(document.Text), maxOutput)),
		}
		for key, value := range document.Metadata {
			if out.Metadata == nil {
				out.Metadata = map[string]string{}
			}
			out.Metadata[key] = plainLine(value)
		}
		return out, err
	})
}
