package session

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/protocol"
)

// closing says that a prompt is over and what to believe if no better evidence tells who decided.
type closing struct {
	at       time.Time
	evidence string
	outcome  protocol.Outcome
	where    protocol.Where
	text     string // the answer in words
	now      bool   // no better evidence can come
	hook     bool   // a hook decided: ours, if the journal says that our answer was handed over
}

// close keeps the first reason.
func (p *prompt) close(c closing) {
	if p.closing == nil || c.now {
		p.closing = &c
	}
}

// toolEnded is proof that the tool was allowed to run. Who allowed it stands in the transcript a moment later.
func (f *fold) toolEnded(at time.Time, evidence string, hook agentkind.Hook) {
	for _, p := range f.openPrompts() {
		exact := p.toolUse != "" && p.toolUse == hook.ToolUse
		alike := p.toolUse == "" && p.Tool == hook.Tool && p.agent == hook.Agent
		switch {
		case !exact && !alike:
		case hook.Unanswered > 0:
			p.close(p.unanswered(at, evidence, hook.Unanswered))
		default:
			p.close(p.ran(at, evidence, hook.Text))
		}
	}
	f.tools = slices.DeleteFunc(f.tools, func(t tool) bool { return t.use == hook.ToolUse })
}

// unanswered: the agent went on by itself, with what a person had marked, if anything. That is nobody's answer.
func (p *prompt) unanswered(at time.Time, evidence string, after time.Duration) closing {
	return closing{
		at: at, evidence: fmt.Sprintf("%s: nobody answered for %s, and the agent went on", evidence, after),
		outcome: protocol.OutcomeWithdrawn, where: protocol.WhereNobody, now: true,
	}
}

// ran is what a prompt's tool having run tells about it.
func (p *prompt) ran(at time.Time, evidence, text string) closing {
	c := closing{at: at, evidence: evidence, outcome: protocol.OutcomeAllowed, where: protocol.WhereTerminal, text: text}
	if p.Kind == protocol.PromptChoice || p.Kind == protocol.PromptDialog {
		c.outcome = protocol.OutcomeAnswered
	}
	if p.handed() && p.answer.outcome(p.Kind) == c.outcome {
		c.where = protocol.WhereRemote
	}
	return c
}

// outcome is what the answer would bring about.
func (a answerNote) outcome(kind protocol.PromptKind) protocol.Outcome {
	asks := kind == protocol.PromptChoice || kind == protocol.PromptElicitation
	denies := a.Answer.Option == protocol.OptionDeny || a.Answer.Option == "" && !asks
	switch {
	case denies:
		return protocol.OutcomeDenied
	case asks:
		return protocol.OutcomeAnswered
	}
	return protocol.OutcomeAllowed
}

// agentStopped: an agent whose turn is over asks nothing any more.
func (f *fold) agentStopped(at time.Time, evidence, agent string) {
	for _, p := range f.openPrompts() {
		if p.agent == agent && p.payload != nil {
			p.close(p.over(at, evidence))
		}
	}
	f.tools = slices.DeleteFunc(f.tools, func(t tool) bool { return t.agent == agent })
}

// over is what is believed of a prompt that is gone, if nothing tells more: our answer, if one was handed over.
func (p *prompt) over(at time.Time, evidence string) closing {
	if p.handed() {
		return closing{at: at, evidence: evidence, outcome: p.answer.outcome(p.Kind), where: protocol.WhereRemote}
	}
	return closing{at: at, evidence: evidence, outcome: protocol.OutcomeWithdrawn, where: protocol.WhereNobody}
}

// gone is what is believed of a prompt whose dialog has closed while the agent goes on: our answer, if one was
// handed over, or else that a person let the tool run at the terminal.
func (p *prompt) gone(at time.Time, evidence string) closing {
	if p.handed() {
		return p.over(at, evidence)
	}
	return p.ran(at, evidence, "")
}

// settleByStatus: a dialog that the agent no longer waits in has been answered, though its tool may run on for
// long before anything else tells.
func (f *fold) settleByStatus(now time.Time) {
	if f.status.Activity == agentkind.ActivityWaiting || f.status.Activity == "" || now.Sub(f.status.At) < statusSettles {
		return
	}
	for _, p := range f.openPrompts() {
		// While a background subagent asks, the status stays what the main agent's is.
		if p.payload == nil || p.agent != "" || !f.status.At.After(p.AskedAt) || p.closing != nil || p.form.result != "" {
			continue
		}
		if f.status.Activity == agentkind.ActivityBusy && p.Kind != protocol.PromptElicitation {
			p.close(p.gone(f.status.At, evidenceStatus))
			continue
		}
		evidence := evidenceStatus
		if p.held {
			evidence += " says idle, though the hook of the question waits" // and would be let go with its dialog
		}
		p.close(p.over(f.status.At, evidence))
	}
}

