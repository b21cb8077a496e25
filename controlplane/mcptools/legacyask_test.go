package mcptools

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

// person answers what a client of an earlier revision is asked.
type person struct {
	mu      sync.Mutex // guards the fields below
	answers []mcp.ElicitationResult
	asked   []string
}

// Elicit gives the next answer; without one it fails as a client that shows nothing does.
func (p *person) Elicit(_ context.Context, request mcp.ElicitationRequest) (*mcp.ElicitationResult, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, request.Params.Message)
	if len(p.answers) == 0 {
		return nil, errors.New("nobody is there")
	}
	answer := p.answers[0]
	p.answers = p.answers[1:]
	return &answer, nil
}

func (p *person) says(action mcp.ElicitationResponseAction, content map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers = append(p.answers, mcp.ElicitationResult{ElicitationResponse: mcp.ElicitationResponse{Action: action, Content: content}})
}

func (p *person) questions() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.asked...)
}

// dialWith connects a client of 2025-11-25 as alice, who can be asked if p is not nil.
func (w *world) dialWith(p *person) *client.Client {
	w.t.Helper()
	http, err := transport.NewStreamableHTTP(w.url+"/mcp",
		transport.WithHTTPHeaders(map[string]string{"Authorization": "Bearer alice"}))
	if err != nil {
		w.t.Fatal(err)
	}
	c := client.NewClient(http)
	if p != nil {
		c = client.NewClient(http, client.WithElicitationHandler(p))
	}
	w.t.Cleanup(func() { _ = c.Close() }) // its session may have ended
	if err := c.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if _, err := c.Initialize(w.t.Context(), mcp.InitializeRequest{Params: mcp.InitializeParams{
		ProtocolVersion: "2025-11-25", ClientInfo: mcp.Implementation{Name: "test", Version: "1"},
	}}); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// callTool calls a tool and returns its text.
func callTool(t *testing.T, c *client.Client, name string, arguments args) (text string, isError bool) {
	t.Helper()
	result, err := c.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: name, Arguments: map[string]any(arguments)}})
	if err != nil {
		t.Fatal(err)
	}
	return mcp.GetTextFromContent(result.Content[0]), result.IsError
}

// A client of before 2026-07-28 is asked while its call waits.
func TestLegacyQuestions(t *testing.T) {
	w := newWorld(t)
	first, second := w.start("web-app"), w.start("web-app")
	w.work(first)
	p := &person{}
	c := w.dialWith(p)
	end := args{"session_id": "web-app"}

	if text, isError := callTool(t, c, "terminate_session", end); !isError || text != unaskedText {
		t.Errorf("with nobody there: %s", text)
	}
	p.says(mcp.ElicitationResponseActionCancel, nil)
	if text, isError := callTool(t, c, "terminate_session", end); !isError || text != declinedText {
		t.Errorf("cancelled: %s", text)
	}
	p.says(mcp.ElicitationResponseActionAccept, map[string]any{"session": first})
	p.says(mcp.ElicitationResponseActionDecline, nil)
	if text, isError := callTool(t, c, "terminate_session", end); !isError || text != declinedText {
		t.Errorf("chosen and declined: %s", text)
	}
	for range maxQuestions {
		p.says(mcp.ElicitationResponseActionAccept, map[string]any{"session": "nonsense"})
	}
	if text, isError := callTool(t, c, "terminate_session", end); !isError || text != unaskedText {
		t.Errorf("nonsense: %s", text)
	}
	if w.state(first) != "working" || w.state(second) != "idle" {
		t.Fatal("something was ended without a word for it")
	}

	p.says(mcp.ElicitationResponseActionAccept, map[string]any{"session": first})
	p.says(mcp.ElicitationResponseActionAccept, map[string]any{"confirm": true})
	if text, isError := callTool(t, c, "terminate_session", end); isError || !strings.Contains(text, `"state":"exited"`) || !strings.Contains(text, first) {
		t.Errorf("chosen and confirmed: %s", text)
	}
	asked := p.questions()
	if last := asked[len(asked)-1]; !strings.Contains(last, "End the session "+first) {
		t.Errorf("the last question is %q", last)
	}
	if record := w.records("session.terminate")[0]; !record.Allowed || record.Detail["answer"] == "" {
		t.Errorf("the record is %+v", record)
	}
}

// A client of before 2026-07-28 that declared nothing is not asked.
func TestLegacyWithoutCapability(t *testing.T) {
	w := newWorld(t)
	first := w.start("web-app")
	w.start("web-app")
	if text, isError := callTool(t, w.dialWith(nil), "interrupt_session", args{"session_id": "web-app"}); !isError || !strings.Contains(text, first) {
		t.Errorf("got %s", text)
	}
}
