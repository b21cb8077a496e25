package session

import (
	"encoding/json"
	"fmt"
	"slices"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

const (
	// maxPromptText is how much of a prompt's detail crosses. Who decides on more reads it at the terminal.
	maxPromptText = 64 << 10 // bytes
	// leastPromptText is where cutting ends: with no more than maxChoices, all of a prompt fits then.
	leastPromptText = 64 // bytes
	// maxChoices is how many questions, and options of each, cross. Claude Code asks at most 4 with 4.
	maxChoices = 16
	// maxEventBody keeps an event with what goes around it below 512 KiB.
	maxEventBody = 500 << 10 // bytes
)

// fitPrompt cuts a prompt until it fits into an event, and says in it what it leaves out: nobody shall approve what
// they cannot see without knowing that.
func fitPrompt(p protocol.Prompt) protocol.Prompt {
	for most := maxPromptText; ; most /= 4 {
		fitting := cutPrompt(p, most)
		text, err := json.Marshal(fitting)
		if err != nil || len(text) <= maxEventBody || most <= leastPromptText {
			return fitting
		}
	}
}

// cutPrompt cuts every text of a prompt to about most bytes.
func cutPrompt(p protocol.Prompt, most int) protocol.Prompt {
	p.Tool, p.Title, p.Subagent = cut(p.Tool, most), cut(p.Title, most), cut(p.Subagent, most)
	if kept, clipped := clip(p.Detail, most); clipped {
		p.Detail = fmt.Sprintf("%s\n[… %d more bytes: read them at the terminal before you decide]", kept, len(p.Detail)-len(kept))
	}
	p.Options = slices.Clone(p.Options) // few, and our own
	for i, o := range p.Options {
		p.Options[i].Label, p.Options[i].Effect = cut(o.Label, most), cut(o.Effect, most)
	}
	p.Questions = slices.Clone(p.Questions)
	for i, q := range p.Questions {
		p.Questions[i] = cutQuestion(q, most)
	}
	return p
}

func cutQuestion(q protocol.Question, most int) protocol.Question {
	q.Header, q.Text, q.Wants = cut(q.Header, most), cut(q.Text, most), cut(q.Wants, most)
	q.Options = slices.Clone(q.Options)
	for i, o := range q.Options {
		q.Options[i] = protocol.QuestionOption{Label: cut(o.Label, most), Description: cut(o.Description, most)}
	}
	return q
}

// outgoingQuestions is what crosses of a choice's questions, and how many questions and options are left out.
func outgoingQuestions(asked []agentkind.Question) (questions []protocol.Question, unseen int) {
	for i, q := range asked {
		if i == maxChoices {
			return questions, unseen + len(asked) - i
		}
		question := protocol.Question{
			Header: outgoingLine(q.Header), Text: outgoing(q.Text), MultiSelect: q.MultiSelect, Optional: q.Optional, Wants: outgoingLine(q.Wants),
		}
		kept := min(len(q.Options), maxChoices)
		unseen += len(q.Options) - kept
		for _, o := range q.Options[:kept] {
			question.Options = append(question.Options, protocol.QuestionOption{Label: outgoingLine(o.Label), Description: outgoing(o.Description)})
		}
		questions = append(questions, question)
	}
	return questions, unseen
}
