package main

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"switchboard/controlplane/e2e/faults/agentlog"
)

// turn deals with messages. The first word of the first one says how: "ask" runs a command, for which it needs to be
// allowed, and "delegate" has a subagent do so; "work <milliseconds>" takes so long; "print <lines>" writes as many to the
// terminal; anything else is answered at once.
func (a *agent) turn(ctx context.Context, messages []string) {
	text := strings.Join(messages, "\n")
	kind := agentlog.Message
	if len(messages) > 1 {
		kind = agentlog.Merged
	}
	a.note(kind, text, "")
	a.become("busy", "")
	a.say("user", object{"role": "user", "content": text}, object{"origin": object{"kind": "human"}, "promptSource": "typed"})
	a.hooks.run(context.Background(), "UserPromptSubmit", a.payload("UserPromptSubmit", object{"prompt": text}))
	words := strings.Fields(text)
	goesOn := true
	switch {
	case words[0] == "ask":
		goesOn = a.ask(text, nil)
	case words[0] == "delegate":
		goesOn = a.ask(text, object{"agent_id": "a" + strconv.FormatInt(calls.Add(1), 16), "agent_type": "general-purpose"})
	case words[0] == "print" && len(words) > 1:
		lines, _ := strconv.Atoi(words[1]) // anything else is none
		a.printLines(lines)
	case words[0] == "work" && len(words) > 1:
		ms, _ := strconv.Atoi(words[1]) // anything else takes no time
		goesOn = pause(ctx, time.Duration(ms)*time.Millisecond)
	}
	if !goesOn {
		a.note(agentlog.Interrupted, "", "")
		a.say("user", object{"role": "user", "content": []object{{"type": "text", "text": "[Request interrupted by user]"}}}, nil)
		a.become("idle", "")
		return
	}
	a.note(agentlog.Finished, "", "")
	a.say("assistant", object{"role": "assistant", "content": []object{{"type": "text", "text": "done: " + text}}}, nil)
	a.hooks.run(context.Background(), "Stop", a.payload("Stop", object{"last_assistant_message": "done: " + text}))
	a.become("idle", "")
}

// printLines writes lines that are no other's, in pieces.
func (a *agent) printLines(lines int) {
	const atOnce = 40
	var piece strings.Builder
	for n := range lines {
		fmt.Fprintf(&piece, "\x1b[3%dm%d.%d\x1b[0m → ünïcödé 漢字 👩‍👩‍👧 \"quoted\" \\ %s\r\n", n%8, calls.Add(1), n, strings.Repeat("=", n%97))
		if n%atOnce == atOnce-1 || n == lines-1 {
			a.mu.Lock()
			a.print(piece.String())
			a.mu.Unlock()
			piece.Reset()
		}
	}
	a.draw()
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

var calls atomic.Int64

// ask asks for a command's permission, here and by the hook at the same time. By says which subagent asks, if one does.
// It reports whether the turn goes on.
func (a *agent) ask(text string, by object) bool {
	use := "toolu_" + strconv.FormatInt(time.Now().UnixNano(), 36) + strconv.FormatInt(calls.Add(1), 36)
	input := object{"command": "run " + text, "description": use}
	tool := object{"tool_name": "Bash", "tool_input": input}
	maps.Copy(tool, by)
	a.say("assistant", object{"role": "assistant", "content": []object{
		{"type": "tool_use", "id": use, "name": "Bash", "input": input}}}, nil)
	before := object{"tool_name": "Bash", "tool_input": input, "tool_use_id": use}
	maps.Copy(before, by)
	a.hooks.run(context.Background(), "PreToolUse", a.payload("PreToolUse", before))
	asking := &dialog{opened: time.Now(), answer: make(chan string, 1)}
	a.mu.Lock()
	a.dialog = asking
	a.mu.Unlock()
	a.note(agentlog.Asked, text, use)
	a.become("waiting", "permission prompt")
	a.draw()
	decided := make(chan string, 1)
	rejected := make(chan struct{})
	go func() {
		held, release := context.WithCancel(context.Background())
		defer release()
		go func() { // a rejection ends the hook; an answer by a key leaves it waiting
			select {
			case <-rejected:
				release()
			case <-held.Done():
			}
		}()
		// Without an answer the dialog simply stays.
		if d := decision(a.hooks.run(held, "PermissionRequest", a.payload("PermissionRequest", tool))); d != "" {
			decided <- d
		}
	}()
	defer a.draw()
	defer func() {
		a.mu.Lock()
		a.dialog = nil
		a.mu.Unlock()
	}()
	source := "hook"
	var answer string
	select {
	case answer = <-decided:
	case answer = <-asking.answer:
		source = "user_temporary"
	}
	a.become("busy", "")
	if answer == "reject" {
		close(rejected)
		a.note(agentlog.Rejected, text, use)
		a.result(use, "rejected", true, object{"toolDenialKind": "user-rejected"})
		return false
	}
	if answer != "allow" {
		a.note(agentlog.Denied, source, use)
		a.result(use, "denied", true, object{"permissionDecision": object{"decision": "reject", "source": source}})
		return true
	}
	a.note(agentlog.Allowed, source, use)
	a.result(use, "ok", false, object{"permissionDecision": object{"decision": "accept", "source": source}})
	after := object{"tool_name": "Bash", "tool_input": input, "tool_use_id": use, "tool_response": object{"stdout": "ok"}}
	maps.Copy(after, by)
	a.hooks.run(context.Background(), "PostToolUse", a.payload("PostToolUse", after))
	return true
}

func (a *agent) result(use, text string, isError bool, decision object) {
	a.say("user", object{"role": "user", "content": []object{
		{"type": "tool_result", "tool_use_id": use, "content": text, "is_error": isError}}}, decision)
}
