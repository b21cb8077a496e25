package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"switchboard/hostagent/protocol"
)

// TestTranscriptTellsWho: what was asked and answered stands where it happened, a subagent's words are its own, and what
// all that took is said.
func TestTranscriptTellsWho(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	b := s.browser(t, &s.admin)
	session := h.start(t, s.admin)
	at := "/sessions/" + string(session.ID)
	b.get(at).wants(http.StatusOK).lacks("tokens")
	h.tell(t, session.ID, protocol.EventEntry, protocol.Entry{
		Role: protocol.RoleToolCall, Tool: "Agent", ToolUse: "t1", Input: json.RawMessage(`{"prompt":"look around"}`),
	})
	sub := protocol.Entry{Subagent: "Explore", SubagentID: "a2fb1fd16be3a9bd6", SubagentCall: "t1"}
	asked, said := sub, sub
	asked.Role, asked.Text = protocol.RoleUser, "look around"
	said.Role, said.Text = protocol.RoleAssistant, "nothing here"
	said.Usage = &protocol.ReplyUsage{Reply: "m1", Usage: protocol.Usage{Input: 12_000, Output: 345, CacheRead: 30_000}}
	h.tell(t, session.ID, protocol.EventEntry, asked)
	h.tell(t, session.ID, protocol.EventEntry, said)
	prompt := h.ask(t, protocol.Prompt{Session: session.ID, Kind: protocol.PromptPlan, Title: "Approve the plan", Detail: "1. <b>Rewrite</b>"})
	h.tell(t, session.ID, protocol.EventSettlement, protocol.Settlement{
		Prompt: prompt.ID, Outcome: protocol.OutcomeDenied, Where: protocol.WhereRemote, Actor: "Ada", Answer: "No; smaller", Evidence: "transcript",
	})
	h.ask(t, protocol.Prompt{
		Session: session.ID, Kind: protocol.PromptElicitation, Subagent: "Plan", Title: "MCP server asker asks: Which colour?", Detail: "Which colour?",
		Questions: []protocol.Question{{Text: "Colour"}}, AllowsText: true,
	})
	h.tell(t, session.ID, protocol.EventUsage, protocol.SessionUsage{
		Main: protocol.Usage{Input: 9, Output: 1}, Subagents: protocol.Usage{Input: 2_000_000, Output: 345},
	})
	shown := b.get(at).wants(http.StatusOK, "to a subagent", "subagent Explore a2fb1fd1", "42k tokens in, 345 out", "Asked", "1. <b>Rewrite</b>",
		"Approve the plan: Denied by Ada, remotely: “No; smaller” (known by transcript)",
		"2.0M tokens in, 346 out", "of that subagents 2.0M tokens in, 345 out", "cost not known").lacks("<b>Rewrite", "$", "<pre tabindex=\"0\">Which colour?")
	if !strings.Contains(shown.text, `<span>subagent Plan</span></div><details><summary><b>Asked</b>`) {
		t.Error("a subagent's question is not shown as one's")
	}
	cost := 1.5
	h.tell(t, session.ID, protocol.EventUsage, protocol.SessionUsage{Main: protocol.Usage{Output: 1}, CostUSD: &cost, CostPartial: true})
	b.get(at).wants(http.StatusOK, "$1.50 and more").lacks("of that subagents")
}
