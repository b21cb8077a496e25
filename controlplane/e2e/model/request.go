package model

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// request is the part of a Messages API request that a script can depend on.
type request struct {
	Model    string `json:"model"`
	Stream   bool   `json:"stream"`
	Messages []said `json:"messages"`
	Tools    []struct {
		Name string `json:"name"`
	} `json:"tools"`
}

// said is one entry of the conversation.
type said struct {
	Role    string  `json:"role"`
	Content content `json:"content"`
}

// content is a list of blocks; a plain string stands for a single block of text.
type content []block

// block is one part of a message: text, a call of a tool, or a tool's result.
type block struct {
	Type      string          `json:"type"`
	Text      string          `json:"text,omitempty"`
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
	ToolUseID string          `json:"tool_use_id,omitempty"`
	Content   content         `json:"content,omitempty"`
	IsError   bool            `json:"is_error,omitempty"`
}

// UnmarshalJSON accepts both forms that the API accepts.
func (c *content) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*c = content{{Type: "text", Text: text}}
		return nil
	}
	var blocks []block
	if err := json.Unmarshal(data, &blocks); err != nil {
		return fmt.Errorf("content is neither text nor blocks: %w", err)
	}
	*c = blocks
	return nil
}

// own matches text that the CLI puts into the conversation in the person's place.
var own = regexp.MustCompile(`(?s)^\s*(<system-reminder>|\[Request interrupted|\[Tool call interrupted|<local-command|<command-name>)`)

// prompt is what the person said last, and how many turns the model has taken since. The CLI puts reminders
// before it and entries of the role "system" after it; messages that were queued arrive as several blocks of one.
func (r request) prompt() (text string, step int) {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		switch r.Messages[i].Role {
		case "assistant":
			step++
		case "user":
			if text := r.Messages[i].Content.words(); text != "" {
				return text, step
			}
		}
	}
	return "", step
}

// words is the text of the blocks that a person wrote.
func (c content) words() string {
	var words []string
	for _, b := range c {
		if b.Type == "text" && strings.TrimSpace(b.Text) != "" && !own.MatchString(b.Text) {
			words = append(words, b.Text)
		}
	}
	return strings.Join(words, "\n")
}

// result is what the last tool that was called has answered.
func (r request) result() (text string, failed, ok bool) {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if r.Messages[i].Role == "assistant" {
			return "", false, false
		}
		for _, b := range r.Messages[i].Content {
			if b.Type == "tool_result" {
				return b.Content.words(), b.IsError, true
			}
		}
	}
	return "", false, false
}

// tool is the first of names that the CLI offers; the tool that starts a subagent has changed its name before.
func (r request) tool(names ...string) string {
	for _, name := range names {
		for _, offered := range r.Tools {
			if offered.Name == name {
				return name
			}
		}
	}
	return names[0]
}

// planPath finds the plan file, which the CLI names in a reminder in plan mode.
var planPath = regexp.MustCompile(`/[^\s"'` + "`" + `]+/plans/[^\s"'` + "`" + `]+\.md`)

func (r request) planFile() string {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		for _, b := range r.Messages[i].Content {
			if path := planPath.FindString(b.Text); path != "" {
				return path
			}
		}
	}
	return "plan.md"
}
