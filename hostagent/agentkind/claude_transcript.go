package agentkind

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// claudeLine is one line of the transcript file. Most types of line are of no interest to a reader.
type claudeLine struct {
	Type        string         `json:"type"`
	Subtype     string         `json:"subtype"`
	Timestamp   time.Time      `json:"timestamp"`
	IsMeta      bool           `json:"isMeta"`
	IsSidechain bool           `json:"isSidechain"`
	IsCompact   bool           `json:"isCompactSummary"`
	IsAPIError  bool           `json:"isApiErrorMessage"`
	Message     claudeMessage  `json:"message"`
	DenialKind  string         `json:"toolDenialKind"`
	Decision    *claudeDecided `json:"permissionDecision"`
	Attachment  claudeAttached `json:"attachment"`

	ToolResult json.RawMessage `json:"toolUseResult"` // in the tool's own form
	Subagent   string          `json:"attributionAgent"`
	Forked     struct {
		Session string `json:"sessionId"`
	} `json:"forkedFrom"`
}

// claudeAttached is a message that was sent while the agent worked, and that it took within the running turn.
type claudeAttached struct {
	Type   string          `json:"type"`
	Mode   string          `json:"commandMode"`
	Prompt json.RawMessage `json:"prompt"` // a string or blocks
	Origin struct {
		Kind string `json:"kind"`
	} `json:"origin"`
}

type claudeMessage struct {
	ID      string          `json:"id"`
	Content json.RawMessage `json:"content"` // a string or blocks
	Use     json.RawMessage `json:"usage"`
}

type claudeDecided struct {
	Decision string `json:"decision"`
	Source   string `json:"source"`
}

type claudeBlock struct {
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	ToolUseID string          `json:"tool_use_id"`
	Content   json.RawMessage `json:"content"`
	IsError   bool            `json:"is_error"`
}

func readClaudeTranscript(text []byte) ([]Line, error) {
	var kind struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(text, &kind); err != nil {
		return nil, fmt.Errorf("claude transcript: %w", err)
	}
	if kind.Type == "cost-state" {
		return readClaudeCost(text), nil
	}
	if !slices.Contains([]string{"user", "assistant", "system", "attachment"}, kind.Type) {
		return nil, nil
	}
	var raw claudeLine
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("claude transcript: %w", err)
	}
	lines := raw.said()
	if raw.Type == "assistant" {
		lines = raw.used(lines)
	}
	for i := range lines {
		lines[i].At, lines[i].Sidechain = raw.Timestamp, raw.IsSidechain
		lines[i].Subagent, lines[i].Forked = raw.Subagent, raw.Forked.Session
	}
	return lines, nil
}

// said is what there is to be read in a line.
func (l claudeLine) said() []Line {
	switch {
	case l.IsMeta:
		return nil
	case l.Type == "system":
		return claudeNotice(l)
	case l.IsCompact:
		return nil // the notice of the compaction says that it happened
	}
	content := l.Message.Content
	if l.Type == "attachment" {
		content = l.Attachment.message()
	}
	var lines []Line
	for _, block := range claudeBlocks(content) {
		if line, ok := block.line(l); ok {
			lines = append(lines, line)
		}
	}
	return lines
}

// used puts what a reply took to its first line, or to one of its own if nothing of it is to be read: its thinking.
func (l claudeLine) used(lines []Line) []Line {
	use := readClaudeUse(l.Message.Use)
	if use == nil || l.Message.ID == "" {
		return lines
	}
	if len(lines) == 0 {
		lines = []Line{{Kind: LineUse}}
	}
	lines[0].Reply, lines[0].Use = l.Message.ID, use
	return lines
}

// message is what a person said in an attachment; most attachments are the CLI's own.
func (a claudeAttached) message() json.RawMessage {
	if a.Type != "queued_command" || a.Mode != "prompt" || a.Origin.Kind != "human" {
		return nil
	}
	return a.Prompt
}

// claudeNotice keeps the few system lines that a person would miss.
func claudeNotice(raw claudeLine) []Line {
	if raw.Subtype != "compact_boundary" {
		return nil
	}
	return []Line{{Kind: LineNotice, Text: "The conversation so far was replaced by a summary of it."}}
}

// claudeBlocks reads content in both of its forms.
func claudeBlocks(content json.RawMessage) []claudeBlock {
	var text string
	if json.Unmarshal(content, &text) == nil {
		return []claudeBlock{{Type: "text", Text: text}}
	}
	var blocks []claudeBlock
	if json.Unmarshal(content, &blocks) != nil {
		return nil
	}
	return blocks
}

func (b claudeBlock) line(raw claudeLine) (Line, bool) {
	switch b.Type {
	case "text":
		return b.textLine(raw)
	case "tool_use":
		return Line{Kind: LineToolCall, Tool: b.Name, ToolUse: b.ID, Input: b.Input}, true
	case "tool_result":
		line := Line{Kind: LineToolResult, ToolUse: b.ToolUseID, Text: plainContent(b.Content), IsError: b.IsError}
		line.Decided, line.Denied = raw.decided()
		_, line.Unanswered = claudeAnswers(raw.ToolResult)
		return line, true
	}
	return Line{}, false
}

func (b claudeBlock) textLine(raw claudeLine) (Line, bool) {
	text := b.Text
	switch {
	case strings.TrimSpace(text) == "":
		return Line{}, false
	case raw.Type == "assistant" && raw.IsAPIError:
		return Line{Kind: LineNotice, Text: text, IsError: true}, true
	case raw.Type == "assistant":
		return Line{Kind: LineAssistant, Text: text}, true
	case strings.HasPrefix(text, "[Request interrupted by user"):
		return Line{Kind: LineInterrupted, Text: "Interrupted."}, true
	case injected(text):
		return Line{}, false
	}
	return Line{Kind: LineUser, Text: text}, true
}

// injected is text in a user's line that no user wrote.
func injected(text string) bool {
	starts := []string{
		"<system-reminder>", "<command-name>", "<command-message>", "<local-command-", "<task-notification>",
		"<bash-input>", "<bash-stdout>",
	}
	for _, start := range starts {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return false
}

// decided reads who let the tool run. It stands on most results, not on all.
func (l claudeLine) decided() (Decider, bool) {
	if l.DenialKind == "user-rejected" {
		return DecidedTerminal, true
	}
	if l.Decision == nil {
		return DecidedUnknown, l.DenialKind != ""
	}
	denied := l.Decision.Decision == "reject"
	switch source := l.Decision.Source; {
	case source == "hook":
		return DecidedHook, denied
	case source == "config":
		return DecidedRule, denied
	case strings.HasPrefix(source, "user_"):
		return DecidedTerminal, denied
	}
	return DecidedUnknown, denied
}

// plainContent is the text of a tool's result, which is a string or blocks.
func plainContent(content json.RawMessage) string {
	var parts []string
	for _, block := range claudeBlocks(content) {
		switch block.Type {
		case "text":
			parts = append(parts, block.Text)
		default:
			parts = append(parts, "["+block.Type+"]")
		}
	}
	return strings.Join(parts, "\n")
}
