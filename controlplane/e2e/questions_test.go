package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/controlplane/e2e/harness"
)

// somebody answers what the server asks, each question with the next of his answers.
type somebody struct {
	asked   []string
	answers []map[string]any // nil: no
}

// Elicit implements client.ElicitationHandler.
func (s *somebody) Elicit(_ context.Context, request mcp.ElicitationRequest) (*mcp.ElicitationResult, error) {
	s.asked = append(s.asked, request.Params.Message)
	answer := s.answers[0]
	s.answers = s.answers[1:]
	result := &mcp.ElicitationResult{}
	result.Action, result.Content = mcp.ElicitationResponseActionAccept, answer
	if answer == nil {
		result.Action = mcp.ElicitationResponseActionDecline
	}
	return result, nil
}

// TestQuestionsToThePerson lets a public client library ask which of two sessions is meant, and whether it is to end
// while its agent waits for an answer.
func TestQuestionsToThePerson(t *testing.T) {
	w := newWorld(t)
	mac := w.addHost(t, w.admin, "studio")
	for name, era := range map[string]harness.Era{"2026-07-28": harness.Modern, "2025-11-25": harness.Legacy} {
		t.Run(name, func(t *testing.T) {
			s := w.admin.start(t, args{"name": "twin", "working_dir": mac.Project()})
			other := w.admin.start(t, args{"name": "twin", "working_dir": mac.Project()})
			human := &somebody{answers: []map[string]any{
				{"session": s.Handle},
				{"session": s.Handle}, nil,
				{"session": s.Handle}, {"confirm": true},
			}}
			connection, err := harness.DialAsking(t.Context(), w.plane.MCP(), w.admin.tokens.Access, era, human)
			must(t, err)
			defer func() { expect(t, connection.Close()) }()
			p := w.admin
			p.MCP = connection

			must(t, p.Call(t.Context(), "send_message", args{"session_id": "twin", "message": "fake:bash touch asked.txt ;; text done"}, nil))
			w.admin.awaitPrompt(t, s.ID)
			p.wantRefusal(t, "terminate_session", args{"session_id": "twin"}, "does not want it")
			awaitState(t, w.admin, s.ID, "waiting")
			must(t, p.Call(t.Context(), "terminate_session", args{"session_id": "twin"}, nil))
			awaitState(t, w.admin, s.ID, "exited")
			awaitState(t, w.admin, other.ID, "idle")
			if len(human.asked) != 5 || !slices.ContainsFunc(human.asked, func(q string) bool {
				return strings.Contains(q, "End the session "+s.Handle) && strings.Contains(q, "touch asked.txt")
			}) {
				t.Errorf("asked: %q", human.asked)
			}
			must(t, w.admin.Call(t.Context(), "terminate_session", args{"session_id": other.ID}, nil))
		})
	}
	w.awaitNoAgents(t, mac)
}
