package main

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"switchboard/controlplane/e2e/stage"
	"switchboard/hostagent/agentkind"
)

func toolScenes() []scene {
	return []scene{
		{"bash", "A turn with a command that is allowed through the hook, from the start to SIGTERM.", playBash},
		{"write", "A new file is denied through the hook, with words.", playTool("write notes.txt hello", "1 hello")},
		{"edit", "An edit of a file that was read is asked about.", playTool("read README.md ;; edit README.md web-app => net-app", "+# net-app")},
		{"notebook", "An edit of a notebook is asked about.", playNotebook},
		{"read-outside", "A file outside of the project is asked about.", playReadOutside},
		{"web-fetch", "A page is asked about before it is fetched.", playTool(`tool WebFetch {"url":"https://example.com/","prompt":"What is it?"}`, "1. Yes")},
		{"web-search", "A search is asked about before it is made.", playTool(`tool WebSearch {"query":"switchboards"}`, "1. Yes")},
		{"mcp-tool", "An MCP server's tool is asked about; it then asks the person a question itself.", playMCPTool},
		{"failed-command", "A command that is allowed fails.", playFailedCommand},
		{"allowed-at-terminal", "A command is allowed with a key at the terminal.", playAllowedAtTerminal},
		{"rejected-at-terminal", "A command is rejected with Esc at the terminal.", playRejectedAtTerminal},
		{"allowed-by-rule", "A rule of the project's allows a command.", playAllowedByRule},
		{"denied-by-verdict", "The hook before a tool's call denies it, and has another asked about.", playVerdicts},
		{"image", "A tool's result is an image.", playImage},
		{"subagent", "A subagent asks about a command, in the background.", playSubagent},
		{"small-terminal", "A command is asked about in a terminal of 80×24.", playSmallTerminal},
	}
}

func playBash(k *taker) {
	k.Ready()
	k.hook("SessionStart", 1)
	k.Shows("manual mode on")
	k.still("idle")
	k.status()
	k.Send("fake:text I begin ;; bash touch made ;; text done")
	k.hook("UserPromptSubmit", 1)
	k.hook("PreToolUse", 1)
	asked := k.hook("PermissionRequest", 1)
	k.Shows("Do you want to proceed?")
	k.still("asked")
	k.Becomes(agentkind.ActivityWaiting)
	k.status()
	k.Reply(asked, agentkind.Answer{Option: agentkind.OptionAllow})
	k.hook("PostToolUse", 1)
	k.hook("Stop", 1)
	k.Becomes(agentkind.ActivityIdle)
	k.Shows(" · done ")
	k.still("done")
	k.Leave(syscall.SIGTERM)
	k.hook("SessionEnd", 1)
	k.transcript("attachment/date", "system/turn_duration", "file-history-snapshot", "permission-mode", "cost-state")
}

// playTool asks about a tool, and lets the hook deny it. Shown are words in the dialog that are drawn late.
func playTool(script, shown string) func(*taker) {
	return func(k *taker) {
		k.Ready()
		asked := k.Ask("fake:" + script)
		k.payload(k.lastOf("PreToolUse"))
		k.payload(asked)
		k.Becomes(agentkind.ActivityWaiting)
		k.Shows(shown)
		k.still("asked")
		k.Reply(asked, agentkind.Answer{Option: agentkind.OptionDeny, Text: "use a branch"})
		k.over()
		k.transcript()
	}
}

// over waits until the turn is over and all is written.
func (k *taker) over() {
	k.Hook("Stop", 1)
	k.Becomes(agentkind.ActivityIdle)
	k.Leave(syscall.SIGTERM)
}

func (k *taker) lastOf(event string) *stage.Fired {
	all := k.Hooks.Of(event)
	if len(all) == 0 {
		k.Fail("no hook %s", event)
	}
	return all[len(all)-1]
}

func playNotebook(k *taker) {
	k.file("plot.ipynb", `{"cells":[{"cell_type":"code","id":"first","source":["x = 1"],"metadata":{},"outputs":[],"execution_count":null}],"metadata":{},"nbformat":4,"nbformat_minor":5}`)
	playTool(`read plot.ipynb ;; tool NotebookEdit {"notebook_path":"`+k.Path("plot.ipynb")+`","cell_id":"first","new_source":"x = 2"}`, "+x = 2")(k)
}

