package stage

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"switchboard/hostagent/agentkind"
)

// Hook waits for the n-th hook of an event, from 1.
func (s *Stage) Hook(event string, n int) *Fired {
	s.Until(fmt.Sprintf("hook %s (number %d); fired: %s", event, n, strings.Join(s.Hooks.Events(), " ")), func() bool { return len(s.Hooks.Of(event)) >= n })
	return s.Hooks.Of(event)[n-1]
}

// Fields checks that a payload has these fields, not empty, and returns a few words of evidence.
func (s *Stage) Fields(f *Fired, names ...string) string {
	var got map[string]json.RawMessage
	s.Check(json.Unmarshal(f.Payload, &got))
	var missing []string
	for _, name := range names {
		if value := string(got[name]); value == "" || value == `""` || value == "null" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		s.Fail("%s has no %s: %s", f.Event, strings.Join(missing, ", "), f.Payload)
	}
	return f.Event + " with " + strings.Join(names, ", ")
}

// Parse reads a payload as the host agent does.
func (s *Stage) Parse(f *Fired) agentkind.Hook {
	hook, err := s.Kind.ReadHook(f.Payload)
	if err != nil {
		s.Fail("%s is not understood: %v: %s", f.Event, err, f.Payload)
	}
	return hook
}

// Reply answers a held hook as the host agent does.
func (s *Stage) Reply(f *Fired, answer agentkind.Answer) {
	answer.Actor = "Alice"
	text, err := s.Kind.Reply(f.Payload, answer)
	if err != nil {
		s.Fail("%s cannot be answered: %v: %s", f.Event, err, f.Payload)
	}
	s.Check(f.Answer(text))
}

// Ask sends a message whose script opens a dialog, and waits for its hook.
func (s *Stage) Ask(script string) *Fired {
	n := len(s.Hooks.Of(s.Kind.HeldHook))
	s.Send(script)
	return s.Hook(s.Kind.HeldHook, n+1)
}

// TranscriptFile is where the conversation is kept, as the last SessionStart told it.
func (s *Stage) TranscriptFile() string {
	started := s.Hooks.Of("SessionStart")
	return s.Parse(started[len(started)-1]).Transcript
}

// Transcript reads the conversation's file as the host agent does.
func (s *Stage) Transcript() []agentkind.Line { return s.Lines(s.TranscriptFile()) }

// Lines reads a transcript that may not be there yet, as far as its lines are whole.
func (s *Stage) Lines(file string) []agentkind.Line {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	s.Check(err)
	var all []agentkind.Line
	for line := range strings.Lines(string(text)) {
		if !strings.HasSuffix(line, "\n") {
			break
		}
		lines, err := s.Kind.ReadTranscript([]byte(strings.TrimSuffix(line, "\n")))
		if err != nil {
			s.Fail("a line of the transcript is not understood: %v: %.200s", err, line)
		}
		all = append(all, lines...)
	}
	return all
}

// Tells waits for a line of the transcript.
func (s *Stage) Tells(what string, met func(agentkind.Line) bool) agentkind.Line {
	var found agentkind.Line
	s.Until(what+" in the transcript", func() bool {
		for _, line := range s.Transcript() {
			if met(line) {
				found = line
				return true
			}
		}
		return false
	})
	return found
}

// Result waits for the line of a tool's result.
func (s *Stage) Result(met func(agentkind.Line) bool) agentkind.Line {
	return s.Tells("the tool's result", func(l agentkind.Line) bool { return l.Kind == agentkind.LineToolResult && met(l) })
}
