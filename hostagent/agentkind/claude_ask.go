package agentkind

import (
	"encoding/json"
	"fmt"
	"strings"
)

// claudeInput is the part of the tools' inputs that a person is shown in a form of its own.
type claudeInput struct {
	Command     string `json:"command"`
	Description string `json:"description"`
	FilePath    string `json:"file_path"`
	Content     string `json:"content"`
	claudeEdit
	Edits     []claudeEdit `json:"edits"`
	Notebook  string       `json:"notebook_path"`
	Cell      string       `json:"cell_id"`
	CellType  string       `json:"cell_type"`
	EditMode  string       `json:"edit_mode"`
	NewSource string       `json:"new_source"`
	Path      string       `json:"path"`
	Pattern   string       `json:"pattern"`
	URL       string       `json:"url"`
	Prompt    string       `json:"prompt"`
	Query     string       `json:"query"`
	Skill     string       `json:"skill"`
	Args      string       `json:"args"`
	Subagent  string       `json:"subagent_type"`
	Plan      string       `json:"plan"`
	Questions []struct {
		Header      string `json:"header"`
		Question    string `json:"question"`
		MultiSelect bool   `json:"multiSelect"`
		Options     []struct {
			Label       string `json:"label"`
			Description string `json:"description"`
		} `json:"options"`
	} `json:"questions"`
}

type claudeEdit struct {
	Old string `json:"old_string"`
	New string `json:"new_string"`
	All bool   `json:"replace_all"`
}

func readClaudeAsk(payload []byte) (Ask, error) {
	raw, err := parseClaudeHook(payload)
	if err != nil {
		return Ask{}, err
	}
	if raw.Event == claudeFormHook {
		return askForm(raw), nil
	}
	var input claudeInput
	// Tools of other makers may name a field alike and give it another type: then the input is shown as it came.
	if err := unmarshalExactly(raw.ToolInput, &input); err != nil {
		input = claudeInput{}
	}
	ask := Ask{Tool: raw.Tool, Subagent: raw.AgentType, AllowsText: true}
	switch {
	case raw.Tool == "AskUserQuestion" && len(input.Questions) > 0:
		askChoice(&ask, input)
	case raw.Tool == "ExitPlanMode":
		askPlan(&ask, input)
	default:
		askPermission(&ask, raw, input)
	}
	return ask, nil
}

func askChoice(ask *Ask, input claudeInput) {
	ask.Kind = AskChoice
	for _, q := range input.Questions {
		question := Question{Header: q.Header, Text: q.Question, MultiSelect: q.MultiSelect}
		for _, o := range q.Options {
			question.Options = append(question.Options, QuestionOption{Label: o.Label, Description: o.Description})
		}
		ask.Questions = append(ask.Questions, question)
	}
	ask.Title = oneLine(ask.Questions[0].Text)
	if more := len(ask.Questions) - 1; more > 0 {
		ask.Title = fmt.Sprintf("%s (and %d more)", ask.Title, more)
	}
	ask.Options = []Option{{ID: OptionDeny, Label: "Decline to answer"}}
}

func askPlan(ask *Ask, input claudeInput) {
	ask.Kind = AskPlan
	ask.Title = "May this plan be carried out?"
	ask.Detail = input.Plan
	ask.Options = []Option{
		{ID: OptionAllow, Label: "Yes, manually approve edits"},
		{ID: OptionAcceptEdits, Label: "Yes, and accept edits", Effect: acceptEditsEffect, Mode: "acceptEdits"},
		{ID: OptionDeny, Label: "Tell Claude what to change"},
	}
}

const acceptEditsEffect = "edits of files are accepted without asking, for the rest of this session"

func askPermission(ask *Ask, raw claudeHook, input claudeInput) {
	ask.Kind = AskPermission
	ask.Title, ask.Detail = describeTool(raw, input)
	ask.Options = []Option{{ID: OptionAllow, Label: "Yes"}}
	suggestions := readSuggestions(raw.Suggestion)
	if rules := suggestions.rules(); len(rules) > 0 {
		ask.Options = append(ask.Options, Option{ID: OptionAllowAlways, Label: rules.label(), Effect: rules.effect()})
	}
	if len(suggestions.acceptEdits()) > 0 {
		ask.Options = append(ask.Options, Option{
			ID: OptionAcceptEdits, Label: "Yes, and accept edits", Effect: acceptEditsEffect, Mode: "acceptEdits",
		})
	}
	ask.Options = append(ask.Options, Option{ID: OptionDeny, Label: "No"})
}

func indented(input json.RawMessage) string {
	var value any
	if err := json.Unmarshal(input, &value); err != nil {
		return string(input)
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return string(input)
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// oneLine is the first line of a text, short enough for a title. What it leaves out is marked.
func oneLine(text string) string {
	const most = 100 // runes
	line, _, cut := strings.Cut(strings.TrimSpace(text), "\n")
	runes := []rune(line)
	if len(runes) > most {
		runes, cut = runes[:most], true
	}
	if cut {
		return string(runes) + " …"
	}
	return string(runes)
}
