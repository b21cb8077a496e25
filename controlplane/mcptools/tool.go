package mcptools

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"runtime/debug"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
)

// Tool is one MCP tool.
type Tool struct {
	Name        string
	Title       string
	Description string
	Scope       auth.Scope // empty: any token will do
	Hints       Hints
	Meta        map[string]any

	input  object
	output object
	run    func(context.Context, call, json.RawMessage) (any, error)
}

// Hints are what a client may conclude before it calls. ChatGPT asks its user before each tool that is not ReadOnly.
type Hints struct {
	ReadOnly    bool
	Destructive bool // it may end or change what cannot be brought back
	Idempotent  bool // calling it again changes nothing more
	OpenWorld   bool // what follows from it may reach beyond the user's machines
}

var readOnly = Hints{ReadOnly: true, Idempotent: true}

// call is one call of a tool.
type call struct {
	fleet  fleet.Acting
	caller auth.Caller
	meta   *mcp.Meta
	notify func(ctx context.Context, method mcp.MCPMethod, params any) error
}

// deadline is how long a tool may take, without the time for which it waits for a person's answer: ChatGPT gives up at about 60 s, sometimes without closing its connection.
const deadline = 50 * time.Second

// typed gives a tool its schemas, from the types of its input and output, and its strict decoding.
func typed[In, Out any](t Tool, run func(context.Context, call, In) (Out, error)) Tool {
	t.input = objectOf(reflect.TypeFor[In]())
	t.output = objectOf(reflect.TypeFor[Out]())
	t.run = func(ctx context.Context, c call, arguments json.RawMessage) (any, error) {
		var in In
		if err := t.input.decode(arguments, &in); err != nil {
			return nil, err
		}
		return run(ctx, c, in)
	}
	return t
}

// listing is the tool as clients see it.
func (t Tool) listing() mcp.Tool {
	meta := map[string]any{"securitySchemes": t.securitySchemes()}
	for key, value := range t.Meta {
		meta[key] = value
	}
	return mcp.Tool{
		Name:            t.Name,
		Title:           t.Title,
		Description:     t.Description,
		RawInputSchema:  t.input.schema(strict),
		RawOutputSchema: t.output.schema(open),
		Annotations: mcp.ToolAnnotation{
			Title:           t.Title,
			ReadOnlyHint:    &t.Hints.ReadOnly,
			DestructiveHint: &t.Hints.Destructive,
			IdempotentHint:  &t.Hints.Idempotent,
			OpenWorldHint:   &t.Hints.OpenWorld,
		},
		Icons: []mcp.Icon{t.Hints.icon()},
		Meta:  &mcp.Meta{AdditionalFields: meta},
	}
}

// securityScheme is ChatGPT's extension that says which scopes a tool needs.
type securityScheme struct {
	Type   string      `json:"type"`
	Scopes auth.Scopes `json:"scopes"`
}

func (t Tool) securitySchemes() []securityScheme {
	scopes := auth.Scopes{}
	if t.Scope != "" {
		scopes = append(scopes, t.Scope)
	}
	return []securityScheme{{Type: "oauth2", Scopes: scopes}}
}

// handler runs the tool for mcp-go. Whatever goes wrong becomes a result that the model can read.
func (d *Desk) handler(t Tool) server.ToolHandlerFunc {
	return func(ctx context.Context, request mcp.CallToolRequest) (result *mcp.CallToolResult, _ error) {
		defer func() {
			if cause := recover(); cause != nil {
				d.Log.ErrorContext(ctx, "panic in tool", "tool", t.Name, "panic", cause, "stack", string(debug.Stack()))
				result = mcp.NewToolResultError(internalError)
			}
		}()
		caller, ok := d.Caller(ctx)
		if !ok {
			return d.failed(ctx, t, auth.Caller{}, errors.New("a call without a caller")), nil
		}
		return d.converse(ctx, t, caller, request), nil
	}
}

// result is what a call came to.
func (d *Desk) result(ctx context.Context, t Tool, caller auth.Caller, out any, err error) *mcp.CallToolResult {
	if err != nil {
		return d.failed(ctx, t, caller, err)
	}
	encoded, err := encode(out)
	if err != nil {
		return d.failed(ctx, t, caller, err)
	}
	return encoded
}

// encode gives the answer twice, for clients that read structured content and for those that do not.
func encode(out any) (*mcp.CallToolResult, error) {
	text, err := marshal(out)
	if err != nil {
		return nil, err
	}
	return &mcp.CallToolResult{
		Content:           []mcp.Content{mcp.NewTextContent(string(text))},
		StructuredContent: out, // mcp-go would scan bytes once more than it takes to write them
	}, nil
}
