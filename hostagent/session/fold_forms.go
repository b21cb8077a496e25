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
	p := f.openForm(hook.Server, hook.Form)
	switch {
	case p == nil:
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
	p := f.openForm(hook.Server, "")
	if p == nil {
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

// openForm is the one of a server's questions whose dialog is open: the agent shows them one after the other.
func (f *fold) openForm(server, id string) *prompt {
	for _, p := range f.openPrompts() {
		if p.Kind == protocol.PromptElicitation && p.form.server == server && (id == "" || p.form.id == id) {
			return p
		}
	}
	return nil
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
