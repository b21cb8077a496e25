package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"switchboard/controlplane/e2e/stage"
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
		{"dialog of a command", "A dialog that no hook reports shows in the status file as waiting.", agentkind.FeatureState, checkCommandDialog},
	}
}

func checkStop(s *stage.Stage) string {
	s.Ready()
	s.Send("fake:text the end")
	stop := s.Hook("Stop", 1)
	s.Becomes(agentkind.ActivityIdle)
	return s.Fields(stop, "session_id", "last_assistant_message", "permission_mode")
}

func checkInterrupt(s *stage.Stage) string { return interrupt(s, 0) }

func checkInterruptQuiet(s *stage.Stage) string { return interrupt(s, 6*time.Second) }

// interrupt presses Esc in a turn that has said something, after it has been quiet for a while.
func interrupt(s *stage.Stage, quiet time.Duration) string {
	s.Ready()
	if quiet > 0 {
		s.Reply(s.Ask("fake:bash tail -f run-tests.sh > made"), agentkind.Answer{Option: agentkind.OptionAllow})
		s.Sleep(quiet)
	} else {
		s.Send("fake:slow 30")
		s.Shows("line 2 of a slow answer")
	}
	s.Becomes(agentkind.ActivityBusy)
	s.Keys(string(s.Kind.Interrupt))
	s.Becomes(agentkind.ActivityIdle)
	line := s.Tells("the interruption", func(l agentkind.Line) bool { return l.Kind == agentkind.LineInterrupted })
	if n := len(s.Hooks.Of("Stop")) + len(s.Hooks.Of("StopFailure")); n > 0 {
		return fmt.Sprintf("status idle, transcript %q, and %d hooks that say that the turn is over", line.Text, n)
	}
	return "status idle, transcript says so, no hook"
}

func checkInterruptEarly(s *stage.Stage) string {
	s.Ready()
	s.Send("fake:wait 30")
	s.Becomes(agentkind.ActivityBusy)
	s.Sleep(stage.DialogAge)
	s.Keys(string(s.Kind.Interrupt))
	s.Becomes(agentkind.ActivityIdle)
	s.Quiet(500 * time.Millisecond)
	return fmt.Sprintf("status idle; the message stands in the box again: %v", s.Kind.ReadBox(s.Shown().Strong) == agentkind.BoxDraft)
}

// fewRetries keeps the CLI from trying for minutes.
const fewRetries = "CLAUDE_CODE_MAX_RETRIES=1"

func checkAPIError(status int) func(*stage.Stage) string {
	return func(s *stage.Stage) string {
		s.Setenv(fewRetries)
		s.Ready()
		s.Send(fmt.Sprintf("fake:error %d", status))
		failed := s.Hook("StopFailure", 1)
		s.Becomes(agentkind.ActivityIdle)
		evidence := s.Fields(failed, "error", "last_assistant_message")
		hook := s.Parse(failed)
		if hook.Kind != agentkind.HookTurnFailed || hook.Text == "" {
			s.Fail("the failure reads as %+v", hook)
		}
		s.Tells("the error", func(l agentkind.Line) bool { return l.Kind == agentkind.LineNotice && l.IsError })
		var said struct {
			Error json.RawMessage `json:"error"`
		}
		s.Check(json.Unmarshal(failed.Payload, &said))
		return fmt.Sprintf("%s; error %s: %s", evidence, said.Error, hook.Text)
	}
}

func checkRetries(s *stage.Stage) string {
	s.Ready()
	s.Send("fake:error 500")
	s.Becomes(agentkind.ActivityBusy)
	s.Sleep(4 * time.Second)
	if s.Status().Activity != agentkind.ActivityBusy || len(s.Hooks.Of("StopFailure")) > 0 {
		calls := 0
		for _, call := range s.Model.Calls() {
			if call.Session == s.Session && !call.Side {
				calls++
			}
		}
		s.Fail("status %s, hooks %v, %d calls of the model", s.Status().Activity, s.Hooks.Events(), calls)
	}
	shown := s.Excerpt()
	s.Keys(string(s.Kind.Interrupt))
	s.Becomes(agentkind.ActivityIdle)
	return "busy without a hook; Esc ends it; screen: " + shown
}

func compacted(s *stage.Stage, trigger string) string {
	before := s.Hook("PreCompact", 1)
	s.Hook("PostCompact", 1)
	s.Becomes(agentkind.ActivityIdle)
	s.Tells("the compaction", func(l agentkind.Line) bool {
		return l.Kind == agentkind.LineNotice && strings.Contains(l.Text, "summary")
	})
	if !strings.Contains(string(before.Payload), `"trigger":"`+trigger+`"`) {
		s.Fail("PreCompact is %s", before.Payload)
	}
	return s.Fields(before, "trigger") + ", PostCompact, transcript"
}

func checkCompact(s *stage.Stage) string {
	s.Ready()
	s.Send("fake:text something to remember")
	s.Hook("Stop", 1)
	s.Becomes(agentkind.ActivityIdle)
	s.Command("/compact")
	return compacted(s, "manual")
}

func checkAutoCompact(s *stage.Stage) string {
	s.Setenv("CLAUDE_CODE_AUTO_COMPACT_WINDOW=100000")
	s.Ready()
	// The CLI compacts nothing that is too short to be worth it, whatever the model says of its tokens.
	s.Send("first " + strings.Repeat("words ", 2000))
	s.Hook("Stop", 1)
	s.Send("fake:bash ls ;; text found")
	s.Hook("Stop", 2)
	s.Send("fake:full 99000 ;; text much")
	s.Hook("Stop", 3)
	s.Becomes(agentkind.ActivityIdle)
	s.Send("fake:text more")
	return compacted(s, "auto")
}

func checkCommandDialog(s *stage.Stage) string {
	s.Ready()
	s.Command("/model")
	status := s.Becomes(agentkind.ActivityWaiting)
	if len(s.Hooks.Of(s.Kind.HeldHook)) > 0 {
		s.Fail("a hook reports it")
	}
	s.Sleep(stage.DialogAge)
	s.Keys("\x1b")
	s.Becomes(agentkind.ActivityIdle)
	return "status waiting (" + status.Dialog + "), no hook; Esc: idle"
}
