package main

import (
	"fmt"
	"strings"
	"time"

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
func (s *stage) exactly(text string) {
	clean, err := s.kind.CleanMessage(text)
	s.check(err)
	n := len(s.model.Prompts())
	got := s.parse(s.send(text)).Text
	if !s.kind.SameMessage(clean, got) {
		s.fail("typed %.300q, the receipt says %.300q", clean, got)
	}
	s.until("call of the model", func() bool {
		prompts := s.model.Prompts()
		for _, prompt := range prompts[min(n, len(prompts)):] {
			if s.kind.SameMessage(clean, prompt) {
				return true
			}
		}
		return false
	})
	s.becomes(agentkind.ActivityIdle)
}

func checkReceipt(s *stage) string {
	s.ready()
	got := s.send("hello there")
	if text := s.parse(got).Text; text != "hello there" {
		s.fail("the receipt says %q", text)
	}
	return s.fields(got, "session_id", "prompt", "permission_mode", "transcript_path")
}

func checkPaste(s *stage) string {
	s.ready()
	for _, text := range []string{
		"first\nsecond\n\nfourth", "ok 👨‍👩‍👧 🏴 ❤️ שלום مرحبا 漢字 café", `C:\`, strings.Repeat("x", 801), "a  b   c",
	} {
		s.exactly(text)
	}
	return "4 lines, emoji, right-to-left, a backslash at the end and 801 characters, each exact at the hook and the model"
}

func checkTabs(s *stage) string {
	s.ready()
	s.keys("\x1b[200~a\tb\x1b[201~")
	s.settle()
	s.keys(string(s.kind.Submit))
	if got := s.parse(s.receipt(1)).Text; got != "a    b" {
		s.fail("a pasted tab became %q", got)
	}
	return `"a\tb" arrived as "a    b"`
}

func checkLong(s *stage) string {
	s.ready()
	s.patience = 3 * time.Minute // the CLI draws its box anew for each line
	text := strings.Repeat(strings.Repeat("abcdefghij äöü ", 5)+"\n", 100_000/91)
	s.exactly(text)
	return fmt.Sprintf("%d bytes, exact", len(text))
}

func checkBang(s *stage) string {
	s.ready()
	got := s.parse(s.send("!touch made")).Text
	s.becomes(agentkind.ActivityIdle)
	if s.made("made") {
		s.fail("a message that begins with ! ran as a shell command")
	}
	return fmt.Sprintf("receipt %q, nothing ran", got)
}

func checkLeading(s *stage) string {
	s.ready()
	s.exactly("# a heading")
	s.exactly("@nobody look")
	if _, err := s.kind.CleanMessage("/clear"); err == nil {
		s.fail("we would type /clear")
	}
	n := len(s.hooks.of("UserPromptSubmit"))
	s.keys("/exit-not-a-command\r")
	s.quiet(300 * time.Millisecond)
	if len(s.hooks.of("UserPromptSubmit")) > n {
		return "# and @ exact; an unknown command is sent as text"
	}
	return "# and @ exact; an unknown command is swallowed"
}

func checkQueued(s *stage) string {
	s.ready()
	s.send("fake:slow 2")
	s.becomes(agentkind.ActivityBusy)
	s.typeIn("second")
	got := s.parse(s.receipt(2)).Text
	if got != "second" {
		s.fail("the receipt of what was queued says %q", got)
	}
	s.tells("the queued message", func(l agentkind.Line) bool { return l.Kind == agentkind.LineUser && l.Text == "second" })
	s.becomes(agentkind.ActivityIdle)
	return "queued, receipt, and in the transcript"
}

func checkDeafDialog(s *stage) string {
	s.ready()
	s.ask("fake:bash touch made")
	s.shows("Do you want to proceed?")
	s.sleep(dialogAge)
	s.keys(string(s.kind.TypeMessage("1")) + string(s.kind.Submit))
	s.quiet(500 * time.Millisecond)
	s.keys(string(s.kind.Submit))
	s.sleep(dialogAge)
	if s.made("made") || s.status().Activity != agentkind.ActivityWaiting || !strings.Contains(s.text(), "Do you want to proceed?") {
		s.fail("the dialog took a message for an answer; status %s:\n%s", s.status().Activity, s.excerpt())
	}
	return "the dialog stays: " + s.line("Do you want to proceed?")
}

// box waits until this is seen of the input box.
func (s *stage) box(what string, want agentkind.Box) {
	s.until(what, func() bool { return s.kind.ReadBox(s.shown().Strong) == want })
}

func checkDraft(s *stage) string {
	s.ready()
	s.box("empty box", agentkind.BoxEmpty)
	s.keys("half a thought")
	s.box("draft", agentkind.BoxDraft)
	s.keys(string(s.kind.StashDraft))
	s.box("empty box", agentkind.BoxEmpty)
	if got := s.parse(s.send("from elsewhere")).Text; got != "from elsewhere" {
		s.fail("the draft went along: %q", got)
	}
	s.box("draft again", agentkind.BoxDraft)
	return s.line("half a thought")
}
