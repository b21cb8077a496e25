package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"switchboard/controlplane/e2e/stage"
	"switchboard/hostagent/agentkind"
)

func lifeRows() []row {
	return []row{
		{"session id", "--session-id makes the id and the transcript's name; using one again is refused.", agentkind.FeatureSessions, checkSessionID},
		{"resume", "--resume goes on with the same id, file and conversation, with our other flags.", agentkind.FeatureResume, checkResume},
		{"resume after a crash", "The same after SIGKILL in a dialog; what was asked is not asked again.", agentkind.FeatureResume, checkResumeAfterCrash},
		{"adoption", "A CLI that was started without us and is idle ends on SIGTERM; --resume goes on with its conversation, under our settings.", agentkind.FeatureAdopt, checkAdoption},
		{"open conversation", "Whoever has a conversation open is found, and what a killed process left behind is not taken for him.", agentkind.FeatureAdopt, checkOpenConversation},
		{"/exit", "The program ends with code 0, and SessionEnd says why.", agentkind.FeatureReasons, checkExit},
		{"/clear", "The conversation gets another id and file, which SessionStart tells.", agentkind.FeatureResume, checkClear},
		{"SIGTERM", "The program ends, SessionEnd fires, and the status file goes.", agentkind.FeatureReasons, checkTerm},
		{"crash", "After SIGKILL the status file stays behind, and tells nothing about the next process.", agentkind.FeatureReasons, checkCrash},
	}
}

func checkSessionID(s *stage.Stage) string {
	s.Ready()
	started := s.Parse(s.Hook("SessionStart", 1))
	if !strings.HasSuffix(started.Transcript, s.Session+".jsonl") {
		s.Fail("the transcript is %s", started.Transcript)
	}
	s.Send("hello")
	s.Hook("Stop", 1)
	s.Leave(syscall.SIGTERM)
	s.Start(false)
	state := s.Exits()
	if state.ExitCode() == 0 {
		s.Fail("the id was taken twice")
	}
	return fmt.Sprintf("the second start ends with code %d: %s", state.ExitCode(), s.Line("already in use"))
}

func checkResume(s *stage.Stage) string {
	s.Ready()
	s.Send("remember me")
	s.Hook("Stop", 1)
	first := s.Parse(s.Hook("SessionStart", 1))
	s.Leave(syscall.SIGTERM)
	s.Start(true)
	again := s.Hook("SessionStart", 2)
	s.Becomes(agentkind.ActivityIdle)
	if next := s.Parse(again); next.Session != first.Session || next.Transcript != first.Transcript {
		s.Fail("resumed as %s in %s", next.Session, next.Transcript)
	}
	s.Shows("remember me")
	if hook := s.Parse(s.Send("still there?")); hook.Mode != s.Mode {
		s.Fail("the mode is %s", hook.Mode)
	}
	s.Tells("both messages", func(l agentkind.Line) bool { return l.Text == "still there?" })
	return s.Fields(again, "session_id", "transcript_path", "source") + "; the same id, file and mode"
}

func checkResumeAfterCrash(s *stage.Stage) string {
	s.Ready()
	s.Ask("fake:bash touch made")
	s.Shows("Do you want to proceed?")
	s.Tells("the call", func(l agentkind.Line) bool { return l.Kind == agentkind.LineToolCall })
	s.Leave(syscall.SIGKILL)
	s.Start(true)
	s.Hook("SessionStart", 2)
	s.Becomes(agentkind.ActivityIdle)
	s.Quiet(500 * time.Millisecond)
	if n := len(s.Hooks.Of(s.Kind.HeldHook)); n != 1 || s.Made("made") {
		s.Fail("asked %d times, made %v", n, s.Made("made"))
	}
	s.Send("go on")
	s.Hook("Stop", 1)
	return "same session; the open call was not asked again"
}

