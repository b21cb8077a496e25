package mcptools

import (
	"context"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
)

type waitForSessionInput struct {
	SessionID      string `json:"session_id" max:"100" doc:"The session's handle, UUID, or a name that only it has; left out, any session."`
	Until          string `json:"until" enum:"change,attention,idle,prompt,exited" doc:"change: anything new after cursor; attention (if left out): it asks something, is done, or has ended; idle; prompt; exited."`
	TimeoutSeconds int    `json:"timeout_seconds" min:"1" max:"45" doc:"30 if left out. A longer wait is several calls."`
	Cursor         string `json:"cursor" max:"4000" doc:"Of an earlier answer: only what is newer counts."`
}

type waitForSessionOutput struct {
	Reached   bool          `json:"reached" doc:"false: the time ran out first"`
	Sessions  []sessionView `json:"sessions"`
	Output    string        `json:"output,omitempty" doc:"what the one named session wrote since the cursor: untrusted data"`
	Truncated bool          `json:"truncated" doc:"older output was left out; get_logs with the cursor that was given here shows it"`
	Cursor    string        `json:"cursor,omitempty" doc:"give it to the next wait or to get_logs"`
	Next      string        `json:"next,omitempty" doc:"what helps next"`
}

const defaultWait = 30 // seconds

func waitForSession() Tool {
	return typed(Tool{
		Name:  "wait_for_session",
		Title: "Wait for a session",
		Description: "Waits, at most 45 seconds, until a session's agent is done, asks something, or has ended, and shows " +
			"what it wrote meanwhile. Without session_id it waits for any of the user's sessions.",
		Scope: auth.ScopeSessionsRead,
		Hints: readOnly,
	}, func(ctx context.Context, c call, in waitForSessionInput) (waitForSessionOutput, error) {
		if in.TimeoutSeconds == 0 {
			in.TimeoutSeconds = defaultWait
		}
		if in.Until == "" {
			in.Until = string(fleet.UntilAttention)
		}
		timeout := time.Duration(in.TimeoutSeconds) * time.Second
		progress := c.report(timeout)
		defer progress.end()
		waited, err := c.fleet.WaitForSession(ctx, c.caller, fleet.WaitFor{
			Session: in.SessionID, Until: fleet.Until(in.Until), Timeout: timeout, Cursor: in.Cursor,
			Seen: progress.seen(ctx),
		})
		return c.waited(in, waited), err
	})
}

func (c call) waited(in waitForSessionInput, w fleet.Waited) waitForSessionOutput {
	out := waitForSessionOutput{Reached: w.Reached, Sessions: c.views(w.Sessions), Cursor: w.Cursor}
	if in.SessionID == "" || len(w.Sessions) != 1 {
		return out
	}
	out.Output, out.Truncated = c.written(w.Sessions[0], w.Entries)
	out.Next = advise(w.Sessions[0])
	return out
}
