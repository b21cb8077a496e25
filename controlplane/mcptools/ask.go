package mcptools

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
)

// asking is how a client can put a question to its person.
type asking int

const (
	cannotAsk asking = iota
	byResult         // since 2026-07-28: the answer comes with the next call
	byRequest        // before: the client is asked while its call waits
)

// askingOf is what the client has declared: in each request or, before 2026-07-28, when its session began.
func askingOf(ctx context.Context) asking {
	if info := server.RequestProtocolInfoFromContext(ctx); info != nil && info.Modern {
		if info.ClientCapabilities != nil && showsForms(info.ClientCapabilities.Elicitation) {
			return byResult
		}
		return cannotAsk
	}
	session, ok := server.ClientSessionFromContext(ctx).(server.SessionWithClientInfo)
	if ok && showsForms(session.GetClientCapabilities().Elicitation) {
		return byRequest
	}
	return cannotAsk
}

// showsForms reports whether a client shows forms. One that names no mode does.
func showsForms(c *mcp.ElicitationCapability) bool {
	return c != nil && (c.Form != nil || c.URL == nil)
}

// answerKey names our one question among a call's input requests.
const answerKey = "answer"

// maxQuestions bounds what one call may ask: which session, and whether; and that again if it has changed meanwhile.
const maxQuestions = 5

// What a model is told when its user was asked, and nothing was done.
const (
	declinedText = "The user was asked, and does not want it. Nothing was done."
	unaskedText  = "The user could not be asked, or did not answer. Nothing was done."
)

// converse carries a call out, asking the person what only he can say.
func (d *Desk) converse(ctx context.Context, t Tool, caller auth.Caller, request mcp.CallToolRequest) *mcp.CallToolResult {
	way := askingOf(ctx)
	heard, err := d.hear(ctx, t, caller, request)
	if err != nil {
		return d.failed(ctx, t, caller, err)
	}
	for range maxQuestions {
		if heard.no {
			return d.declined(ctx, t, caller, heard)
		}
		c := call{
			fleet:  fleet.Acting{Fleet: d.Fleet, CanAsk: way != cannotAsk, Answer: heard.answer},
			caller: caller, meta: request.Params.Meta, notify: d.Notify,
		}
		out, err := run(ctx, t, c, choose(request.Params.RawArguments, heard.session))
		var question *fleet.Question
		if !errors.As(err, &question) || way == cannotAsk {
			return d.result(ctx, t, caller, out, err)
		}
		ask := newAsked(caller, t.Name, request.Params.RawArguments, d.Fleet.Now())
		ask.Chosen = heard.session
		form := ask.pose(question, named(request.Params.RawArguments), d.Fleet.Now())
		if way == byResult {
			return server.NewInputRequestBuilder(ask.seal(d.Questions)).Elicit(answerKey, form).ToolResult()
		}
		var answered bool
		if heard, answered = ask.put(ctx, form); !answered {
			break
		}
	}
	return mcp.NewToolResultError(unaskedText)
}

// run carries a call out once, within its time.
func run(ctx context.Context, t Tool, c call, arguments json.RawMessage) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	return t.run(ctx, c, arguments)
}

// hear reads the answer that a call brings, if it brings one. One that is not its own counts for nothing.
func (d *Desk) hear(ctx context.Context, t Tool, caller auth.Caller, request mcp.CallToolRequest) (said, error) {
	if request.Params.RequestState == "" {
		return said{}, nil
	}
	ask, ok := openAsked(d.Questions, request.Params.RequestState)
	if !ok {
		return said{}, d.Fleet.RefuseAnswer(ctx, caller, t.Name, "its requestState is not one that was given here")
	}
	if problem := ask.fits(caller, t.Name, request.Params.RawArguments, d.Fleet.Now()); problem != "" {
		return said{}, d.Fleet.RefuseAnswer(ctx, caller, t.Name, problem)
	}
	return ask.hear(server.ElicitationResponse(request.Params.InputResponses, answerKey)), nil
}

// put has a client of an earlier revision ask its person, and waits for the answer; false: there is none.
func (a asked) put(ctx context.Context, form mcp.ElicitationParams) (said, bool) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	result, err := server.ServerFromContext(ctx).RequestElicitation(ctx, mcp.ElicitationRequest{
		Request: mcp.Request{Method: string(mcp.MethodElicitationCreate)}, Params: form,
	})
	if err != nil {
		return said{}, false
	}
	return a.hear(result), true
}

// declined says that nothing was done, since the person does not want it.
func (d *Desk) declined(ctx context.Context, t Tool, caller auth.Caller, heard said) *mcp.CallToolResult {
	if err := d.Fleet.Decline(ctx, caller, t.Name, heard.answer); err != nil {
		return d.failed(ctx, t, caller, err)
	}
	return mcp.NewToolResultError(declinedText)
}

// named is the session that a call's arguments name.
func named(arguments json.RawMessage) string {
	var in struct {
		SessionID string `json:"session_id"`
	}
	_ = json.Unmarshal(arguments, &in) // it was decoded before
	return in.SessionID
}