// settleOverdue gives the transcript a moment to tell who decided.
func (f *fold) settleOverdue(now time.Time) {
	for _, p := range f.openPrompts() {
		if c := p.closing; c != nil && (c.now || now.Sub(c.at) >= statusSettles) {
			f.settle(p, f.adrift(p, *c))
		}
	}
}

// adrift tells a hook that was let go for another reason from one that went with its dialog: the agent lets a hook wait
// for a day, and a process can be killed. The dialog is then open still, and answered at the terminal only.
func (f *fold) adrift(p *prompt, c closing) closing {
	if c.evidence != evidenceHookClosed || p.agent != "" || f.status.Activity != agentkind.ActivityWaiting || f.status.At.After(c.at) {
		return c
	}
	c.evidence, c.where = "hook closed, but the dialog is open at the terminal", protocol.WhereNobody
	return c
}

// decided takes in who decided, by the transcript.
func (f *fold) decided(line agentkind.Line) {
	for _, p := range f.openPrompts() {
		if p.toolUse == "" || p.toolUse != line.ToolUse {
			continue
		}
		c, ok := p.decidedBy(line)
		if ok && c.hook && p.held {
			p.close(c) // the transcript can be read before the journal's word that our answer was handed over
			continue
		}
		if ok {
			f.settle(p, c)
		}
	}
}

func (p *prompt) decidedBy(line agentkind.Line) (closing, bool) {
	if line.Unanswered > 0 {
		return p.unanswered(line.At, "transcript", line.Unanswered), true
	}
	c := closing{at: line.At, evidence: "transcript", outcome: protocol.OutcomeAllowed}
	switch {
	case line.Denied:
		c.outcome = protocol.OutcomeDenied
	case p.Kind == protocol.PromptChoice:
		c.outcome = protocol.OutcomeAnswered
	}
	switch {
	case line.Decided == agentkind.DecidedHook:
		c.hook = true
	case line.Decided == agentkind.DecidedRule:
		c.where = protocol.WhereRule
	case line.Decided == agentkind.DecidedTerminal:
		c.where = protocol.WhereTerminal
	case p.closing != nil:
		return *p.closing, true
	default:
		over := p.over(line.At, "transcript")
		return over, p.handed()
	}
	if p.closing != nil {
		c.text = p.closing.text
	}
	return c, true
}

func (f *fold) settle(p *prompt, c closing) {
	if c.hook {
		c.where = protocol.WhereRule // another hook, of the person's own
		if p.handed() {
			c.where = protocol.WhereRemote
		}
	}
	settlement := protocol.Settlement{
		Prompt: p.ID, Outcome: c.outcome, Where: c.where, Answer: cut(outgoing(c.text), maxPromptText), Evidence: c.evidence,
		At: c.at.UTC().Truncate(time.Millisecond),
	}
	if c.where == protocol.WhereRemote && p.answer != nil {
		settlement.Command, settlement.Actor = p.answer.Command, p.answer.Actor
		settlement.Answer = cut(p.answer.words(p.Prompt), maxPromptText)
	}
	p.settlement = &settlement
	p.payload, p.Detail = nil, "" // no longer needed, and possibly large
	f.tell(settlement.At, protocol.EventSettlement, settlement)
	f.does(f.activityAfter(p), c.evidence, settlement.At)
}

// activityAfter: an answer lets the agent go on. After a rejection at the terminal it has stopped already, which
// its status says.
func (f *fold) activityAfter(p *prompt) protocol.State {
	if p.Kind == protocol.PromptTrust || p.Kind == protocol.PromptDialog || f.activity.state == protocol.StateStarting {
		return f.activity.state
	}
	if p.settlement.Where == protocol.WhereNobody && f.status.Activity == agentkind.ActivityWaiting {
		return protocol.StateWaiting
	}
	if p.settlement.Where == protocol.WhereTerminal && p.settlement.Outcome != protocol.OutcomeAllowed && p.settlement.Outcome != protocol.OutcomeAnswered {
		return protocol.StateIdle
	}
	if f.activity.state == protocol.StateIdle {
		return protocol.StateIdle
	}
	return protocol.StateWorking
}

func (f *fold) rememberSettlement(s protocol.Settlement) {
	if p := f.prompts[s.Prompt]; p != nil {
		p.settlement = &s
		p.payload = nil
	}
}

// words is the answer as a person would say it.
func (a answerNote) words(p protocol.Prompt) string {
	var parts []string
	for _, o := range p.Options {
		if o.ID == a.Answer.Option {
			parts = append(parts, o.Label)
		}
	}
	for i, labels := range a.Answer.Choices {
		text := strings.Join(labels, ", ")
		switch {
		case text == "":
			continue // left out
		case i < len(p.Questions) && p.Kind == protocol.PromptElicitation:
			text = p.Questions[i].Header + ": " + text
		case i < len(p.Questions) && len(p.Questions) > 1:
			text = p.Questions[i].Text + " " + text
		}
		parts = append(parts, text)
	}
	if a.Answer.Text != "" {
		parts = append(parts, a.Answer.Text)
	}
	return strings.Join(parts, "; ")
}
