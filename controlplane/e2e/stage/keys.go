package stage

import (
	"time"

	"switchboard/hostagent/agentkind"
)

// DialogAge is how old a dialog must be before it heeds keys; the host agent waits as long.
const DialogAge = time.Second

// Keys types, as a person or the host agent does.
func (s *Stage) Keys(keys string) { s.Check(s.pty.Write(s.ctx, []byte(keys))) }

// Send types a message as the host agent does, and waits for its receipt.
func (s *Stage) Send(text string) *Fired {
	n := len(s.Hooks.Of("UserPromptSubmit"))
	s.TypeIn(text)
	return s.Receipt(n + 1)
}

// TypeIn types a message and submits it, without looking for its receipt.
func (s *Stage) TypeIn(text string) {
	clean, err := s.Kind.CleanMessage(text)
	s.Check(err)
	for _, keys := range s.Kind.TypeMessage(clean) {
		s.Keys(string(keys))
	}
	s.Settle()
	s.Keys(string(s.Kind.Submit))
}

// Settle waits as the host agent does until the CLI has taken in what was typed.
func (s *Stage) Settle() {
	for range 100 {
		s.mu.Lock()
		drawn := s.drawn
		s.mu.Unlock()
		if time.Since(drawn) >= 120*time.Millisecond {
			return
		}
		s.Sleep(20 * time.Millisecond)
	}
}

// Receipt waits for the n-th receipt; under load the CLI misses a submit now and then, which is pressed once more.
func (s *Stage) Receipt(n int) *Fired {
	again := time.Now().Add(1500 * time.Millisecond)
	s.Until("receipt", func() bool {
		if len(s.Hooks.Of("UserPromptSubmit")) < n && time.Now().After(again) && s.Status().Activity == agentkind.ActivityIdle {
			s.Keys(string(s.Kind.Submit))
			again = again.Add(time.Minute)
		}
		return len(s.Hooks.Of("UserPromptSubmit")) >= n
	})
	return s.Hooks.Of("UserPromptSubmit")[n-1]
}

// Command runs one of the CLI's own commands.
func (s *Stage) Command(text string) {
	s.Keys(text)
	s.Shows("❯ " + text)
	s.Settle()
	s.Keys("\r")
}
