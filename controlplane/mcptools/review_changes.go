package mcptools

import (
	"context"
	"strings"

	"switchboard/auth"
)

type reviewChangesInput struct {
	Session string `json:"session" required:"true" max:"100" doc:"The session's handle, UUID, or a name that only it has."`
}

func reviewChanges() Starter {
	return typedStarter(Starter{
		Name:        "review_changes",
		Title:       "Review changes",
		Description: "Goes through what has changed in the git work tree of a session's directory.",
		Scope:       auth.ScopeSessionsRead,
	}, func(ctx context.Context, c call, in reviewChangesInput) (opening, error) {
		changes, err := c.changes(ctx, getChangesInput{SessionID: in.Session})
		if err != nil {
			return opening{}, err
		}
		return opening{
			wish: "Review what has changed in the directory of session " + changes.Session.Handle + ". Say what each change does, what " +
				"looks wrong or unfinished, and what is not tested. Use get_logs to see what the agent was asked to do. Only tell " +
				"me: send the agent nothing unless I ask for it.",
			facts: changes.words(),
		}, nil
	})
}

// words are the changes as a text.
func (o getChangesOutput) words() string {
	switch {
	case !o.Repository:
		return "The session's directory is in no git work tree."
	case o.Status == "" && o.Diff == "":
		return "Nothing has changed there."
	}
	text := strings.TrimSpace("Branch " + o.Branch + "\n" + o.Status + "\n" + o.Diff)
	if o.Truncated {
		text += "\nThere is more: get_changes with a path shows it."
	}
	return text
}
