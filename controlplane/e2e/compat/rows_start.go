package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/uuid"

	"switchboard/controlplane/e2e/stage"
	"switchboard/hostagent/agentkind"
)

func startRows() []row {
	return []row{
		{"settings", "--settings merges our hooks with the person's own, and SessionStart tells the id that we chose and the transcript's path.",
			agentkind.FeatureSessions, checkSettings},
		{"status file", "sessions/<pid>.json says idle, busy and waiting, and which version runs.", agentkind.FeatureState, checkStatusFile},
		{"permission modes", "--permission-mode takes each mode that we offer, and hooks name it.", agentkind.FeatureSessions, checkModes},
		{"manual asks", "With --permission-mode manual no question about modes comes first, and a command is asked about.", agentkind.FeaturePrompts, checkManualAsks},
		{"trust dialog", "A new directory is asked about before anything else; No is selected, Down and Enter trust it.", agentkind.FeatureDialogs, checkTrust},
		{"API key dialog", "A key that was not approved is asked about in words that we know.", agentkind.FeatureDialogs, checkKeyDialog},
		{"mode offer", "A mode from the person's settings raises the offer of auto mode, in words that we know.", agentkind.FeatureDialogs, checkModeOffer},
		{"login", "Without a key the first run ends or asks to log in, and is never idle.", agentkind.FeatureReasons, checkLogin},
		{"title", "The title has the session's name, and the alternate screen is used.", "", checkTitle},
	}
}

func checkSettings(s *stage.Stage) string {
	own := filepath.Join(s.Home.Dir, "own-hook")
	s.Check(os.MkdirAll(filepath.Join(s.Home.Dir, ".claude"), 0o700))
	s.Check(os.WriteFile(filepath.Join(s.Home.Dir, ".claude", "settings.json"),
		[]byte(`{"hooks":{"UserPromptSubmit":[{"hooks":[{"type":"command","command":"touch '`+own+`'"}]}]}}`), 0o600))
	s.Ready()
	started := s.Hook("SessionStart", 1)
	evidence := s.Fields(started, "session_id", "transcript_path", "cwd", "source")
	if got := s.Parse(started).Session; got != s.Session {
		s.Fail("the session is %q, not the one that we chose", got)
	}
	s.Send("hello")
	s.Until("the person's own hook", func() bool { _, err := os.Stat(own); return err == nil })
	return evidence + "; the person's own hook ran too"
}

func checkStatusFile(s *stage.Stage) string {
	s.Ready()
	version := s.Status().Version
	s.Send("fake:bash touch made")
	s.Hook(s.Kind.HeldHook, 1)
	waiting := s.Becomes(agentkind.ActivityWaiting)
	s.Reply(s.Hook(s.Kind.HeldHook, 1), agentkind.Answer{Option: agentkind.OptionAllow})
	s.Becomes(agentkind.ActivityIdle)
	s.Send("fake:slow 2")
	s.Becomes(agentkind.ActivityBusy)
	s.Becomes(agentkind.ActivityIdle)
	if version == "" {
		s.Fail("the status file names no version")
	}
	return fmt.Sprintf("idle, waiting (%s), busy; version %s", waiting.Dialog, version)
}

func checkModes(s *stage.Stage) string {
	var named []string
	for _, mode := range s.Kind.Modes {
		if mode == "bypassPermissions" {
			continue // asks first, and is refused to root
		}
		s.Mode, s.Session = mode, uuid.NewString()
		s.Start(false)
		s.Hook("SessionStart", len(named)+1)
		s.Becomes(agentkind.ActivityIdle)
		if got := s.Parse(s.Send("hello")).Mode; got != mode {
			s.Fail("started with mode %s, the hook says %s", mode, got)
		}
		s.Leave(syscall.SIGTERM)
		named = append(named, mode)
	}
	return "UserPromptSubmit names " + strings.Join(named, ", ")
}

func checkManualAsks(s *stage.Stage) string {
	s.Ready()
	if _, isDialog := s.Kind.ReadScreen(s.Shown().Lines); isDialog {
		s.Fail("a dialog came first:\n%s", s.Excerpt())
	}
	s.Ask("fake:bash touch made")
	s.Shows("Do you want to proceed?")
	if s.Made("made") {
		s.Fail("the command ran without being asked about")
	}
	return s.Line("Do you want to proceed?")
}

func checkTrust(s *stage.Stage) string {
	s.Project = filepath.Join(s.Home.Dir, "strange")
	s.Check(os.MkdirAll(s.Project, 0o700))
	s.Start(false)
	dialog := s.Dialog("trust")
	if dialog.Selected != agentkind.OptionDeny || dialog.Ask == nil || !strings.Contains(dialog.Ask.Detail, s.Project) {
		s.Fail("the trust dialog reads as %+v", dialog)
	}
	if n := len(s.Hooks.Events()); n > 0 {
		s.Fail("%d hooks ran before the directory was trusted: %v", n, s.Hooks.Events())
	}
	s.Sleep(stage.DialogAge)
	keys := dialog.Keys[agentkind.OptionAllow]
	s.Keys(string(keys.Move))
	s.Until("selected option", func() bool {
		seen, _ := s.Kind.ReadScreen(s.Shown().Lines)
		return seen.Selected == agentkind.OptionAllow
	})
	s.Keys(string(keys.Confirm))
	s.Idle()
	return "No selected; after Down and Enter: hook SessionStart"
}

func checkKeyDialog(s *stage.Stage) string {
	s.Check(os.WriteFile(filepath.Join(s.Home.Dir, ".claude.json"),
		[]byte(`{"hasCompletedOnboarding":true,"projects":{"`+s.Project+`":{"hasTrustDialogAccepted":true}}}`), 0o600))
	s.Start(false)
	s.Dialog("API key")
	return s.Line("Detected a custom API key")
}

func checkModeOffer(s *stage.Stage) string {
	s.Check(os.MkdirAll(filepath.Join(s.Home.Dir, ".claude"), 0o700))
	s.Check(os.WriteFile(filepath.Join(s.Home.Dir, ".claude", "settings.json"), []byte(`{"permissions":{"defaultMode":"manual"}}`), 0o600))
	s.Mode = "" // the flag would keep the offer away
	s.Start(false)
	s.Dialog("permission mode")
	return s.Line("Make auto mode")
}

func checkLogin(s *stage.Stage) string {
	s.Check(os.WriteFile(filepath.Join(s.Home.Dir, ".claude.json"), []byte(`{}`), 0o600))
	s.Start(false)
	var evidence string
	s.Until("dialog or exit", func() bool {
		if state, ended := s.Exited(); ended {
			evidence = fmt.Sprintf("exit code %d: %s", state.ExitCode(), s.Line("Unable to connect"))
			return true
		}
		seen, ok := s.Kind.ReadScreen(s.Shown().Lines)
		evidence = "screen: " + seen.Name
		return ok
	})
	if len(s.Hooks.Of("SessionStart")) > 0 {
		s.Fail("a conversation began without a login")
	}
	return evidence
}

func checkTitle(s *stage.Stage) string {
	s.Ready()
	s.Until("title", func() bool { return strings.Contains(s.Shown().Title, "web app") })
	shown := s.Shown()
	if !shown.Alternate || !shown.BracketedPaste {
		s.Fail("alternate screen %v, bracketed paste %v", shown.Alternate, shown.BracketedPaste)
	}
	return fmt.Sprintf("title %q, alternate screen, bracketed paste", shown.Title)
}