// plainly has a person say something who knows nothing of us.
func plainly(s *stage.Stage, text string) agentkind.Conversation {
	s.StartBare()
	s.Becomes(agentkind.ActivityIdle)
	s.Until("input box", func() bool { return strings.Contains(s.Text(), "❯") })
	s.TypeIn(text)
	var found agentkind.Conversation
	s.Until("conversation on disk", func() bool {
		all, err := s.Kind.Conversations(s.Process.Getenv)
		s.Check(err)
		if len(all) == 1 {
			found = all[0]
		}
		return len(all) == 1
	})
	s.Becomes(agentkind.ActivityIdle)
	return found
}

func checkAdoption(s *stage.Stage) string {
	c := plainly(s, "remember me")
	if c.Words != "remember me" || c.Dir != s.Project || c.Mode != s.Mode {
		s.Fail("the conversation reads as %+v", c)
	}
	state := s.Leave(syscall.SIGTERM)
	s.Session = c.ID
	s.Start(true)
	started := s.Parse(s.Hook("SessionStart", 1))
	s.Becomes(agentkind.ActivityIdle)
	if started.Session != c.ID || started.Transcript != c.Transcript {
		s.Fail("resumed as %s in %s", started.Session, started.Transcript)
	}
	s.Shows("remember me")
	s.Send("still there?")
	return fmt.Sprintf("%s; resumed with the same id and file, and our hooks fire", state)
}

func checkOpenConversation(s *stage.Stage) string {
	c := plainly(s, "remember me")
	open := s.Kind.Writers(s.Process.Getenv)
	if len(open) != 1 || open[0].PID != s.Process.PID || open[0].Conversation != c.ID || open[0].Activity != agentkind.ActivityIdle || open[0].Dir != s.Project {
		s.Fail("open: %+v", open)
	}
	s.Leave(syscall.SIGKILL)
	if open := s.Kind.Writers(s.Process.Getenv); len(open) > 0 {
		s.Fail("a killed process has it open: %+v", open)
	}
	return "process, conversation, directory and status; nothing after SIGKILL"
}

func checkExit(s *stage.Stage) string {
	s.Ready()
	s.Command("/exit")
	state := s.Exits()
	end := s.Hook("SessionEnd", 1)
	if state.ExitCode() != 0 || s.Parse(end).Text == "" {
		s.Fail("code %d, %s", state.ExitCode(), end.Payload)
	}
	return fmt.Sprintf("code 0; %s: %s", s.Fields(end, "reason"), s.Parse(end).Text)
}

func checkClear(s *stage.Stage) string {
	s.Ready()
	s.Send("before")
	s.Hook("Stop", 1)
	s.Becomes(agentkind.ActivityIdle)
	s.Command("/clear")
	next := s.Parse(s.Hook("SessionStart", 2))
	if next.Session == s.Session || next.Transcript == "" || strings.Contains(next.Transcript, s.Session) {
		s.Fail("cleared as %s in %s", next.Session, next.Transcript)
	}
	if s.Parse(s.Hook("SessionEnd", 1)).Text != "" {
		s.Fail("a conversation that was cleared reads as ended: %s", s.Hook("SessionEnd", 1).Payload)
	}
	return "another id and another file"
}

func checkTerm(s *stage.Stage) string {
	s.Ready()
	file := s.Kind.StatusFile(s.Process)
	state := s.Leave(syscall.SIGTERM)
	end := s.Hook("SessionEnd", 1)
	if _, err := os.Stat(file); err == nil {
		s.Fail("the status file stays")
	}
	return fmt.Sprintf("%s; %s; the status file is gone", state, s.Fields(end, "reason"))
}

func checkCrash(s *stage.Stage) string {
	s.Ready()
	file := s.Kind.StatusFile(s.Process)
	state := s.Leave(syscall.SIGKILL)
	if slices.Contains(s.Hooks.Events(), "SessionEnd") {
		s.Fail("SessionEnd fired for a process that was killed")
	}
	_, err := os.Stat(file)
	later := s.Process
	later.StartedAt = later.StartedAt.Add(time.Minute)
	if status, ok := s.Kind.ReadStatus(later); ok {
		s.Fail("the stale file is believed: %+v", status)
	}
	return fmt.Sprintf("%s, no hook; the status file stays behind: %v", state, err == nil)
}
