package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"switchboard/hostagent/agentkind"
)

func lifeRows() []row {
	return []row{
		{"session id", "--session-id makes the id and the transcript's name; using one again is refused.", agentkind.FeatureSessions, checkSessionID},
		{"resume", "--resume goes on with the same id, file and conversation, with our other flags.", agentkind.FeatureResume, checkResume},
		{"resume after a crash", "The same after SIGKILL in a dialog; what was asked is not asked again.", agentkind.FeatureResume, checkResumeAfterCrash},
		{"/exit", "The program ends with code 0, and SessionEnd says why.", agentkind.FeatureReasons, checkExit},
		{"/clear", "The conversation gets another id and file, which SessionStart tells.", agentkind.FeatureResume, checkClear},
		{"SIGTERM", "The program ends, SessionEnd fires, and the status file goes.", agentkind.FeatureReasons, checkTerm},
		{"crash", "After SIGKILL the status file stays behind, and tells nothing about the next process.", agentkind.FeatureReasons, checkCrash},
	}
}

func checkSessionID(s *stage) string {
	s.ready()
	started := s.parse(s.hook("SessionStart", 1))
	if !strings.HasSuffix(started.Transcript, s.session+".jsonl") {
		s.fail("the transcript is %s", started.Transcript)
	}
	s.send("hello")
	s.hook("Stop", 1)
	s.leave(syscall.SIGTERM)
	s.start(false)
	state := s.exits()
	if state.ExitCode() == 0 {
		s.fail("the id was taken twice")
	}
	return fmt.Sprintf("the second start ends with code %d: %s", state.ExitCode(), s.line("already in use"))
}

// leave ends the CLI and waits until it has gone.
func (s *stage) leave(signal syscall.Signal) *os.ProcessState {
	s.check(s.pty.Signal(signal))
	state := s.exits()
	s.check(s.pty.Close())
	s.reader.Wait()
	return state
}

func checkResume(s *stage) string {
	s.ready()
	s.send("remember me")
	s.hook("Stop", 1)
	first := s.parse(s.hook("SessionStart", 1))
	s.leave(syscall.SIGTERM)
	s.start(true)
	again := s.hook("SessionStart", 2)
	s.becomes(agentkind.ActivityIdle)
	if next := s.parse(again); next.Session != first.Session || next.Transcript != first.Transcript {
		s.fail("resumed as %s in %s", next.Session, next.Transcript)
	}
	s.shows("remember me")
	if hook := s.parse(s.send("still there?")); hook.Mode != s.mode {
		s.fail("the mode is %s", hook.Mode)
	}
	s.tells("both messages", func(l agentkind.Line) bool { return l.Text == "still there?" })
	return s.fields(again, "session_id", "transcript_path", "source") + "; the same id, file and mode"
}

func checkResumeAfterCrash(s *stage) string {
	s.ready()
	s.ask("fake:bash touch made")
	s.shows("Do you want to proceed?")
	s.tells("the call", func(l agentkind.Line) bool { return l.Kind == agentkind.LineToolCall })
	s.leave(syscall.SIGKILL)
	s.start(true)
	s.hook("SessionStart", 2)
	s.becomes(agentkind.ActivityIdle)
	s.quiet(500 * time.Millisecond)
	if n := len(s.hooks.of(s.kind.HeldHook)); n != 1 || s.made("made") {
		s.fail("asked %d times, made %v", n, s.made("made"))
	}
	s.send("go on")
	s.hook("Stop", 1)
	return "same session; the open call was not asked again"
}

func checkExit(s *stage) string {
	s.ready()
	s.command("/exit")
	state := s.exits()
	end := s.hook("SessionEnd", 1)
	if state.ExitCode() != 0 || s.parse(end).Text == "" {
		s.fail("code %d, %s", state.ExitCode(), end.payload)
	}
	return fmt.Sprintf("code 0; %s: %s", s.fields(end, "reason"), s.parse(end).Text)
}

func checkClear(s *stage) string {
	s.ready()
	s.send("before")
	s.hook("Stop", 1)
	s.becomes(agentkind.ActivityIdle)
	s.command("/clear")
	next := s.parse(s.hook("SessionStart", 2))
	if next.Session == s.session || next.Transcript == "" || strings.Contains(next.Transcript, s.session) {
		s.fail("cleared as %s in %s", next.Session, next.Transcript)
	}
	if s.parse(s.hook("SessionEnd", 1)).Text != "" {
		s.fail("a conversation that was cleared reads as ended: %s", s.hook("SessionEnd", 1).payload)
	}
	return "another id and another file"
}

func checkTerm(s *stage) string {
	s.ready()
	file := s.kind.StatusFile(s.process)
	state := s.leave(syscall.SIGTERM)
	end := s.hook("SessionEnd", 1)
	if _, err := os.Stat(file); err == nil {
		s.fail("the status file stays")
	}
	return fmt.Sprintf("%s; %s; the status file is gone", state, s.fields(end, "reason"))
}

func checkCrash(s *stage) string {
	s.ready()
	file := s.kind.StatusFile(s.process)
	state := s.leave(syscall.SIGKILL)
	if slices.Contains(s.hooks.events(), "SessionEnd") {
		s.fail("SessionEnd fired for a process that was killed")
	}
	_, err := os.Stat(file)
	later := s.process
	later.StartedAt = later.StartedAt.Add(time.Minute)
	if status, ok := s.kind.ReadStatus(later); ok {
		s.fail("the stale file is believed: %+v", status)
	}
	return fmt.Sprintf("%s, no hook; the status file stays behind: %v", state, err == nil)
}