func playReadOutside(k *taker) {
	outside := filepath.Join(k.Dir, "outside.txt")
	k.Check(os.WriteFile(outside, []byte("secret\n"), 0o600))
	playTool("read "+outside, "1. Yes")(k)
}

func playMCPTool(k *taker) {
	k.AddAsker()
	k.Ready()
	asked := k.Ask("fake:tool mcp__asker__ask {}")
	k.hook("PreToolUse", 1)
	k.payload(asked)
	k.Becomes(agentkind.ActivityWaiting)
	k.still("asked")
	k.Reply(asked, agentkind.Answer{Option: agentkind.OptionAllow})
	k.Shows("Which colour?")
	k.still("elicitation")
}

func playFailedCommand(k *taker) {
	k.Ready()
	k.Reply(k.Ask("fake:bash sh -c 'echo > made; exit 3'"), agentkind.Answer{Option: agentkind.OptionAllow})
	k.hook("PostToolUseFailure", 1)
	k.over()
	k.transcript()
}

func playAllowedAtTerminal(k *taker) {
	k.Ready()
	k.Ask("fake:bash touch made")
	k.Shows("Do you want to proceed?")
	k.Sleep(stage.DialogAge)
	k.Keys("1")
	k.over()
	k.transcript()
}

func playRejectedAtTerminal(k *taker) {
	k.Ready()
	k.Ask("fake:bash touch made")
	k.Shows("Do you want to proceed?")
	k.Sleep(stage.DialogAge)
	k.Keys("\x1b")
	k.Becomes(agentkind.ActivityIdle)
	k.still("after Esc")
	k.status()
	k.Leave(syscall.SIGTERM)
	k.transcript()
}

func playAllowedByRule(k *taker) {
	k.file(".claude/settings.json", `{"permissions":{"allow":["Bash(touch *)"]}}`)
	k.Ready()
	k.Send("fake:bash touch made")
	k.over()
	k.transcript()
}

func playVerdicts(k *taker) {
	k.Hooks.Reply(k.Kind.JudgedHook, string(k.Kind.Verdict(true, "against the rules")))
	k.Ready()
	k.Send("fake:bash touch made")
	k.Hook("Stop", 1)
	k.Becomes(agentkind.ActivityIdle)
	k.Hooks.Reply(k.Kind.JudgedHook, string(k.Kind.Verdict(false, "by rule")))
	asked := k.Ask("fake:bash ls")
	k.payload(asked)
	k.Becomes(agentkind.ActivityWaiting)
	k.still("asked by rule")
	k.Reply(asked, agentkind.Answer{Option: agentkind.OptionDeny})
	k.Hook("Stop", 2)
	k.over()
	k.transcript()
}

// dot is a PNG of one pixel.
const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func playImage(k *taker) {
	pixel, err := base64.StdEncoding.DecodeString(dot)
	k.Check(errors.Join(err, os.WriteFile(k.Path("dot.png"), pixel, 0o600)))
	k.Ready()
	k.Send("fake:read " + k.Path("dot.png"))
	k.over()
	k.transcript()
}

func playSubagent(k *taker) {
	k.Ready()
	asked := k.Ask("fake:task fake:bash touch made")
	k.hook("PreToolUse", 1)
	k.hook("PostToolUse", 1)
	k.hook("SubagentStart", 1)
	k.hook("PreToolUse", 2)
	k.payload(asked)
	k.Reply(asked, agentkind.Answer{Option: agentkind.OptionAllow})
	k.hook("PostToolUse", 2)
	k.hook("SubagentStop", 1)
	k.hook("UserPromptSubmit", 2) // tells the agent that the subagent is done
	k.hook("Stop", 2)
	k.over()
	k.transcript()
	k.subagent()
}

func playSmallTerminal(k *taker) {
	k.Cols, k.Rows = 80, 24
	k.Ready()
	k.still("idle")
	k.Ask("fake:bash touch made")
	k.Shows("Do you want to proceed?")
	k.still("asked")
}
