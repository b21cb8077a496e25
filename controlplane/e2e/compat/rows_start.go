package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/uuid"

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

func checkSettings(s *stage) string {
	own := filepath.Join(s.home.Dir, "own-hook")
	s.check(os.MkdirAll(filepath.Join(s.home.Dir, ".claude"), 0o700))
	s.check(os.WriteFile(filepath.Join(s.home.Dir, ".claude", "settings.json"),
		[]byte(`{"hooks":{"UserPromptSubmit":[{"hooks":[{"type":"command","command":"touch '`+own+`'"}]}]}}`), 0o600))
	s.ready()
	started := s.hook("SessionStart", 1)
	evidence := s.fields(started, "session_id", "transcript_path", "cwd", "source")
	if got := s.parse(started).Session; got != s.session {
		s.fail("the session is %q, not the one that we chose", got)
	}
	s.send("hello")
	s.until("the person's own hook", func() bool { _, err := os.Stat(own); return err == nil })
	return evidence + "; the person's own hook ran too"
}

func checkStatusFile(s *stage) string {
	s.ready()
	version := s.status().Version
	s.send("fake:bash touch made")
	s.hook(s.kind.HeldHook, 1)
	waiting := s.becomes(agentkind.ActivityWaiting)
	s.reply(s.hook(s.kind.HeldHook, 1), agentkind.Answer{Option: agentkind.OptionAllow})
	s.becomes(agentkind.ActivityIdle)
	s.send("fake:slow 2")
	s.becomes(agentkind.ActivityBusy)
	s.becomes(agentkind.ActivityIdle)
	if version == "" {
		s.fail("the status file names no version")
	}
	return fmt.Sprintf("idle, waiting (%s), busy; version %s", waiting.Dialog, version)
}

func checkModes(s *stage) string {
	var named []string
	for _, mode := range s.kind.Modes {
		if mode == "bypassPermissions" {
			continue // asks first, and is refused to root
		}
		s.mode, s.session = mode, uuid.NewString()
		s.start(false)
		s.hook("SessionStart", len(named)+1)
		s.becomes(agentkind.ActivityIdle)
		if got := s.parse(s.send("hello")).Mode; got != mode {
			s.fail("started with mode %s, the hook says %s", mode, got)
		}
		s.leave(syscall.SIGTERM)
		named = append(named, mode)
	}
	return "UserPromptSubmit names " + strings.Join(named, ", ")
}

func checkManualAsks(s *stage) string {
	s.ready()
	if _, isDialog := s.kind.ReadScreen(s.shown().Lines); isDialog {
		s.fail("a dialog came first:\n%s", s.excerpt())
	}
	s.ask("fake:bash touch made")
	s.shows("Do you want to proceed?")
	if s.made("made") {
		s.fail("the command ran without being asked about")
	}
	return s.line("Do you want to proceed?")
}

func (s *stage) dialog(name string) agentkind.Dialog {
	var dialog agentkind.Dialog
	s.until(name+" dialog", func() bool {
		seen, ok := s.kind.ReadScreen(s.shown().Lines)
		dialog = seen
		return ok && seen.Name == name
	})
	return dialog
}

func checkTrust(s *stage) string {
	s.project = filepath.Join(s.home.Dir, "strange")
	s.check(os.MkdirAll(s.project, 0o700))
	s.start(false)
	dialog := s.dialog("trust")
	if dialog.Selected != agentkind.OptionDeny || dialog.Ask == nil || !strings.Contains(dialog.Ask.Detail, s.project) {
		s.fail("the trust dialog reads as %+v", dialog)
	}
	if n := len(s.hooks.events()); n > 0 {
		s.fail("%d hooks ran before the directory was trusted: %v", n, s.hooks.events())
	}
	s.sleep(dialogAge)
	keys := dialog.Keys[agentkind.OptionAllow]
	s.keys(string(keys.Move))
	s.until("selected option", func() bool {
		seen, _ := s.kind.ReadScreen(s.shown().Lines)
		return seen.Selected == agentkind.OptionAllow
	})
	s.keys(string(keys.Confirm))
	s.idle()
	return "No selected; after Down and Enter: hook SessionStart"
}

func checkKeyDialog(s *stage) string {
	s.check(os.WriteFile(filepath.Join(s.home.Dir, ".claude.json"),
		[]byte(`{"hasCompletedOnboarding":true,"projects":{"`+s.project+`":{"hasTrustDialogAccepted":true}}}`), 0o600))
	s.start(false)
	s.dialog("API key")
	return s.line("Detected a custom API key")
}

func checkModeOffer(s *stage) string {
	s.check(os.MkdirAll(filepath.Join(s.home.Dir, ".claude"), 0o700))
	s.check(os.WriteFile(filepath.Join(s.home.Dir, ".claude", "settings.json"), []byte(`{"permissions":{"defaultMode":"manual"}}`), 0o600))
	s.mode = "" // the flag would keep the offer away
	s.start(false)
	s.dialog("permission mode")
	return s.line("Make auto mode")
}

func checkLogin(s *stage) string {
	s.check(os.WriteFile(filepath.Join(s.home.Dir, ".claude.json"), []byte(`{}`), 0o600))
	s.start(false)
	var evidence string
	s.until("dialog or exit", func() bool {
		select {
		case <-s.exited:
			evidence = fmt.Sprintf("exit code %d: %s", s.exitState.ExitCode(), s.line("Unable to connect"))
			return true
		default:
		}
		seen, ok := s.kind.ReadScreen(s.shown().Lines)
		evidence = "screen: " + seen.Name
		return ok
	})
	if len(s.hooks.of("SessionStart")) > 0 {
		s.fail("a conversation began without a login")
	}
	return evidence
}

func checkTitle(s *stage) string {
	s.ready()
	s.until("title", func() bool { return strings.Contains(s.shown().Title, "web app") })
	shown := s.shown()
	if !shown.Alternate || !shown.BracketedPaste {
		s.fail("alternate screen %v, bracketed paste %v", shown.Alternate, shown.BracketedPaste)
	}
	return fmt.Sprintf("title %q, alternate screen, bracketed paste", shown.Title)
}
