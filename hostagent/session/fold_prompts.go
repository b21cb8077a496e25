package session

import (
	"cmp"
	"fmt"
	"slices"
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
	form       formState
	answer     *answerNote
	handedAt   time.Time // when the answer was handed to the agent; zero: it was not
	closing    *closing
	settlement *protocol.Settlement
}

func (p *prompt) handed() bool { return !p.handedAt.IsZero() }

// asked opens the prompt that a held hook stands for.
func (f *fold) asked(at time.Time, body holder.Hook, hook agentkind.Hook) {
	ask, err := f.kind.ReadAsk(body.Payload)
	if err != nil {
		return
	}
	if !body.Held {
		ask.AtTerminal = "too many questions wait already"
	}
	for _, earlier := range f.openPrompts() {
		if earlier.agent == hook.Agent && earlier.payload != nil && earlier.Kind != protocol.PromptElicitation {
			earlier.close(earlier.gone(at, "a later question"))
		}
	}
	if !f.ready {
		f.dialogLeft(at, "hook "+hook.Event)
	}
	f.dialogReported(at, "hook "+hook.Event)
	f.open(&prompt{
		Prompt:   f.promptOf(protocol.PromptID(body.ID), at, ask),
		evidence: "hook " + hook.Event,
		payload:  body.Payload,
		agent:    hook.Agent,
		toolUse:  f.announced(hook),
		held:     body.Held,
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
		Title: outgoingLine(ask.Title), Detail: outgoing(ask.Detail), Subagent: outgoingLine(ask.Subagent),
		AllowsText: ask.AllowsText, AskedAt: at,
	}
	for _, o := range ask.Options {
		if o.Mode != "" && f.policy.Mode(o.Mode) != nil {
			continue
		}
		p.Options = append(p.Options, protocol.Option{ID: o.ID, Label: outgoingLine(o.Label), Effect: outgoingLine(o.Effect)})
	}
	var unseen int
	if p.Questions, unseen = outgoingQuestions(ask.Questions); unseen > 0 {
		p.Detail += fmt.Sprintf("[%d questions or options are not shown: answer at the terminal]", unseen)
	}
	if why := cmp.Or(ask.AtTerminal, f.withheld(featureOf[p.Kind])); why != "" {
		p = atTerminalOnly(p, why)
	}
	p = fitPrompt(p)
	p.Digest = p.Sum()
	return p
}

// rememberPrompt keeps the prompt as it was told, since answers are bound to that: with other rules, or by another
// version, it might be told differently now.
func (f *fold) rememberPrompt(told protocol.Prompt) {
	if p := f.prompts[told.ID]; p != nil && p.settlement == nil {
		p.Prompt = told
	}
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

// asking is the open prompt that the agent waits for: one that is about to be settled is so only when there is no other.
func (f *fold) asking() *prompt {
	for _, p := range f.openPrompts() {
		if p.closing == nil {
			return p
		}
	}
	return f.openPrompt()
}

// answerGiven comes before the answer is handed over, and is no proof that it will be.
func (f *fold) answerGiven(_ time.Time, note answerNote) {
	if p := f.prompts[note.Prompt]; p != nil && !p.handed() {
		p.answer = &note
	}
}

func (f *fold) hookAnswered(at time.Time, body holder.HookAnswered) {
	if form := f.formOf(body.ID); form != nil {
		form.resultAnswered(at, body.Reply != "")
		return
	}
	p := f.prompts[protocol.PromptID(body.ID)]
	if p == nil {
		return
	}
	p.held = false
	if body.Reply != "" && p.answer != nil {
		p.handedAt = at
	}
}

// evidenceHookClosed is of a held hook that the agent has ended.
const evidenceHookClosed = "hook closed"

// hookClosed: the agent ends a held hook when a person presses Esc in the dialog, and when it exits.
func (f *fold) hookClosed(at time.Time, body holder.HookClosed) {
	if form := f.formOf(body.ID); form != nil {
		form.resultAnswered(at, false)
		return
	}
	p := f.prompts[protocol.PromptID(body.ID)]
	if p == nil || p.settlement != nil {
		return
	}
	p.held = false
	p.close(closing{at: at, evidence: evidenceHookClosed, outcome: protocol.OutcomeWithdrawn, where: protocol.WhereTerminal})
}
