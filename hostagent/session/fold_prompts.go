package session

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// prompt is one question of the agent's and how far it has come.
type prompt struct {
	protocol.Prompt
	n          uint64 // order of asking
	evidence   string // that it is asked
	payload    []byte // of its hook; nil for a dialog seen on the screen
	agent      string // the subagent that asks; empty: the main one
	toolUse    string // of the announced call that it is about
	held       bool   // its hook waits for an answer
	answer     *answerNote
	handedAt   time.Time // when the answer was handed to the agent; zero: it was not
	closing    *closing
	settlement *protocol.Settlement
}

// closing says that a prompt is over and what to believe if no better evidence tells who decided.
type closing struct {
	at       time.Time
	evidence string
	outcome  protocol.Outcome
	where    protocol.Where
	text     string // the answer in words
	now      bool   // no better evidence can come
}

// close keeps the first reason.
func (p *prompt) close(c closing) {
	if p.closing == nil || c.now {
		p.closing = &c
	}
}

func (p *prompt) handed() bool { return !p.handedAt.IsZero() }

// asked opens the prompt that a held hook stands for.
func (f *fold) asked(at time.Time, body holder.Hook, hook agentkind.Hook) {
	ask, err := f.kind.ReadAsk(body.Payload)
	if err != nil || !body.Held {
		return
	}
	for _, earlier := range f.openPrompts() {
		if earlier.agent == hook.Agent && earlier.payload != nil {
			earlier.close(earlier.gone(at, "a later question"))
		}
	}
	f.dialogLeft(at, "hook "+hook.Event)
	f.open(&prompt{
		Prompt:   f.promptOf(protocol.PromptID(body.ID), at, ask),
		evidence: "hook " + hook.Event,
		payload:  body.Payload,
		agent:    hook.Agent,
		toolUse:  f.announced(hook),
		held:     true,
	})
}

// announced finds the call that a question is about: the question itself does not say.
func (f *fold) announced(hook agentkind.Hook) string {
	for _, t := range f.tools {
		taken := slices.ContainsFunc(f.openPrompts(), func(p *prompt) bool { return p.toolUse == t.use })
		if !taken && t.name == hook.Tool && t.agent == hook.Agent && t.input == string(hook.Input) {
			return t.use
		}
	}
	return ""
}

func (f *fold) open(p *prompt) {
	p.n = f.position.Journal
	f.prompts[p.ID] = p
	f.tell(p.AskedAt, protocol.EventPrompt, p.Prompt)
}

// promptOf is what crosses of a question.
func (f *fold) promptOf(id protocol.PromptID, at time.Time, ask agentkind.Ask) protocol.Prompt {
	p := protocol.Prompt{
		ID: id, Session: f.session.ID, Kind: protocol.PromptKind(ask.Kind), Tool: outgoingLine(ask.Tool),
		Title: outgoingLine(ask.Title), Detail: clipPrompt(outgoing(ask.Detail)), Subagent: outgoingLine(ask.Subagent),
		AllowsText: ask.AllowsText, AskedAt: at,
	}
	for _, o := range ask.Options {
		p.Options = append(p.Options, protocol.Option{ID: o.ID, Label: outgoingLine(o.Label), Effect: outgoingLine(o.Effect)})
	}
	for _, q := range ask.Questions {
		question := protocol.Question{Header: outgoingLine(q.Header), Text: outgoing(q.Text), MultiSelect: q.MultiSelect}
		for _, o := range q.Options {
			question.Options = append(question.Options, protocol.QuestionOption{Label: outgoingLine(o.Label), Description: outgoing(o.Description)})
		}
		p.Questions = append(p.Questions, question)
	}
	p.Digest = p.Sum()
	return p
}

// openPrompts are those that are not settled, oldest first.
func (f *fold) openPrompts() []*prompt {
	var open []*prompt
	for _, p := range f.prompts {
		if p.settlement == nil {
			open = append(open, p)
		}
	}
	slices.SortFunc(open, func(a, b *prompt) int { return cmp.Compare(a.n, b.n) })
	return open
}

func (f *fold) openPrompt() *prompt {
	if open := f.openPrompts(); len(open) > 0 {
		return open[0]
	}
	return nil
}

// answerGiven comes before the answer is handed over, and is no proof that it will be.
func (f *fold) answerGiven(_ time.Time, note answerNote) {
	if p := f.prompts[note.Prompt]; p != nil && !p.handed() {
		p.answer = &note
	}
}

func (f *fold) hookAnswered(at time.Time, body holder.HookAnswered) {
	p := f.prompts[protocol.PromptID(body.ID)]
	if p == nil {
		return
	}
	p.held = false
	if body.Reply != "" && p.answer != nil {
		p.handedAt = at
	}
}

