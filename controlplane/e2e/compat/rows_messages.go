package main

import (
	"fmt"
	"strings"
	"time"

	"switchboard/controlplane/e2e/stage"
	"switchboard/hostagent/agentkind"
)

func messageRows() []row {
	return []row{
		{"receipt", "UserPromptSubmit reports exactly the text that was typed, before the model is asked.", agentkind.FeatureReceipts, checkReceipt},
		{"paste and submit", "One bracketed paste for each line and ctrl+x enter send lines, emoji, right-to-left text and a backslash as they are.",
			agentkind.FeatureMessages, checkPaste},
		{"tabs", "A pasted tab is four spaces.", agentkind.FeatureMessages, checkTabs},
		{"100 kB", "A message of 100 kB arrives whole.", agentkind.FeatureMessages, checkLong},
		{"leading !", "A space in front keeps ! from running a shell command.", agentkind.FeatureMessages, checkBang},
		{"leading / # @", "Slash commands must be refused; # and @ are text.", agentkind.FeatureMessages, checkLeading},
		{"queued while busy", "ctrl+x enter queues while the agent works, and UserPromptSubmit comes for what was queued.", agentkind.FeatureMessages, checkQueued},
		{"not into a dialog", "A paste and ctrl+x enter do nothing in a permission dialog.", agentkind.FeatureMessages, checkDeafDialog},
		{"draft", "Unsent text is seen on the screen, ctrl+s puts it aside, and it comes back after the next submit.", agentkind.FeatureMessages, checkDraft},
	}
}

// exactly sends a message and compares its receipt, and what the model got.
func exactly(s *stage.Stage, text string) {
	clean, err := s.Kind.CleanMessage(text)
	s.Check(err)
	n := len(s.Model.Prompts())
	got := s.Parse(s.Send(text)).Text
	if !s.Kind.SameMessage(clean, got) {
		s.Fail("typed %.300q, the receipt says %.300q", clean, got)
	}
	s.Until("call of the model", func() bool {
		prompts := s.Model.Prompts()
		for _, prompt := range prompts[min(n, len(prompts)):] {
			if s.Kind.SameMessage(clean, prompt) {
				return true
			}
		}
		return false
	})
	s.Becomes(agentkind.ActivityIdle)
}

func checkReceipt(s *stage.Stage) string {
	s.Ready()
	got := s.Send("hello there")
	if text := s.Parse(got).Text; text != "hello there" {
		s.Fail("the receipt says %q", text)
	}
	return s.Fields(got, "session_id", "prompt", "permission_mode", "transcript_path")
}

func checkPaste(s *stage.Stage) string {
	s.Ready()
	for _, text := range []string{
		"first\nsecond\n\nfourth", "ok 👨‍👩‍👧 🏴 ❤️ שלום مرحبا 漢字 café", `C:\`, strings.Repeat("x", 801), "a  b   c",
	} {
		exactly(s, text)
	}
	return "4 lines, emoji, right-to-left, a backslash at the end and 801 characters, each exact at the hook and the model"
}

func checkTabs(s *stage.Stage) string {
	s.Ready()
	s.Keys("\x1b[200~a\tb\x1b[201~")
	s.Settle()
	s.Keys(string(s.Kind.Submit))
	if got := s.Parse(s.Receipt(1)).Text; got != "a    b" {
		s.Fail("a pasted tab became %q", got)
	}
	return `"a\tb" arrived as "a    b"`
}

func checkLong(s *stage.Stage) string {
	s.Ready()
	s.Patience = 3 * time.Minute // the CLI draws its box anew for each line
	text := strings.Repeat(strings.Repeat("abcdefghij äöü ", 5)+"\n", 100_000/91)
	exactly(s, text)
	return fmt.Sprintf("%d bytes, exact", len(text))
}

func checkBang(s *stage.Stage) string {
	s.Ready()
	got := s.Parse(s.Send("!touch made")).Text
	s.Becomes(agentkind.ActivityIdle)
	if s.Made("made") {
		s.Fail("a message that begins with ! ran as a shell command")
	}
	return fmt.Sprintf("receipt %q, nothing ran", got)
}

func checkLeading(s *stage.Stage) string {
	s.Ready()
	exactly(s, "# a heading")
	exactly(s, "@nobody look")
	if _, err := s.Kind.CleanMessage("/clear"); err == nil {
		s.Fail("we would type /clear")
	}
	n := len(s.Hooks.Of("UserPromptSubmit"))
	s.Keys("/exit-not-a-command\r")
	s.Quiet(300 * time.Millisecond)
	if len(s.Hooks.Of("UserPromptSubmit")) > n {
		return "# and @ exact; an unknown command is sent as text"
	}
	return "# and @ exact; an unknown command is swallowed"
}

func checkQueued(s *stage.Stage) string {
	s.Ready()
	s.Send("fake:slow 2")
	s.Becomes(agentkind.ActivityBusy)
	s.TypeIn("second")
	got := s.Parse(s.Receipt(2)).Text
	if got != "second" {
		s.Fail("the receipt of what was queued says %q", got)
	}
	s.Tells("the queued message", func(l agentkind.Line) bool { return l.Kind == agentkind.LineUser && l.Text == "second" })
	s.Becomes(agentkind.ActivityIdle)
	return "queued, receipt, and in the transcript"
}

func checkDeafDialog(s *stage.Stage) string {
	s.Ready()
	s.Ask("fake:bash touch made")
	s.Shows("Do you want to proceed?")
	s.Sleep(stage.DialogAge)
	s.TypeIn("1")
	s.Quiet(500 * time.Millisecond)
	s.Keys(string(s.Kind.Submit))
	s.Sleep(stage.DialogAge)
	if s.Made("made") || s.Status().Activity != agentkind.ActivityWaiting || !strings.Contains(s.Text(), "Do you want to proceed?") {
		s.Fail("the dialog took a message for an answer; status %s:\n%s", s.Status().Activity, s.Excerpt())
	}
	return "the dialog stays: " + s.Line("Do you want to proceed?")
}

func checkDraft(s *stage.Stage) string {
	s.Ready()
	s.Box("empty box", agentkind.BoxEmpty)
	s.Keys("half a thought")
	s.Box("draft", agentkind.BoxDraft)
	s.Keys(string(s.Kind.StashDraft))
	s.Box("empty box", agentkind.BoxEmpty)
	if got := s.Parse(s.Send("from elsewhere")).Text; got != "from elsewhere" {
		s.Fail("the draft went along: %q", got)
	}
	s.Box("draft again", agentkind.BoxDraft)
	return s.Line("half a thought")
}
