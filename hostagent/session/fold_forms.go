package session

import (
	"time"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// formState is what a prompt of an MCP server's has beside: which question of which server it is, and the hook that
// says that its dialog was closed without an answer, while that hook waits.
type formState struct {
	server, id string
	result     holder.HookID
	closed     bool // its dialog was
	over       bool // the server was told
}

// formAsked opens the prompt of an MCP server's question. Its dialog opens only when the hook has ended, so that the
// hook is not held; an answer goes in the place of the dialog's own, when that is closed.
func (f *fold) formAsked(at time.Time, body holder.Hook, hook agentkind.Hook) {
	ask, err := f.kind.ReadAsk(body.Payload)
	if err != nil {
		return
	}
	for _, p := range f.openPrompts() {
		if f.kind.ToolServer(p.Tool) == hook.Server {
			p.close(p.gone(at, "hook "+hook.Event)) // the server's tool runs, so that it was let run
		}
	}
	f.open(&prompt{
		Prompt:   f.promptOf(protocol.PromptID(body.ID), at, ask),
		evidence: "hook " + hook.Event,
		payload:  body.Payload,
		form:     formState{server: hook.Server, id: hook.Form},
	})
}

// formAnswered: the dialog was closed at the terminal. Without an answer it may be that we closed it, to put another
// in that one's place.
func (f *fold) formAnswered(at time.Time, evidence string, body holder.Hook, hook agentkind.Hook) {
	p := f.firstForm(func(p *prompt) bool {
		return p.settlement == nil && !p.form.closed && p.form.server == hook.Server && p.form.id == hook.Form
	})
	if p == nil {
		return
	}
	p.form.closed = true
	switch {
	case body.Held:
		p.form.result = body.ID
	default:
		c := formClosing(at, evidence, hook.Action)
		c.text = hook.Text
		p.close(c)
	}
}

// formOver is the last word about a form: what the server was told.
func (f *fold) formOver(at time.Time, evidence string, hook agentkind.Hook) {
	p := f.formToldOf(hook.Server)
	if p == nil {
		return
	}
	if p.form.over = true; p.settlement != nil {
		return
	}
	said := formClosing(at, evidence, hook.Action)
	switch {
	case p.handed() && p.answer.outcome(p.Kind) == said.outcome:
		f.settle(p, p.over(at, evidence))
	case p.closing != nil && p.closing.outcome == said.outcome:
		f.settle(p, *p.closing)
	case p.closing != nil || p.handed():
		said.where = protocol.WhereRule // another hook, of the person's own, had the last word
		f.settle(p, said)
	case hook.Action == agentkind.FormCancelled:
		f.settle(p, said)
	default: // the dialog was never answered
		said.where = protocol.WhereRule
		f.settle(p, said)
	}
}

func formClosing(at time.Time, evidence, action string) closing {
	outcome := map[string]protocol.Outcome{
		agentkind.FormAccepted: protocol.OutcomeAnswered,
		agentkind.FormDeclined: protocol.OutcomeDenied,
	}[action]
	if outcome == "" {
		outcome = protocol.OutcomeWithdrawn
	}
	return closing{at: at, evidence: evidence + ": " + action, outcome: outcome, where: protocol.WhereTerminal}
}

// firstForm is the first that was asked of those that are meant: the agent shows their dialogs one after the other.
func (f *fold) firstForm(meant func(*prompt) bool) *prompt {
	var first *prompt
	for _, p := range f.prompts {
		if p.Kind == protocol.PromptElicitation && meant(p) && (first == nil || p.n < first.n) {
			first = p
		}
	}
	return first
}

// formToldOf is the form about which a server was told, which does not say which it is: one whose dialog was closed, be
// it settled already; or else one whose dialog was never answered.
func (f *fold) formToldOf(server string) *prompt {
	for _, meant := range []func(*prompt) bool{
		func(p *prompt) bool { return p.form.closed && p.settlement == nil },
		func(p *prompt) bool { return p.form.closed },
		func(p *prompt) bool { return p.settlement == nil },
	} {
		if p := f.firstForm(func(p *prompt) bool { return p.form.server == server && !p.form.over && meant(p) }); p != nil {
			return p
		}
	}
	return nil
}

// formBefore is the form whose dialog is to be closed before this one's shows.
func (f *fold) formBefore(id protocol.PromptID) *prompt {
	first := f.firstForm(func(p *prompt) bool { return p.settlement == nil && !p.form.closed })
	if first == nil || first.ID == id {
		return nil
	}
	return first
}

// formOf finds the form whose closed dialog this hook reports.
func (f *fold) formOf(hook holder.HookID) *prompt {
	for _, p := range f.prompts {
		if p.form.result == hook {
			return p
		}
	}
	return nil
}

// resultAnswered: the hook of the closed dialog was given our answer, or let go.
func (p *prompt) resultAnswered(at time.Time, replaced bool) {
	if p.form.result = ""; replaced && p.answer != nil {
		p.handedAt = at
		return
	}
	if p.settlement == nil {
		p.close(formClosing(at, "hook ElicitationResult", agentkind.FormCancelled))
	}
}
