package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"switchboard/hostagent/agentkind"
)

func stateRows() []row {
	return []row{
		{"Stop", "Stop ends a turn and tells the agent's last words.", agentkind.FeatureState, checkStop},
		{"interrupt", "Esc ends a turn without any hook; status and transcript say so.", agentkind.FeatureInterrupt, checkInterrupt},
		{"interrupt after quiet", "The same when nothing has happened for more than 5 s.", agentkind.FeatureInterrupt, checkInterruptQuiet},
		{"interrupt before an answer", "Esc before the model has answered takes the message back into the input box; the status says idle.",
			agentkind.FeatureInterrupt, checkInterruptEarly},
		{"API error 400", "StopFailure ends the turn and names the error.", agentkind.FeatureReasons, checkAPIError(400)},
		{"API error 401", "The same for a key that is refused.", agentkind.FeatureReasons, checkAPIError(401)},
		{"API error 500", "The same after the CLI's own retries.", agentkind.FeatureReasons, checkAPIError(500)},
		{"API error 529", "The same while the API is overloaded.", agentkind.FeatureReasons, checkAPIError(529)},
		{"rate limit", "The same for a rate limit.", agentkind.FeatureReasons, checkAPIError(429)},
		{"retries", "While the CLI tries a broken API again, its status is busy and no hook says that the turn is over.",
			agentkind.FeatureReasons, checkRetries},
		{"/compact", "PreCompact and PostCompact fire, the transcript has the boundary, and the status goes busy and back.",
			agentkind.FeatureReasons, checkCompact},
		{"auto-compaction", "A full context is compacted by itself within the turn, with PreCompact of the trigger auto.",
			agentkind.FeatureReasons, checkAutoCompact},
		{"transcript kinds", "The transcript has person, agent, call and result, each of a form that we read.", agentkind.FeatureTranscript, checkTranscript},
		{"dialog of a command", "A dialog that no hook reports shows in the status file as waiting.", agentkind.FeatureState, checkCommandDialog},
	}
}

func checkStop(s *stage) string {
	s.ready()
	s.send("fake:text the end")
	stop := s.hook("Stop", 1)
	s.becomes(agentkind.ActivityIdle)
	return s.fields(stop, "session_id", "last_assistant_message", "permission_mode")
}

func checkInterrupt(s *stage) string { return s.interrupt(0) }

func checkInterruptQuiet(s *stage) string { return s.interrupt(6 * time.Second) }

// interrupt presses Esc in a turn that has said something, after it has been quiet for a while.
func (s *stage) interrupt(quiet time.Duration) string {
	s.ready()
	if quiet > 0 {
		s.reply(s.ask("fake:bash tail -f run-tests.sh > made"), agentkind.Answer{Option: agentkind.OptionAllow})
		s.sleep(quiet)
	} else {
		s.send("fake:slow 30")
		s.shows("line 2 of a slow answer")
	}
	s.becomes(agentkind.ActivityBusy)
	s.keys(string(s.kind.Interrupt))
	s.becomes(agentkind.ActivityIdle)
	line := s.tells("the interruption", func(l agentkind.Line) bool { return l.Kind == agentkind.LineInterrupted })
	if n := len(s.hooks.of("Stop")) + len(s.hooks.of("StopFailure")); n > 0 {
		return fmt.Sprintf("status idle, transcript %q, and %d hooks that say that the turn is over", line.Text, n)
	}
	return "status idle, transcript says so, no hook"
}

func checkInterruptEarly(s *stage) string {
	s.ready()
	s.send("fake:wait 30")
	s.becomes(agentkind.ActivityBusy)
	s.sleep(dialogAge)
	s.keys(string(s.kind.Interrupt))
	s.becomes(agentkind.ActivityIdle)
	s.quiet(500 * time.Millisecond)
	return fmt.Sprintf("status idle; the message stands in the box again: %v", s.kind.ReadBox(s.shown().Strong) == agentkind.BoxDraft)
}

// fewRetries keeps the CLI from trying for minutes.
const fewRetries = "CLAUDE_CODE_MAX_RETRIES=1"

