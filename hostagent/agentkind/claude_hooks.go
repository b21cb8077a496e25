package agentkind

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// claudeHook is what the hooks' payloads have in common and what differs, in one.
type claudeHook struct {
	SessionID  string          `json:"session_id"`
	Transcript string          `json:"transcript_path"`
	Cwd        string          `json:"cwd"`
	Event      string          `json:"hook_event_name"`
	Prompt     string          `json:"prompt"`
	Error      json.RawMessage `json:"error"`
	Message    string          `json:"last_assistant_message"`
	Reason     string          `json:"reason"`
	Trigger    string          `json:"trigger"`
	Tool       string          `json:"tool_name"`
	ToolUse    string          `json:"tool_use_id"`
	ToolInput  json.RawMessage `json:"tool_input"`
	Mode       string          `json:"permission_mode"`
	AgentID    string          `json:"agent_id"`
	AgentType  string          `json:"agent_type"`
	Suggestion json.RawMessage `json:"permission_suggestions"`
	Background []struct{}      `json:"background_tasks"`
	claudeForm `json:"-"`
}

var claudeHookKinds = map[string]HookKind{
	"SessionStart":       HookStarted,
	"SessionEnd":         HookEnded,
	"UserPromptSubmit":   HookSubmitted,
	"PreToolUse":         HookToolStarting,
	"PermissionRequest":  HookAsked,
	"PostToolUse":        HookToolDone,
	"PostToolUseFailure": HookToolFailed,
	"Stop":               HookTurnDone,
	"StopFailure":        HookTurnFailed,
	"SubagentStop":       HookAgentDone,
	"PreCompact":         HookCompacting,
	"PostCompact":        HookCompacted,
	"Elicitation":        HookFormAsked,
	"ElicitationResult":  HookFormAnswered,
}

func readClaudeHook(payload []byte) (Hook, error) {
	raw, err := parseClaudeHook(payload)
	if err != nil {
		return Hook{}, err
	}
	hook := Hook{
		Event: raw.Event, Kind: HookOther,
		Session: conversationID(raw.SessionID), Transcript: raw.Transcript, WorkingDir: raw.Cwd, Mode: raw.Mode,
		Text: raw.Prompt, Tool: raw.Tool, ToolUse: raw.ToolUse, Input: raw.ToolInput,
		Agent: raw.AgentID, Subagent: raw.AgentType, Server: raw.Server, Form: raw.FormID, Action: raw.Action,
	}
	if kind, ok := claudeHookKinds[raw.Event]; ok {
		hook.Kind = kind
	}
	if hook.Mode == "default" {
		hook.Mode = "manual" // the flag's word for the same
	}
	switch {
	case hook.Kind == HookTurnDone:
		hook.Background = len(raw.Background)
	case hook.Kind == HookTurnFailed:
		hook.Text, hook.Failure = raw.Message, claudeFailure(raw.Error)
	case hook.Kind == HookEnded:
		hook.Text = claudeEndings[raw.Reason]
	case hook.Kind == HookToolDone && hook.Tool == "AskUserQuestion":
		hook.Text, hook.Unanswered = claudeAnswers(raw.ToolInput)
	case hook.Kind == HookCompacting:
		hook.Text = raw.Trigger
	case hook.Kind == HookFormAnswered:
		hook.Text = raw.values()
	case raw.Event == "Notification" && raw.Notice == "elicitation_response":
		hook.Kind = HookFormOver
		hook.Server, hook.Action = claudeFormOver(raw.Says)
	}
	return hook, nil
}

// claudeFailure is what failed a turn: rate_limit, authentication_failed, server_error, unknown, …
func claudeFailure(text json.RawMessage) string {
	var failure string
	if json.Unmarshal(text, &failure) != nil {
		return ""
	}
	return failure
}

// claudeEndings are the reasons of a SessionEnd that say who ended the program, in words. A conversation that was
// cleared goes on as another one, and "other" is a signal or a closed terminal.
var claudeEndings = map[string]string{
	"prompt_input_exit": "ended at the terminal",
	"logout":            "logged out at the terminal",
}

// conversationID is the id if it is one. It will stand on the command line of a resumed agent, and any program that
// the agent runs can call the hook too: --dangerously-skip-permissions is no id.
func conversationID(id string) string {
	if uuid.Validate(id) != nil || len(id) != 36 {
		return ""
	}
	return id
}

// claudeAnswers is what was answered, in words. With the person's setting askUserQuestionTimeout the CLI goes on by
// itself, with what was marked so far.
func claudeAnswers(input json.RawMessage) (text string, unanswered time.Duration) {
	var answered struct {
		Answers map[string]string `json:"answers"`
		Away    int               `json:"afkTimeoutMs"`
	}
	if json.Unmarshal(input, &answered) != nil {
		return "", 0
	}
	answers := slices.Sorted(maps.Values(answered.Answers))
	return strings.Join(answers, "; "), time.Duration(answered.Away) * time.Millisecond
}

func parseClaudeHook(payload []byte) (claudeHook, error) {
	var raw claudeHook
	if err := json.Unmarshal(payload, &raw); err != nil {
		return raw, fmt.Errorf("claude hook: %w", err)
	}
	if raw.Event == "" {
		return raw, errors.New("claude hook: no hook_event_name")
	}
	if raw.Event == claudeFormHook || raw.Event == claudeFormResultHook || raw.Event == "Notification" {
		if err := json.Unmarshal(payload, &raw.claudeForm); err != nil {
			return raw, fmt.Errorf("claude hook: %w", err)
		}
	}
	return raw, nil
}
