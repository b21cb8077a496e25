package mcptools

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
)

// Starter is what MCP calls a prompt: a way for a user to begin a conversation, with the facts of the moment. Here a
// prompt is what an agent asks.
type Starter struct {
	Name        string
	Title       string
	Description string
	Scope       auth.Scope

	input object
	run   func(context.Context, call, json.RawMessage) (opening, error)
}

// opening is what a conversation begins with: what the user wants, and what is known.
type opening struct{ wish, facts string }

// Starters are all of them, by name, as mcp-go lists them.
func Starters() []Starter {
	return []Starter{
		morningReport(),
		reviewChanges(),
		startFromTemplate(),
		whatsStuck(),
	}
}

// typedStarter gives a starter its arguments, all of them strings, from the type of its input.
func typedStarter[In any](s Starter, run func(context.Context, call, In) (opening, error)) Starter {
	s.input = objectOf(reflect.TypeFor[In]())
	s.run = func(ctx context.Context, c call, arguments json.RawMessage) (opening, error) {
		var in In
		if err := s.input.decode(arguments, &in); err != nil {
			return opening{}, err
		}
		return run(ctx, c, in)
	}
	return s
}

// listing is the starter as clients see it.
func (s Starter) listing() mcp.Prompt {
	listed := mcp.Prompt{Name: s.Name, Title: s.Title, Description: s.Description}
	for _, f := range s.input.fields {
		listed.Arguments = append(listed.Arguments, mcp.PromptArgument{Name: f.name, Description: f.doc, Required: f.required})
	}
	return listed
}

// starting runs the starter for mcp-go.
func (d *Desk) starting(s Starter) server.PromptHandlerFunc {
	return func(ctx context.Context, request mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		ctx, cancel := context.WithTimeout(ctx, deadline)
		defer cancel()
		arguments, err := marshal(given(request.Params.Arguments))
		if err != nil {
			return nil, err
		}
		reader := d.reader(ctx)
		begin, err := s.run(ctx, reader, arguments)
		if err != nil {
			d.Failed(ctx, codeOf(err), d.explain(ctx, s.Name, reader.caller, err))
			return nil, errFailed
		}
		return mcp.NewGetPromptResult(s.Description, []mcp.PromptMessage{
			mcp.NewPromptMessage(mcp.RoleUser, mcp.NewTextContent(begin.wish)),
			mcp.NewPromptMessage(mcp.RoleUser, mcp.NewTextContent(begin.facts)),
		}), nil
	}
}

// given are the arguments without those that were left empty, as forms send what nobody filled in.
func given(arguments map[string]string) map[string]string {
	given := map[string]string{}
	for name, value := range arguments {
		if strings.TrimSpace(value) != "" {
			given[name] = value
		}
	}
	return given
}

// codeOf tells what is wrong with the request from what is wrong here.
func codeOf(err error) int {
	var argument *argumentError
	if errors.As(err, &argument) || errors.Is(err, auth.ErrNotFound) || errors.Is(err, fleet.ErrInvalid) {
		return mcp.INVALID_PARAMS
	}
	return mcp.INTERNAL_ERROR
}

// maxSessionsShown is how many sessions an opening may tell of.
const maxSessionsShown = 100

// recentSessions are those that live and those that ended within a day.
func (c call) recentSessions(ctx context.Context, host string) ([]fleet.Session, error) {
	page, err := c.fleet.ListSessions(ctx, c.caller, fleet.SessionFilter{Host: host, Recent: true, Limit: maxSessionsShown})
	return page.Sessions, err
}

// openPrompts are the lines about what an agent waits on.
func openPrompts(s fleet.Session) []string {
	var lines []string
	for _, p := range viewPrompts(s.Open) {
		var options []string
		for _, o := range p.Options {
			options = append(options, o.Label)
		}
		lines = append(lines, "  asks since "+p.AskedAt.Format(time.RFC3339)+": "+p.Title+" ["+strings.Join(options, " | ")+"]")
	}
	return lines
}

// facts are the lines, or what to say if there are none.
func facts(what string, lines []string, none string) string {
	if len(lines) == 0 {
		return none
	}
	return fenceOff(what, clip(strings.Join(lines, "\n"), maxOutput))
}
