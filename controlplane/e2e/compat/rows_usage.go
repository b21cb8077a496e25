package main

import (
	"fmt"
	"slices"
	"strings"
	"syscall"

	"switchboard/controlplane/e2e/stage"
	"switchboard/hostagent/agentkind"
)

func usageRows() []row {
	return []row{
		{"usage of a reply", "Each line of a reply has the reply's id and the same usage, which is the whole reply's.", agentkind.FeatureUsage, checkReplyUsage},
		{"cost at exit", "The program ends with a line of what the conversation has cost in all its runs, for the tokens of all its replies, subagents' included.",
			agentkind.FeatureUsage, checkExitCost},
		{"cost at /clear", "The same for the conversation that is left; the next one counts from nothing.", agentkind.FeatureUsage, checkClearCost},
	}
}

func checkReplyUsage(s *stage.Stage) string {
	s.Ready()
	s.Send("fake:multi text several blocks && read ./none && read ./nothing ;; text the end")
	s.Tells("the end", func(l agentkind.Line) bool { return l.Text == "the end" })
	replies, parts, most := map[string]agentkind.Use{}, map[string]int{}, 0
	for _, l := range s.Transcript() {
		if l.Kind != agentkind.LineAssistant && l.Kind != agentkind.LineToolCall {
			continue
		}
		if l.Reply == "" || l.Use == nil || l.Use.Input == 0 || l.Use.Output < 2 { // 1 is what the model says when it begins
			s.Fail("a line does not say what its reply took: %+v, %+v", l, l.Use)
		}
		if known, ok := replies[l.Reply]; ok && known != *l.Use {
			s.Fail("a reply took %+v, and then %+v", known, *l.Use)
		}
		replies[l.Reply] = *l.Use
		parts[l.Reply]++
		most = max(most, parts[l.Reply])
	}
	if len(replies) != 2 || most != 3 {
		s.Fail("%d replies, of at most %d lines", len(replies), most)
	}
	return fmt.Sprintf("%d lines of one reply, each with the same usage", most)
}

// sideTokens bounds what the CLI's own calls of the model take, such as for a title. They are in its cost, and in no
// transcript.
const sideTokens = 50

// lastCost checks that the last cost that a conversation's file tells is for the tokens that its replies took.
func lastCost(s *stage.Stage, transcript string) agentkind.Cost {
	lines := s.Lines(transcript)
	for _, sub := range subagents(s, transcript) {
		lines = append(lines, sub.lines...)
	}
	replies := map[string]int64{}
	var cost agentkind.Cost
	for _, l := range lines {
		if l.Use != nil {
			replies[l.Reply] = l.Use.Total()
		}
		if l.Cost != nil {
			cost = *l.Cost
		}
	}
	var counted int64
	for _, tokens := range replies {
		counted += tokens
	}
	if cost.USD <= 0 || cost.Tokens < counted || cost.Tokens > counted+sideTokens {
		s.Fail("the cost is $%.6f for %d tokens; the replies took %d", cost.USD, cost.Tokens, counted)
	}
	return cost
}

func checkExitCost(s *stage.Stage) string {
	s.Ready()
	asked := s.Ask("fake:task fake:bash touch made ;; text meanwhile")
	s.Hook("Stop", 1)
	s.Reply(asked, agentkind.Answer{Option: agentkind.OptionAllow})
	s.Hook("UserPromptSubmit", 2) // the agent is told of the subagent's end
	s.Hook("Stop", 2)
	s.Leave(syscall.SIGTERM)
	first := lastCost(s, s.TranscriptFile())
	s.Start(true)
	s.Hook("SessionStart", 2)
	s.Becomes(agentkind.ActivityIdle)
	s.Send("once more")
	s.Hook("Stop", 3)
	s.Becomes(agentkind.ActivityIdle)
	s.Command("/exit")
	s.Exits()
	second := lastCost(s, s.TranscriptFile())
	if second.USD <= first.USD || second.Tokens <= first.Tokens {
		s.Fail("the second run says %+v, the first one %+v", second, first)
	}
	return fmt.Sprintf("SIGTERM: $%.6f for %d tokens; resumed, /exit: $%.6f for %d", first.USD, first.Tokens, second.USD, second.Tokens)
}

func checkClearCost(s *stage.Stage) string {
	s.Ready()
	s.Send("before " + strings.Repeat("words ", 500))
	s.Hook("Stop", 1)
	s.Becomes(agentkind.ActivityIdle)
	left := s.TranscriptFile()
	s.Command("/clear")
	s.Hook("SessionStart", 2)
	s.Becomes(agentkind.ActivityIdle)
	s.Until("line about the cost", func() bool {
		return slices.ContainsFunc(s.Lines(left), func(l agentkind.Line) bool { return l.Cost != nil })
	})
	before := lastCost(s, left)
	s.Send("after")
	s.Hook("Stop", 2)
	s.Leave(syscall.SIGTERM)
	after := lastCost(s, s.TranscriptFile())
	if again := lastCost(s, left); again != before {
		s.Fail("the cost of what was left became %+v, from %+v", again, before)
	}
	return fmt.Sprintf("left: $%.6f for %d tokens; the next: $%.6f for %d", before.USD, before.Tokens, after.USD, after.Tokens)
}
