package agentkind

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// claudeDecision is the answer to a PermissionRequest hook. A plain allow is ignored by AskUserQuestion and
// ExitPlanMode, which need updatedInput. A deny's message reaches the model as the tool's result, and the turn
// goes on.
type claudeDecision struct {
	Behavior           string            `json:"behavior"`
	Message            string            `json:"message,omitempty"`
	UpdatedInput       json.RawMessage   `json:"updatedInput,omitempty"`
	UpdatedPermissions []json.RawMessage `json:"updatedPermissions,omitempty"`
}

func claudeReply(payload []byte, a Answer) ([]byte, error) {
	raw, err := parseClaudeHook(payload)
	if err != nil {
		return nil, err
	}
	ask, err := readClaudeAsk(payload)
	if err != nil {
		return nil, err
	}
	if ask.Kind == AskForm {
		return claudeFormReply(raw, ask, a)
	}
	decision, err := decideClaude(raw, ask, a)
	if err != nil {
		return nil, err
	}
	return claudeOutput(map[string]any{"hookEventName": "PermissionRequest", "decision": decision})
}

// claudeOutput is what a hook writes.
func claudeOutput(specific map[string]any) ([]byte, error) {
	var output bytes.Buffer
	encoder := json.NewEncoder(&output)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(map[string]any{"hookSpecificOutput": specific})
	return output.Bytes(), err
}

func decideClaude(raw claudeHook, ask Ask, a Answer) (claudeDecision, error) {
	if ask.Kind == AskChoice && a.Option == "" {
		return chooseClaude(raw, ask, a)
	}
	if len(a.Choices) > 0 {
		return claudeDecision{}, errors.New("this prompt has no questions to choose answers for")
	}
	if a.Option == OptionDeny || a.Option == "" && a.Text != "" {
		return denyClaude(a), nil
	}
	if a.Text != "" {
		return claudeDecision{}, errors.New("words can only go with a denial")
	}
	if !ask.offers(a.Option) {
		return claudeDecision{}, fmt.Errorf("this prompt has no option %q; it has %s", a.Option, ask.optionIDs())
	}
	return allowClaude(raw, ask, a), nil
}

func denyClaude(a Answer) claudeDecision {
	message := "Denied by " + a.Actor
	if a.Text != "" {
		message += ": " + a.Text
	}
	return claudeDecision{Behavior: "deny", Message: message}
}

func allowClaude(raw claudeHook, ask Ask, a Answer) claudeDecision {
	decision := claudeDecision{Behavior: "allow"}
	if ask.Kind == AskPlan {
		decision.UpdatedInput = raw.ToolInput
	}
	suggestions := readSuggestions(raw.Suggestion)
	switch {
	case a.Option == OptionAllowAlways:
		decision.UpdatedPermissions = suggestions.rules().rawUpdates()
	case a.Option == OptionAcceptEdits && ask.Kind == AskPlan:
		acceptEdits := json.RawMessage(`{"type":"setMode","mode":"acceptEdits","destination":"session"}`)
		decision.UpdatedPermissions = []json.RawMessage{acceptEdits}
	case a.Option == OptionAcceptEdits:
		decision.UpdatedPermissions = suggestions.acceptEdits().rawUpdates()
	}
	return decision
}

// chooseClaude answers the questions as the dialog itself would: one text per question, where several labels
// are joined with a comma.
func chooseClaude(raw claudeHook, ask Ask, a Answer) (claudeDecision, error) {
	choices := a.Choices
	if len(choices) == 0 && a.Text != "" && len(ask.Questions) == 1 {
		choices = [][]string{{a.Text}}
	}
	if len(choices) == 0 && a.Text != "" {
		return claudeDecision{Behavior: "deny", Message: a.Actor + " answered in words: " + a.Text}, nil
	}
	if len(choices) != len(ask.Questions) {
		return claudeDecision{}, fmt.Errorf("this prompt has %d questions; the answer has %d", len(ask.Questions), len(choices))
	}
	answers := map[string]string{}
	for i, question := range ask.Questions {
		text, err := question.answer(choices[i])
		if err != nil {
			return claudeDecision{}, err
		}
		answers[question.Text] = text
	}
	var input map[string]json.RawMessage
	if err := json.Unmarshal(raw.ToolInput, &input); err != nil {
		return claudeDecision{}, fmt.Errorf("claude question: %w", err)
	}
	text, err := json.Marshal(answers)
	if err != nil {
		return claudeDecision{}, fmt.Errorf("claude answers: %w", err)
	}
	input["answers"] = text
	updated, err := json.Marshal(input)
	if err != nil {
		return claudeDecision{}, fmt.Errorf("claude question: %w", err)
	}
	return claudeDecision{Behavior: "allow", UpdatedInput: updated}, nil
}

// answer is what the dialog would report. One label that no option has is an answer in words; among several it
// is a mistake.
func (q Question) answer(labels []string) (string, error) {
	if len(labels) == 0 || strings.TrimSpace(labels[0]) == "" {
		return "", fmt.Errorf("the question %q has no answer", q.Text)
	}
	if len(labels) == 1 {
		return labels[0], nil
	}
	if !q.MultiSelect {
		return "", fmt.Errorf("the question %q takes one answer", q.Text)
	}
	for _, label := range labels {
		if !q.offers(label) {
			return "", fmt.Errorf("the question %q has no option %q", q.Text, label)
		}
	}
	return strings.Join(labels, ", "), nil
}

func (q Question) offers(label string) bool {
	for _, o := range q.Options {
		if o.Label == label {
			return true
		}
	}
	return false
}

func (a Ask) offers(id string) bool {
	for _, o := range a.Options {
		if o.ID == id {
			return true
		}
	}
	return false
}

func (a Ask) optionIDs() string {
	var ids []string
	for _, o := range a.Options {
		ids = append(ids, o.ID)
	}
	return strings.Join(ids, ", ")
}