// hookClosed: the agent ends a held hook when a person presses Esc in the dialog, and when it exits.
func (f *fold) hookClosed(at time.Time, body holder.HookClosed) {
	p := f.prompts[protocol.PromptID(body.ID)]
	if p == nil || p.settlement != nil {
		return
	}
	p.held = false
	p.close(closing{at: at, evidence: "hook closed", outcome: protocol.OutcomeWithdrawn, where: protocol.WhereTerminal})
}

// toolEnded is proof that the tool was allowed to run. Who allowed it stands in the transcript a moment later.
func (f *fold) toolEnded(at time.Time, evidence string, hook agentkind.Hook) {
	for _, p := range f.openPrompts() {
		exact := p.toolUse != "" && p.toolUse == hook.ToolUse
		alike := p.toolUse == "" && p.Tool == hook.Tool && p.agent == hook.Agent
		if exact || alike {
			p.close(p.ran(at, evidence, hook.Text))
		}
	}
	f.tools = slices.DeleteFunc(f.tools, func(t tool) bool { return t.use == hook.ToolUse })
}

// ran is what a prompt's tool having run tells about it.
func (p *prompt) ran(at time.Time, evidence, text string) closing {
	c := closing{at: at, evidence: evidence, outcome: protocol.OutcomeAllowed, where: protocol.WhereTerminal, text: text}
	if p.Kind == protocol.PromptChoice {
		c.outcome = protocol.OutcomeAnswered
	}
	if p.handed() && p.answer.outcome(p.Kind) == c.outcome {
		c.where = protocol.WhereRemote
	}
	return c
}

// outcome is what the answer would bring about.
func (a answerNote) outcome(kind protocol.PromptKind) protocol.Outcome {
	denies := a.Answer.Option == protocol.OptionDeny || a.Answer.Option == "" && kind != protocol.PromptChoice
	switch {
	case denies:
		return protocol.OutcomeDenied
	case kind == protocol.PromptChoice:
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
		if p.payload == nil || p.agent != "" || !f.status.At.After(p.AskedAt) || p.closing != nil {
			continue
		}
		if f.status.Activity == agentkind.ActivityBusy {
			p.close(p.gone(f.status.At, evidenceStatus))
			continue
		}
		p.close(p.over(f.status.At, evidenceStatus))
	}
}

// settleOverdue gives the transcript a moment to tell who decided.
func (f *fold) settleOverdue(now time.Time) {
	for _, p := range f.openPrompts() {
		if c := p.closing; c != nil && (c.now || now.Sub(c.at) >= statusSettles) {
			f.settle(p, *c)
		}
	}
}

// decided takes in who decided, by the transcript.
func (f *fold) decided(line agentkind.Line) {
	for _, p := range f.openPrompts() {
		if p.toolUse == "" || p.toolUse != line.ToolUse {
			continue
		}
		c, ok := p.decidedBy(line)
		if ok {
			f.settle(p, c)
		}
	}
}

func (p *prompt) decidedBy(line agentkind.Line) (closing, bool) {
	c := closing{at: line.At, evidence: "transcript", outcome: protocol.OutcomeAllowed}
	switch {
	case line.Denied:
		c.outcome = protocol.OutcomeDenied
	case p.Kind == protocol.PromptChoice:
		c.outcome = protocol.OutcomeAnswered
	}
	switch {
	case line.Decided == agentkind.DecidedHook && p.handed():
		c.where = protocol.WhereRemote
	case line.Decided == agentkind.DecidedHook, line.Decided == agentkind.DecidedRule:
		c.where = protocol.WhereRule // another hook of the person's own, or a setting
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
	settlement := protocol.Settlement{
		Prompt: p.ID, Outcome: c.outcome, Where: c.where, Answer: outgoing(c.text), Evidence: c.evidence,
		At: c.at.UTC().Truncate(time.Millisecond),
	}
	if c.where == protocol.WhereRemote && p.answer != nil {
		settlement.Command, settlement.Actor = p.answer.Command, p.answer.Actor
		settlement.Answer = p.answer.words(p.Prompt)
	}
	p.settlement = &settlement
	p.payload, p.Detail = nil, "" // no longer needed, and possibly large
	f.tell(settlement.At, protocol.EventSettlement, settlement)
	f.does(f.activityAfter(p), c.evidence, settlement.At)
}

// activityAfter: an answer lets the agent go on. After a rejection at the terminal it has stopped already, which
// its status says.
func (f *fold) activityAfter(p *prompt) protocol.State {
	if p.Kind == protocol.PromptTrust || f.activity.state == protocol.StateStarting {
		return f.activity.state
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
		if i < len(p.Questions) && len(p.Questions) > 1 {
			text = p.Questions[i].Text + " " + text
		}
		parts = append(parts, text)
	}
	if a.Answer.Text != "" {
		parts = append(parts, a.Answer.Text)
	}
	return strings.Join(parts, "; ")
}
