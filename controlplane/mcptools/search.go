package mcptools

import (
	"context"

	"switchboard/auth"
)

// ChatGPT's company knowledge and deep research look for tools of exactly these two shapes: search takes only query,
// fetch only id, and each answers with one text item.

type searchInput struct {
	Query string `json:"query" required:"true" max:"1000" doc:"Words to look for."`
}

type searchOutput struct {
	Results []searchResult `json:"results"`
}

type searchResult struct {
	ID    string `json:"id" doc:"for fetch"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

func search() Tool {
	return typed(Tool{
		Name:        "search",
		Title:       "Search sessions",
		Description: "Finds sessions, and places in their transcripts, by words. Use fetch to read a result.",
		Scope:       auth.ScopeSessionsRead,
		Hints:       readOnly,
	}, func(ctx context.Context, c call, in searchInput) (searchOutput, error) {
		found, err := c.fleet.Search(ctx, c.caller, in.Query)
		out := searchOutput{Results: []searchResult{}}
		for _, f := range found {
			out.Results = append(out.Results, searchResult{ID: f.ID, Title: plainLine(f.Title), URL: f.URL})
		}
		return out, err
	})
}
