package mcptools

import (
	"context"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"switchboard/controlplane/fleet"
)

// What variables of resources' URIs and arguments of prompts stand for, by their names. Others are free text.
const (
	variableSession  = "session"
	variableHost     = "host"
	variableTemplate = "template"
)

// The most that a completion shows, by the protocol, and about the most sessions that are looked through for it.
const (
	maxCompletions     = 100
	maxSessionsMatched = 1000
)

// completer completes what a user types from what he can see. Like other listings, it is not recorded.
type completer struct{ desk *Desk }

// CompleteResourceArgument completes a variable of a resource template.
func (c completer) CompleteResourceArgument(ctx context.Context, uri string, argument mcp.CompleteArgument, _ mcp.CompleteContext,
) (*mcp.Completion, error) {
	for _, kind := range resourceKinds() {
		if kind.uri.template() == uri && kind.uri.variable == argument.Name {
			return c.complete(ctx, argument)
		}
	}
	return c.refuse(ctx, "ref.uri, argument.name: there is no such resource template, or no such variable in it")
}

// CompletePromptArgument completes an argument of a prompt.
func (c completer) CompletePromptArgument(ctx context.Context, prompt string, argument mcp.CompleteArgument, _ mcp.CompleteContext,
) (*mcp.Completion, error) {
	for _, starter := range Starters() {
		if starter.Name == prompt && starter.input.has(argument.Name) {
			return c.complete(ctx, argument)
		}
	}
	if hasArgument(c.desk.server.ListPrompts()[prompt], argument.Name) { // one that was added to ours
		return &mcp.Completion{}, nil
	}
	return c.refuse(ctx, "ref.name, argument.name: there is no such prompt, or it takes no such argument")
}

func hasArgument(prompt *server.ServerPrompt, name string) bool {
	return prompt != nil && slices.ContainsFunc(prompt.Prompt.Arguments, func(a mcp.PromptArgument) bool { return a.Name == name })
}

func (c completer) refuse(ctx context.Context, why string) (*mcp.Completion, error) {
	c.desk.Failed(ctx, mcp.INVALID_PARAMS, why)
	return nil, errFailed
}

func (c completer) complete(ctx context.Context, argument mcp.CompleteArgument) (*mcp.Completion, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	reader := c.desk.reader(ctx)
	names, more, err := reader.candidates(ctx, argument.Name)
	if err != nil && !lacksScope(err) { // who may list none gets none
		c.desk.Failed(ctx, mcp.INTERNAL_ERROR, c.desk.explain(ctx, "completion/complete", reader.caller, err))
		return nil, errFailed
	}
	return completion(names, argument.Value, more), nil
}

// completion keeps the names that begin with what was typed, whatever the case.
func completion(names []string, typed string, more bool) *mcp.Completion {
	typed = strings.ToLower(strings.TrimSpace(typed))
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(strings.ToLower(name), typed) })
	slices.Sort(names)
	return &mcp.Completion{
		Values: names[:min(len(names), maxCompletions)], Total: len(names), HasMore: more || len(names) > maxCompletions,
	}
}

// candidates are all that an argument can be; more: there are others, which were not looked at.
func (c call) candidates(ctx context.Context, argument string) (names []string, more bool, err error) {
	switch argument {
	case variableSession:
		return c.handles(ctx)
	case variableHost:
		hosts, err := c.fleet.ListHosts(ctx, c.caller)
		for _, h := range hosts {
			names = append(names, plainLine(h.Name))
		}
		return names, false, err
	case variableTemplate:
		templates, err := c.fleet.Templates(ctx, c.caller)
		for _, t := range templates {
			names = append(names, plainLine(t.Name))
		}
		return names, false, err
	}
	return nil, false, nil
}

// handles are those of the sessions that live, and then of the newest that ended.
func (c call) handles(ctx context.Context) (handles []string, more bool, err error) {
	filter := fleet.SessionFilter{Limit: 200}
	for len(handles) < maxSessionsMatched {
		page, err := c.fleet.ListSessions(ctx, c.caller, filter)
		if err != nil {
			return nil, false, err
		}
		for _, s := range page.Sessions {
			handles = append(handles, s.Handle)
		}
		if page.Next == "" {
			return handles, false, nil
		}
		filter.Cursor = page.Next
	}
	return handles, true, nil
}
