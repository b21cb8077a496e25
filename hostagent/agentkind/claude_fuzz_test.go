package agentkind

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

func FuzzClaudeHook(f *testing.F) {
	for _, s := range scenes(f) {
		for _, payload := range s.Hooks {
			f.Add([]byte(payload), "allow", "")
		}
	}
	asked := with(f, recordedHook(f, "bash", "PermissionRequest"), "permission_suggestions", map[string]any{})
	f.Add(with(f, asked, "tool_input", []any{}), "allow_always", "x")
	f.Fuzz(func(t *testing.T, payload []byte, option, text string) {
		claude := Claude()
		if _, err := claude.ReadHook(payload); err != nil {
			return
		}
		if _, err := claude.ReadAsk(payload); err != nil {
			t.Fatalf("a hook, but no question: %v", err)
		}
		reply, err := claude.Reply(payload, Answer{Actor: "a", Option: option, Text: text})
		if err == nil && !json.Valid(reply) {
			t.Errorf("reply %q", reply)
		}
	})
}

func FuzzClaudeTranscript(f *testing.F) {
	for _, s := range scenes(f) {
		for _, line := range slices.Concat(s.Transcript, s.Subagent) {
			f.Add([]byte(line))
		}
	}
	f.Add(with(f, scene(f, "bash").Transcript[0], "message", map[string]string{"content": "x"}))
	f.Add(with(f, scene(f, "bash").Transcript[0], "attachment", 7))
	f.Add(with(f, scene(f, "bash").Transcript[0], "message", map[string]any{"id": "m", "usage": map[string]any{"input_tokens": 1e300, "output_tokens": -0.5}}))
	f.Fuzz(func(t *testing.T, line []byte) {
		lines, err := Claude().ReadTranscript(line)
		for _, l := range lines {
			if l.Use != nil && (l.Use.Total() <= 0 || l.Use.Total() > 4*maxTokens || l.Reply == "") {
				t.Errorf("use %+v of reply %q", l.Use, l.Reply)
			}
			if l.Cost != nil && (l.Cost.USD < 0 || l.Cost.USD > maxTokens || l.Cost.Tokens < 0) {
				t.Errorf("cost %+v", l.Cost)
			}
			if err != nil || l.Kind == "" {
				t.Errorf("line %+v, error %v", l, err)
			}
		}
	})
}

func FuzzClaudeMessage(f *testing.F) {
	f.Add("hello\nworld")
	f.Add("!ls \u200d/x")
	f.Add(strings.Repeat("e\u0301👨‍👩‍👧", 300))
	f.Fuzz(func(t *testing.T, text string) {
		claude := Claude()
		clean, err := claude.CleanMessage(text)
		if err != nil {
			return
		}
		if again, err := claude.CleanMessage(clean); err != nil || again != clean {
			t.Errorf("cleaning %q again gives %q, %v", clean, again, err)
		}
		var typed strings.Builder
		for _, keys := range claude.TypeMessage(clean) {
			paste, isPaste := strings.CutPrefix(string(keys), pasteBegin)
			paste, ends := strings.CutSuffix(paste, pasteEnd)
			if !isPaste || !ends || strings.ContainsAny(paste, "\x1b\r") || strings.Count(paste, "\n") > 2 || len(paste) > 800 {
				t.Fatalf("paste %q of message %q", paste, clean)
			}
			typed.WriteString(paste)
		}
		if got := typed.String(); got != clean && got != clean+" " {
			t.Errorf("typed %q, want %q", got, clean)
		}
	})
}

func FuzzClaudeStatus(f *testing.F) {
	for _, s := range scenes(f) {
		for _, status := range s.Statuses {
			f.Add([]byte(status))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if status, ok := parseClaudeStatus(text, time.Time{}); ok && status.Activity == "" {
			t.Errorf("status of %q has no activity", text)
		}
	})
}

func FuzzClaudeScreen(f *testing.F) {
	for _, s := range scenes(f) {
		for _, screen := range s.Screens {
			f.Add(strings.Join(screen.Lines, "\n"))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		screen := strings.Split(text, "\n")
		if dialog, ok := Claude().ReadScreen(screen); ok != (dialog.Name != "") {
			t.Errorf("dialog %+v, %v", dialog, ok)
		}
		Claude().ReadBox(screen)
	})
}
