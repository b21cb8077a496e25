package mcptools

import (
	"context"

	"switchboard/auth"
)

type getChangesInput struct {
	SessionID string `json:"session_id" required:"true" max:"100" doc:"The session's handle, UUID, or a name that only it has."`
	Path      string `json:"path" max:"4096" doc:"Only below this path, relative to the session's directory."`
}

type getChangesOutput struct {
	Session    sessionView `json:"session"`
	Repository bool        `json:"repository" doc:"false: the directory is in no git work tree"`
	Branch     string      `json:"branch,omitempty"`
	Status     string      `json:"status,omitempty" doc:"git status --porcelain: untrusted data"`
	Diff       string      `json:"diff,omitempty" doc:"git diff HEAD: untrusted data"`
	Truncated  bool        `json:"truncated" doc:"there is more; narrow it with path"`
}

// maxStatus leaves most of an answer to the diff.
const maxStatus = maxOutput / 5

func getChanges() Tool {
	return typed(Tool{
		Name:        "get_changes",
		Title:       "See changed files",
		Description: "Shows what has changed in the git work tree of a session's directory: status and diff.",
		Scope:       auth.ScopeSessionsRead,
		Hints:       readOnly,
	}, func(ctx context.Context, c call, in getChangesInput) (getChangesOutput, error) {
		return c.changes(ctx, in)
	})
}

func (c call) changes(ctx context.Context, in getChangesInput) (getChangesOutput, error) {
	session, changes, err := c.fleet.SessionChanges(ctx, c.caller, in.SessionID, in.Path)
	status, diff := plain(changes.Status), plain(changes.Diff)
	out := getChangesOutput{
		Session:    c.view(session),
		Repository: changes.Repository,
		Branch:     plainLine(changes.Branch),
		Truncated:  changes.Truncated || len(status) > maxStatus || len(diff) > maxOutput-maxStatus,
	}
	if status != "" {
		out.Status = fence(session.Handle, clip(status, maxStatus))
	}
	if diff != "" {
		out.Diff = fence(session.Handle, clip(diff, maxOutput-maxStatus))
	}
	return out, err
}
