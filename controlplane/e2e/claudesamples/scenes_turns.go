package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"switchboard/controlplane/e2e/stage"
	"switchboard/hostagent/agentkind"
)

func turnScenes() []scene {
	return []scene{
		{"interrupted-text", "Esc ends a turn in which the agent speaks.", playInterruptedText},
		{"interrupted-tool", "Esc ends a turn in which a command runs.", playInterruptedTool},
		{"interrupted-early", "Esc before the model has answered takes the message back into the box.", playInterruptedEarly},
		{"queued", "A message that is sent while a command runs is taken within the running turn.", playQueued},
		{"api-error-400", "The API refuses a request.", playAPIError(400, "")},
		{"api-error-401", "The API refuses the key.", playAPIError(401, "Once fixed, resend your message")},
		{"api-error-429", "The API limits the rate.", playAPIError(429, resend)},
		{"api-error-500", "The API is broken.", playAPIError(500, resend)},
		{"api-error-529", "The API is overloaded.", playAPIError(529, resend)},
		{"retrying", "The CLI tries a broken API again.", playRetrying},
		{"compact", "The person has the conversation replaced by a summary.", playCompact},
		{"auto-compact", "A full context is compacted by itself.", playAutoCompact},
		{"notification", "The CLI notifies of a dialog, and of an agent that has nothing to do.", playNotification},
	}
}

func playInterruptedText(k *taker) {
	k.Ready()
	k.Send("fake:slow 30")
	k.Shows("line 2 of a slow answer")
	k.Becomes(agentkind.ActivityBusy)
	k.status()
	k.Keys(string(k.Kind.Interrupt))
	k.Becomes(agentkind.ActivityIdle)
	k.Tells("the interruption", func(l agentkind.Line) bool { return l.Kind == agentkind.LineInterrupted })
	k.Leave(syscall.SIGTERM)
	k.transcript()
}

func playInterruptedTool(k *taker) {
	k.Ready()
	k.Reply(k.Ask("fake:bash tail -f run-tests.sh > made"), agentkind.Answer{Option: agentkind.OptionAllow})
	k.Until("running command", func() bool { return k.Made("made") })
	k.Sleep(stage.DialogAge)
	k.Keys(string(k.Kind.Interrupt))
	k.Becomes(agentkind.ActivityIdle)
	k.Tells("the interruption", func(l agentkind.Line) bool { return l.Kind == agentkind.LineInterrupted })
	k.still("after Esc")
	k.Leave(syscall.SIGTERM)
	k.transcript()
}

func playInterruptedEarly(k *taker) {
	k.Ready()
	k.Send("fake:wait 30")
	k.Becomes(agentkind.ActivityBusy)
	k.Sleep(stage.DialogAge)
	k.screen("working")
	k.Keys(string(k.Kind.Interrupt))
	k.Becomes(agentkind.ActivityIdle)
	k.Box("the message in the box", agentkind.BoxDraft)
	k.still("after Esc")
}

func playQueued(k *taker) {
	k.Ready()
	k.Reply(k.Ask("fake:bash touch made; sleep 4 ;; text done"), agentkind.Answer{Option: agentkind.OptionAllow})
	k.Until("running command", func() bool { return k.Made("made") })
	k.TypeIn("fake:text taken")
	k.Shows("Queued")
	k.screen("queued")
	k.Hook("UserPromptSubmit", 2)
	k.over()
	k.transcript("queue-operation")
}

// fewRetries keeps the CLI from trying for minutes.
const fewRetries = "CLAUDE_CODE_MAX_RETRIES=1"

// resend is the hint that the CLI then puts into its input box.
const resend = "Resend your message to try again"

func playAPIError(status int, hint string) func(*taker) {
	return func(k *taker) {
		k.Setenv(fewRetries)
		k.Ready()
		k.Send(fmt.Sprintf("fake:error %d", status))
		k.hook("StopFailure", 1)
		k.Becomes(agentkind.ActivityIdle)
		k.Shows(hint)
		k.still("failed")
		k.Leave(syscall.SIGTERM)
		k.transcript()
	}
}

func playRetrying(k *taker) {
	k.Ready()
	k.Send("fake:error 500")
	k.Shows("attempt 1/")
	k.screen("retrying")
}

func playCompact(k *taker) {
	k.Ready()
	k.Send("fake:text something to remember")
	k.Hook("Stop", 1)
	k.Becomes(agentkind.ActivityIdle)
	k.Command("/compact")
	k.hook("PreCompact", 1)
	k.hook("PostCompact", 1)
	k.hook("SessionStart", 2)
	k.Becomes(agentkind.ActivityIdle)
	k.Tells("the compaction", func(l agentkind.Line) bool { return l.Kind == agentkind.LineNotice })
	k.Leave(syscall.SIGTERM)
	k.transcript()
}

func playAutoCompact(k *taker) {
	k.Setenv("CLAUDE_CODE_AUTO_COMPACT_WINDOW=100000")
	k.Ready()
	// The CLI compacts nothing that is too short to be worth it, whatever the model says of its tokens.
	k.file("long.txt", strings.Repeat("words of a long file\n", 1000))
	k.Send("fake:bash cat long.txt ;; text much")
	k.Hook("Stop", 1)
	k.Send("fake:full 99000 ;; text more")
	k.Hook("Stop", 2)
	k.Becomes(agentkind.ActivityIdle)
	k.Send("fake:text after all")
	k.hook("PreCompact", 1)
}

func playNotification(k *taker) {
	k.quickIdle()
	k.Ready()
	asked := k.Ask("fake:bash touch made")
	k.hook("Notification", 1)
	k.Reply(asked, agentkind.Answer{Option: agentkind.OptionAllow})
	k.hook("Notification", 2)
}

// quickIdle has the CLI notify a second after a turn, and not a minute.
func (k *taker) quickIdle() {
	path := filepath.Join(k.Home.Dir, ".claude.json")
	text, err := os.ReadFile(path)
	k.Check(err)
	var settings map[string]any
	k.Check(json.Unmarshal(text, &settings))
	settings["messageIdleNotifThresholdMs"] = 1000
	text, err = json.Marshal(settings)
	k.Check(err)
	k.settings(".claude.json", string(text))
}