func checkAPIError(status int) func(*stage) string {
	return func(s *stage) string {
		s.setenv(fewRetries)
		s.ready()
		s.send(fmt.Sprintf("fake:error %d", status))
		failed := s.hook("StopFailure", 1)
		s.becomes(agentkind.ActivityIdle)
		evidence := s.fields(failed, "error", "last_assistant_message")
		hook := s.parse(failed)
		if hook.Kind != agentkind.HookTurnFailed || hook.Text == "" {
			s.fail("the failure reads as %+v", hook)
		}
		s.tells("the error", func(l agentkind.Line) bool { return l.Kind == agentkind.LineNotice && l.IsError })
		var said struct {
			Error json.RawMessage `json:"error"`
		}
		s.check(json.Unmarshal(failed.payload, &said))
		return fmt.Sprintf("%s; error %s: %s", evidence, said.Error, hook.Text)
	}
}

func checkRetries(s *stage) string {
	s.ready()
	s.send("fake:error 500")
	s.becomes(agentkind.ActivityBusy)
	s.sleep(4 * time.Second)
	if s.status().Activity != agentkind.ActivityBusy || len(s.hooks.of("StopFailure")) > 0 {
		calls := 0
		for _, call := range s.model.Calls() {
			if call.Session == s.session && !call.Side {
				calls++
			}
		}
		s.fail("status %s, hooks %v, %d calls of the model", s.status().Activity, s.hooks.events(), calls)
	}
	shown := s.excerpt()
	s.keys(string(s.kind.Interrupt))
	s.becomes(agentkind.ActivityIdle)
	return "busy without a hook; Esc ends it; screen: " + shown
}

func (s *stage) command(text string) {
	s.keys(text)
	s.shows("❯ " + text)
	s.settle()
	s.keys("\r")
}

func (s *stage) compacted(trigger string) string {
	before := s.hook("PreCompact", 1)
	s.hook("PostCompact", 1)
	s.becomes(agentkind.ActivityIdle)
	s.tells("the compaction", func(l agentkind.Line) bool {
		return l.Kind == agentkind.LineNotice && strings.Contains(l.Text, "summary")
	})
	if !strings.Contains(string(before.payload), `"trigger":"`+trigger+`"`) {
		s.fail("PreCompact is %s", before.payload)
	}
	return s.fields(before, "trigger") + ", PostCompact, transcript"
}

func checkCompact(s *stage) string {
	s.ready()
	s.send("fake:text something to remember")
	s.hook("Stop", 1)
	s.becomes(agentkind.ActivityIdle)
	s.command("/compact")
	return s.compacted("manual")
}

func checkAutoCompact(s *stage) string {
	s.setenv("CLAUDE_CODE_AUTO_COMPACT_WINDOW=100000")
	s.ready()
	// The CLI compacts nothing that is too short to be worth it, whatever the model says of its tokens.
	s.send("first " + strings.Repeat("words ", 2000))
	s.hook("Stop", 1)
	s.send("fake:bash ls ;; text found")
	s.hook("Stop", 2)
	s.send("fake:full 99000 ;; text much")
	s.hook("Stop", 3)
	s.becomes(agentkind.ActivityIdle)
	s.send("fake:text more")
	return s.compacted("auto")
}

func checkTranscript(s *stage) string {
	s.ready()
	s.reply(s.ask("fake:text I begin ;; bash touch made ;; text done"), agentkind.Answer{Option: agentkind.OptionAllow})
	s.hook("Stop", 1)
	s.tells("the end", func(l agentkind.Line) bool { return l.Kind == agentkind.LineAssistant && l.Text == "done" })
	var kinds []string
	for _, line := range s.transcript() {
		kinds = append(kinds, string(line.Kind))
	}
	want := []string{"user", "assistant", "tool_call", "tool_result", "assistant"}
	if !slices.Equal(kinds, want) {
		s.fail("lines %v, want %v", kinds, want)
	}
	return strings.Join(kinds, ", ")
}

func checkCommandDialog(s *stage) string {
	s.ready()
	s.command("/model")
	status := s.becomes(agentkind.ActivityWaiting)
	if len(s.hooks.of(s.kind.HeldHook)) > 0 {
		s.fail("a hook reports it")
	}
	s.sleep(dialogAge)
	s.keys("\x1b")
	s.becomes(agentkind.ActivityIdle)
	return "status waiting (" + status.Dialog + "), no hook; Esc: idle"
}
