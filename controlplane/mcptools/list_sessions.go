package mcptools

import (
	"context"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

type listSessionsInput struct {
	Host   string `json:"host" max:"100" doc:"Only sessions on this host: its name or id."`
	State  string `json:"state" enum:"starting,working,waiting,idle,exited,uncertain" doc:"Only sessions in this state. waiting: for the answer to a prompt; idle: for the next message."`
	Cursor string `json:"cursor" max:"500" doc:"next_cursor of the page before."`
}

type listSessionsOutput struct {
	Sessions   []sessionView `json:"sessions" doc:"those that live first, then newest first"`
	NextCursor string        `json:"next_cursor,omitempty" doc:"there are more: give it as cursor"`
	LeftOut    int           `json:"left_out,omitempty" doc:"how many more ended over a day ago; state exited lists them too"`
}

func listSessions() Tool {
	return typed(Tool{
		Name:  "list_sessions",
		Title: "List sessions",
		Description: "Lists the coding-agent sessions on the user's machines, with what each is doing: working, waiting " +
			"for an answer, idle, or ended. Of those that have ended it lists the last day's; with state exited, all. " +
			"Use it to find a session, or when the user asks what is running.",
		Scope: auth.ScopeSessionsRead,
		Hints: readOnly,
	}, func(ctx context.Context, c call, in listSessionsInput) (listSessionsOutput, error) {
		page, err := c.fleet.ListSessions(ctx, c.caller, fleet.SessionFilter{
			Host: in.Host, State: protocol.State(in.State), Recent: true, Cursor: in.Cursor,
		})
		return listSessionsOutput{Sessions: c.views(page.Sessions), NextCursor: page.Next, LeftOut: page.LeftOut}, err
	})
}
