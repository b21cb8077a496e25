package main

import (
	"os"
	"path/filepath"
	"strings"

	"switchboard/controlplane/e2e/stage"
	"switchboard/hostagent/agentkind"
)

func boxScenes() []scene {
	return []scene{
		{"draft", "Text stands in the input box and is put aside.", playDraft},
		{"draft-of-several-lines", "Several lines stand in the input box.", playBox("\x1b[200~first\x1b[201~\x1b[200~\nsecond\x1b[201~", "second")},
		{"draft-of-many-lines", "More lines stand in the input box than it has room for; the person moves to the first.", playLongBox},
		{"draft-of-a-shell-command", "A shell command stands in the input box.", playBox("!ls", "for shell mode")},
		{"draft-of-a-heading", "A line that begins with # stands in the input box.", playBox("#note", "#note")},
		{"shell-command", "The person runs a shell command from the input box.", playShellCommand},
	}
}

func playDraft(k *taker) {
	k.Ready()
	k.Keys("half a thought")
	k.Box("draft", agentkind.BoxDraft)
	k.still("draft")
	k.Keys(string(k.Kind.StashDraft))
	k.Box("empty box", agentkind.BoxEmpty)
	k.still("put aside")
}

func playBox(keys, shown string) func(*taker) {
	return func(k *taker) {
		k.Ready()
		k.Keys(keys)
		k.Shows(shown)
		k.still("draft")
	}
}

func playLongBox(k *taker) {
	k.Ready()
	for range 15 {
		k.Keys("\x1b[200~a line\nanother line\n\x1b[201~")
	}
	k.Shows("↑")
	k.still("draft")
	k.Keys(strings.Repeat("\x1b[A", 40))
	k.Shows("↓")
	k.still("at its beginning")
}

func playShellCommand(k *taker) {
	k.Ready()
	k.Keys("!echo hi")
	k.Shows("echo hi")
	k.Settle()
	k.Keys("\r")
	k.Hook("Stop", 1)
	k.over()
	k.transcript()
}

func screenScenes() []scene {
	return []scene{
		{"trust", "A new directory is asked about; the person moves to the other answer.", playTrust},
		{"trust-in-a-small-terminal", "The same in a terminal of 80×24.", playSmallTrust},
		{"api-key", "A key that was not approved is asked about.", playKeyDialog},
		{"mode-offer", "A mode in the person's settings raises the offer of auto mode.", playModeOffer},
		{"model-picker", "A dialog of a command's, which no hook reports.", playCommandDialog("/model")},
		{"slash-login", "The person wants to log in from within.", playCommandDialog("/login")},
		{"no-network", "The first run without a login and without a network ends.", playNoNetwork},
	}
}

func playTrust(k *taker) {
	k.strange()
	k.Start(false)
	dialog := k.Dialog("trust")
	k.still("refused")
	k.Sleep(stage.DialogAge)
	k.Keys(string(dialog.Keys[agentkind.OptionAllow].Move))
	k.Until("selected option", func() bool {
		seen, _ := k.Kind.ReadScreen(k.Shown().Lines)
		return seen.Selected == agentkind.OptionAllow
	})
	k.still("trusted")
}

func playSmallTrust(k *taker) {
	k.Cols, k.Rows = 80, 24
	k.strange()
	k.Start(false)
	k.Dialog("trust")
	k.still("refused")
}

// strange puts the CLI into a directory that nobody has trusted.
func (k *taker) strange() {
	k.Project = filepath.Join(k.Home.Dir, "strange")
	k.Check(os.MkdirAll(k.Project, 0o700))
}

func playKeyDialog(k *taker) {
	k.settings(".claude.json", `{"hasCompletedOnboarding":true,"projects":{"`+k.Project+`":{"hasTrustDialogAccepted":true}}}`)
	k.Start(false)
	k.Dialog("API key")
	k.still("asked")
}

func playModeOffer(k *taker) {
	k.settings(".claude/settings.json", `{"permissions":{"defaultMode":"manual"}}`)
	k.Mode = "" // the flag would keep the offer away
	k.Start(false)
	k.Dialog("permission mode")
	k.still("asked")
}

// settings writes a file in the person's home.
func (k *taker) settings(name, text string) {
	path := filepath.Join(k.Home.Dir, name)
	k.Check(os.MkdirAll(filepath.Dir(path), 0o700))
	k.Check(os.WriteFile(path, []byte(text), 0o600))
}

func playCommandDialog(command string) func(*taker) {
	return func(k *taker) {
		k.Ready()
		k.Command(command)
		k.Becomes(agentkind.ActivityWaiting)
		k.still("open")
		k.status()
	}
}

func playNoNetwork(k *taker) {
	k.settings(".claude.json", `{}`)
	k.Start(false)
	k.Exits()
	k.screen("ended")
}
