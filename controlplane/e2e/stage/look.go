package stage

import (
	"fmt"
	"strings"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/terminal"
)

// Until waits for a condition that the scene needs.
func (s *Stage) Until(what string, met func() bool) {
	deadline := time.Now().Add(s.Patience)
	for !met() {
		if time.Now().After(deadline) {
			s.Fail("no %s after %s; the screen shows:\n%s", what, s.Patience, s.Excerpt())
		}
		s.Sleep(20 * time.Millisecond)
	}
}

// Sleep lets time pass.
func (s *Stage) Sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.ctx.Done():
		s.Check(s.ctx.Err())
	}
}

// Shown is what the terminal shows.
func (s *Stage) Shown() terminal.Screen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.screen.Screen()
}

// Text is the screen's text.
func (s *Stage) Text() string { return strings.Join(s.Shown().Lines, "\n") }

// Excerpt is what stands on the screen, short enough for a table.
func (s *Stage) Excerpt() string {
	const most = 12
	var lines []string
	for _, line := range s.Shown().Lines {
		if strings.TrimSpace(line) != "" {
			lines = append(lines, strings.TrimRight(line, " "))
		}
	}
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}

// Line is the first line on the screen that has the words.
func (s *Stage) Line(words string) string {
	for _, line := range s.Shown().Lines {
		if strings.Contains(line, words) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// Shows waits for words on the screen.
func (s *Stage) Shows(words string) {
	s.Until(fmt.Sprintf("%q on the screen", words), func() bool { return strings.Contains(s.Text(), words) })
}

// Quiet waits until nothing has been drawn for d.
func (s *Stage) Quiet(d time.Duration) {
	s.Until("quiet screen", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return time.Since(s.drawn) >= d
	})
}

// Dialog waits for a dialog that no hook reports.
func (s *Stage) Dialog(name string) agentkind.Dialog {
	var dialog agentkind.Dialog
	s.Until(name+" dialog", func() bool {
		seen, ok := s.Kind.ReadScreen(s.Shown().Lines)
		dialog = seen
		return ok && seen.Name == name
	})
	return dialog
}

// Box waits until this is seen of the input box.
func (s *Stage) Box(what string, want agentkind.Box) {
	s.Until(what, func() bool { return s.Kind.ReadBox(s.Shown().Strong) == want })
}

// Status is what the CLI's own file says.
func (s *Stage) Status() agentkind.Status {
	status, _ := s.Kind.ReadStatus(s.Process)
	return status
}

// Becomes waits for an activity.
func (s *Stage) Becomes(want agentkind.Activity) agentkind.Status {
	s.Until("status "+string(want), func() bool { return s.Status().Activity == want })
	return s.Status()
}

// Ready starts the CLI and waits until it is idle.
func (s *Stage) Ready() {
	s.Start(false)
	s.Idle()
}

// Idle waits until the CLI takes a first message.
func (s *Stage) Idle() {
	s.Hook("SessionStart", 1)
	s.Becomes(agentkind.ActivityIdle)
	s.Until("an input box", func() bool { return strings.Contains(s.Text(), "❯") })
}
