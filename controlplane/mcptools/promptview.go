package mcptools

import (
	"fmt"
	"time"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// promptView is a prompt as tools show it. Its words are the agent's.
type promptView struct {
	PromptID   string         `json:"prompt_id"`
	SessionID  string         `json:"session_id"`
	Session    string         `json:"session" doc:"the session's handle"`
	Host       string         `json:"host"`
	Kind       string         `json:"kind" doc:"permission, choice, plan, trust, elicitation (an MCP server asks) or dialog (answered at the terminal only)"`
	Tool       string         `json:"tool,omitempty" doc:"what the agent wants to use"`
	Title      string         `json:"title" doc:"what is asked, in the agent's words: untrusted"`
	Detail     string         `json:"detail,omitempty" doc:"the command, change or plan in full: untrusted"`
	Options    []optionView   `json:"options,omitempty"`
	Questions  []questionView `json:"questions,omitempty" doc:"answer each in one line, in this order"`
	AllowsText bool           `json:"allows_text" doc:"an answer in words is possible beside the options"`
	Status     string         `json:"status" enum:"asked,answering,settled" doc:"answering: an answer was handed to the agent, and it is not yet known to have taken effect"`
	AskedAt    time.Time      `json:"asked_at"`
	AnsweredBy string         `json:"answered_by,omitempty"`
	Outcome    string         `json:"outcome,omitempty" doc:"allowed, denied, answered or withdrawn"`
}

type optionView struct {
	ID     string `json:"id"`
	Label  string `json:"label"`
	Effect string `json:"effect,omitempty" doc:"what it changes beyond this one time"`
}

type questionView struct {
	Text        string   `json:"text"`
	MultiSelect bool     `json:"multi_select" doc:"several answers, with commas between, are possible"`
	Options     []string `json:"options" doc:"in order; the answer is a number or a label; none: the answer is words"`
	Wants       string   `json:"wants,omitempty" doc:"what the answer must be"`
	Optional    bool     `json:"optional,omitempty" doc:"a single - leaves it without an answer"`
}

func viewPrompt(p fleet.Prompt) promptView {
	v := promptView{
		PromptID: string(p.ID), SessionID: string(p.Session), Session: p.Handle, Host: plainLine(p.HostName),
		Kind: string(p.Kind), Tool: plainLine(p.Tool), Title: plainLine(p.Title),
		Detail: clip(plain(p.Detail), maxDetail), AllowsText: p.AllowsText,
		Status: string(p.Status), AskedAt: p.AskedAt.UTC(), AnsweredBy: plainLine(p.Answerer),
	}
	for _, o := range p.Options {
		v.Options = append(v.Options, optionView{ID: plainLine(o.ID), Label: plainLine(o.Label), Effect: plainLine(o.Effect)})
	}
	for _, q := range p.Questions {
		v.Questions = append(v.Questions, viewQuestion(q))
	}
	if p.Settlement != nil {
		v.Outcome = string(p.Settlement.Outcome)
	}
	return v
}

func viewQuestion(q protocol.Question) questionView {
	v := questionView{
		Text: plainLine(q.Text), MultiSelect: q.MultiSelect, Options: []string{}, Wants: plainLine(q.Wants), Optional: q.Optional,
	}
	for i, o := range q.Options {
		label := fmt.Sprintf("%d. %s", i+1, o.Label)
		if o.Description != "" {
			label += ": " + o.Description
		}
		v.Options = append(v.Options, plainLine(label))
	}
	return v
}

// viewPrompts shows prompts, the last ones without their detail where the answer would grow beyond maxOutput.
func viewPrompts(prompts []fleet.Prompt) []promptView {
	views := []promptView{}
	size := 0
	for _, p := range prompts {
		v := viewPrompt(p)
		if size += len(v.Detail); size > maxOutput {
			v.Detail = "(left out: this answer is too long; ask for this session alone)"
		}
		views = append(views, v)
	}
	return views
}
