package agentkind

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// transcriptLine is the first line of a scene's transcript that holds a text.
func transcriptLine(t *testing.T, lines []json.RawMessage, holds string) []byte {
	t.Helper()
	for _, line := range lines {
		if strings.Contains(string(line), holds) {
			return line
		}
	}
	t.Fatalf("no line holds %s", holds)
	return nil
}

// used is what one line says of a reply.
func used(t *testing.T, line []byte) []Line {
	t.Helper()
	lines, err := Claude().ReadTranscript(line)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range lines {
		lines[i] = Line{Kind: l.Kind, Reply: l.Reply, Use: l.Use, Cost: l.Cost}
	}
	return lines
}

// TestClaudeUse: a reply's use stands on the first thing that a line of it says, and, with all that it cost, on lines
// that say nothing.
func TestClaudeUse(t *testing.T) {
	transcript := scene(t, "bash").Transcript
	said := transcriptLine(t, transcript, `"end_turn"`)
	message := func(content, usage any) []byte {
		return with(t, said, "message", map[string]any{"id": "msg_1", "content": content, "usage": usage})
	}
	text := []map[string]string{{"type": "text", "text": "a"}, {"type": "text", "text": "b"}}
	thinking := []map[string]string{{"type": "thinking", "thinking": "…"}}
	counts := map[string]int{"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 4}
	use := &Use{Input: 1, Output: 2, CacheRead: 3, CacheWrite: 4}
	cost := transcriptLine(t, transcript, `"cost-state"`)
	for name, test := range map[string]struct {
		line []byte
		want []Line
	}{
		"two texts":      {message(text, counts), []Line{{Kind: LineAssistant, Reply: "msg_1", Use: use}, {Kind: LineAssistant}}},
		"thinking":       {message(thinking, counts), []Line{{Kind: LineUse, Reply: "msg_1", Use: use}}},
		"no numbers":     {message(text, map[string]any{"input_tokens": "1"}), []Line{{Kind: LineAssistant}, {Kind: LineAssistant}}},
		"beyond belief":  {message(text, map[string]any{"input_tokens": -1, "output_tokens": 1e300}), []Line{{Kind: LineAssistant}, {Kind: LineAssistant}}},
		"no use":         {message(thinking, nil), nil},
		"unknown prices": {with(t, cost, "hasUnknownModelCost", true), nil},
		"a debt":         {with(t, cost, "totalCostUSD", -1), nil},
		"several models": {
			with(t, with(t, cost, "totalCostUSD", 0.25), "modelUsage", map[string]map[string]int{
				"a": {"inputTokens": 1, "outputTokens": 2, "cacheReadInputTokens": 3, "cacheCreationInputTokens": 4}, "b": {"inputTokens": 10},
			}),
			[]Line{{Kind: LineUse, Cost: &Cost{USD: 0.25, Tokens: 20}}},
		},
	} {
		if diff := cmp.Diff(test.want, used(t, test.line)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestClaudeCostIsOfAllReplies: what the CLI says that a conversation has cost is for the tokens of its replies.
func TestClaudeCostIsOfAllReplies(t *testing.T) {
	replies := map[string]int64{}
	var cost *Cost
	for _, line := range scene(t, "bash").Transcript {
		for _, l := range used(t, line) {
			if l.Use != nil {
				replies[l.Reply] = l.Use.Total()
			}
			if l.Cost != nil {
				cost = l.Cost
			}
		}
	}
	var sum int64
	for _, tokens := range replies {
		sum += tokens
	}
	if cost == nil || cost.Tokens != sum || cost.USD <= 0 {
		t.Errorf("cost %+v of %d tokens", cost, sum)
	}
}

// TestClaudeSidechains: a subagent's lines say that they are one's, and whose kind if they are its words. A line that was
// copied says from where.
func TestClaudeSidechains(t *testing.T) {
	recorded := scene(t, "subagent")
	words := 0
	for _, line := range recorded.Subagent {
		lines, err := Claude().ReadTranscript(line)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			if !l.Sidechain || (l.Kind == LineAssistant || l.Kind == LineToolCall) && l.Subagent != "general-purpose" {
				t.Errorf("line %+v", l)
			}
			words++
		}
	}
	if words == 0 {
		t.Error("the subagent says nothing")
	}
	copied := with(t, transcriptLine(t, recorded.Transcript, `"end_turn"`), "forkedFrom", map[string]string{"sessionId": "c1", "messageUuid": "u"})
	lines, err := Claude().ReadTranscript(copied)
	if err != nil || len(lines) == 0 || lines[0].Forked != "c1" || lines[0].Sidechain {
		t.Errorf("a copied line: %+v, %v", lines, err)
	}
}
