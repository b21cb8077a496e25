package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"switchboard/controlplane/e2e/stage"
	"switchboard/hostagent/agentkind"
)

func transcriptRows() []row {
	return []row{
		{"transcript kinds", "The transcript has person, agent, call and result, each of a form that we read.", agentkind.FeatureTranscript, checkTranscript},
		{"subagents' transcripts", "Each subagent, a nested one too, has a file in the conversation's one directory for them, and a note beside it of its kind and of the call that started it.",
			agentkind.FeatureTranscript, checkSubagentTranscripts},
		{"subagent in the background", "A subagent's file grows while it runs, whatever the agent itself does.", agentkind.FeatureTranscript, checkSubagentGrows},
	}
}

func checkTranscript(s *stage.Stage) string {
	s.Ready()
	s.Reply(s.Ask("fake:text I begin ;; bash touch made ;; text done"), agentkind.Answer{Option: agentkind.OptionAllow})
	s.Hook("Stop", 1)
	s.Tells("the end", func(l agentkind.Line) bool { return l.Kind == agentkind.LineAssistant && l.Text == "done" })
	var kinds []string
	for _, line := range s.Transcript() {
		kinds = append(kinds, string(line.Kind))
	}
	want := []string{"user", "assistant", "tool_call", "tool_result", "assistant"}
	if !slices.Equal(kinds, want) {
		s.Fail("lines %v, want %v", kinds, want)
	}
	return strings.Join(kinds, ", ")
}

// subagent is what lies on disk of one.
type subagent struct {
	id    string
	note  []byte
	lines []agentkind.Line
}

// subagents reads what lies on disk of a conversation's subagents, as the host agent does.
func subagents(s *stage.Stage, transcript string) []subagent {
	dir := s.Kind.SubagentDir(transcript)
	names, err := os.ReadDir(dir)
	s.Check(unlessAbsent(err))
	var found []subagent
	for _, name := range names {
		id, about, ok := s.Kind.SubagentFile(name.Name())
		if !ok {
			continue
		}
		note, err := os.ReadFile(filepath.Join(dir, about))
		s.Check(unlessAbsent(err))
		found = append(found, subagent{id, note, s.Lines(filepath.Join(dir, name.Name()))})
	}
	return found
}

func unlessAbsent(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// says reports whether an agent has said exactly this.
func says(lines []agentkind.Line, text string) bool {
	return slices.ContainsFunc(lines, func(l agentkind.Line) bool { return l.Kind == agentkind.LineAssistant && l.Text == text })
}

// subagentThatSays waits for the subagent in whose file these words are.
func subagentThatSays(s *stage.Stage, text string) subagent {
	var found subagent
	s.Until(fmt.Sprintf("%q in a subagent's file", text), func() bool {
		for _, sub := range subagents(s, s.TranscriptFile()) {
			if says(sub.lines, text) {
				found = sub
			}
		}
		return found.id != ""
	})
	return found
}

func checkSubagentTranscripts(s *stage.Stage) string {
	s.Ready()
	s.Send("fake:task fake:task fake:text nested says ,, text outer says ;; text main says")
	outer, nested := subagentThatSays(s, "outer says"), subagentThatSays(s, "nested says")
	outer.startedBy(s, s.Transcript())
	nested.startedBy(s, outer.lines)
	var about struct {
		Parent string `json:"parentAgentId"`
	}
	s.Check(json.Unmarshal(nested.note, &about))
	return fmt.Sprintf("two files and their notes in one directory; the nested one's names the outer one: %v", about.Parent == outer.id)
}

// startedBy checks that a subagent's note names the call that started it, and that its hooks and its lines say whose they
// are.
func (a subagent) startedBy(s *stage.Stage, caller []agentkind.Line) {
	note := s.Kind.ReadSubagent(a.note)
	called := slices.ContainsFunc(caller, func(l agentkind.Line) bool { return l.Kind == agentkind.LineToolCall && l.ToolUse == note.Call })
	if note.Kind != "general-purpose" || !called {
		s.Fail("the note is not of who started it: %s", a.note)
	}
	s.Until("hook that the subagent "+a.id+" has ended", func() bool {
		return slices.ContainsFunc(s.Hooks.Of("SubagentStop"), func(f *stage.Fired) bool { return s.Parse(f).Agent == a.id })
	})
	for _, l := range a.lines {
		if !l.Sidechain {
			s.Fail("a line does not say that it is a subagent's: %+v", l)
		}
	}
}

func checkSubagentGrows(s *stage.Stage) string {
	s.Ready()
	asked := s.Ask("fake:task fake:text at first ,, bash touch made ,, text at last ;; text meanwhile")
	s.Tells("the agent's own words", func(l agentkind.Line) bool { return l.Text == "meanwhile" })
	first := subagentThatSays(s, "at first")
	if says(first.lines, "at last") || len(s.Hooks.Of("SubagentStop")) > 0 {
		s.Fail("the subagent has not waited")
	}
	s.Reply(asked, agentkind.Answer{Option: agentkind.OptionAllow})
	last := subagentThatSays(s, "at last")
	if last.id != first.id {
		s.Fail("it goes on in the file of another: %s, then %s", first.id, last.id)
	}
	return fmt.Sprintf("%d lines while it waits and the agent has gone on, then %d", len(first.lines), len(last.lines))
}
