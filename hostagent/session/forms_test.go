package session

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/hostagent/holder"
	"switchboard/hostagent/protocol"
)

// colourForm is a question with a field of each type that MCP knows.
const colourForm = `{"mode":"form","message":"Which colour?","requestedSchema":{"type":"object","properties":{` +
	`"colour":{"type":"string","title":"Colour","description":"of the wall","minLength":2},` +
	`"coats":{"type":"integer","minimum":1,"maximum":9,"default":2},` +
	`"sure":{"type":"boolean"},` +
	`"size":{"type":"string","enum":["s","m"],"enumNames":["Small","Medium"]},` +
	`"rooms":{"type":"array","items":{"type":"string","enum":["hall","attic"]}},` +
	`"mail":{"type":"string","format":"email"}},"required":["colour","sure"]}}`

// ask plays a session to where an MCP server's question is a prompt.
func (r *rig) askForm(id protocol.SessionID, params string) protocol.Prompt {
	r.t.Helper()
	r.send(id, "fake:tool mcp__asker__ask "+params)
	check(r.t, r.answer(r.prompt(id, 1), protocol.Answer{Option: protocol.OptionAllow})) // of the tool's call
	return r.prompt(id, 2)
}

// formOpen waits until the form's dialog takes keys.
func (r *rig) formOpen(p protocol.Prompt) {
	r.t.Helper()
	var shown time.Time
	r.untilTrue("the form's dialog", func() bool {
		if shown.IsZero() && strings.Contains(r.screen(p.Session), "Esc to cancel") {
			shown = time.Now()
		}
		return !shown.IsZero() && time.Since(shown) > dialogAge
	})
}

// toldServer waits for what the MCP server was told, which is the result of its tool.
func (r *rig) toldServer(id protocol.SessionID) string {
	r.t.Helper()
	return r.entry(id, "the server's answer", func(e protocol.Entry) bool {
		return e.Role == protocol.RoleToolResult && strings.Contains(e.Text, `"action"`)
	}).Text
}

// TestForm: an MCP server's form is a prompt with its fields as questions. What does not fit its schema is refused, and
// the dialog stays; what does reaches the server, and nobody else's answer does after it.
func TestForm(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	p := r.askForm(id, colourForm)
	want := []protocol.Question{
		{Header: "colour", Text: "Colour: of the wall", Wants: "at least 2 characters"},
		{Header: "coats", Text: "coats", Optional: true, Wants: "a whole number, 1 to 9, left out: 2"},
		{Header: "sure", Text: "sure", Options: []protocol.QuestionOption{{Label: "Yes"}, {Label: "No"}}},
		{Header: "size", Text: "size", Optional: true, Options: []protocol.QuestionOption{{Label: "Small"}, {Label: "Medium"}}},
		{Header: "rooms", Text: "rooms", Optional: true, MultiSelect: true, Options: []protocol.QuestionOption{{Label: "hall"}, {Label: "attic"}}},
		{Header: "mail", Text: "mail", Optional: true, Wants: "an e-mail address"},
	}
	if diff := cmp.Diff(want, p.Questions); p.Kind != protocol.PromptElicitation || p.Tool != "asker" || diff != "" {
		t.Errorf("the prompt is %+v (-want +got):\n%s", p, diff)
	}
	r.told(id, protocol.StateWaiting, "hook Elicitation")
	if s := r.await(id, protocol.StateWaiting); s.Confidence != protocol.ConfidenceHigh {
		t.Errorf("waiting with confidence %q", s.Confidence)
	}
	for wrong, choices := range map[string][][]string{
		"too short":         {{"x"}, {}, {"Yes"}, {}, {}, {}},
		"not a number":      {{"red"}, {"many"}, {"Yes"}, {}, {}, {}},
		"too many":          {{"red"}, {"10"}, {"Yes"}, {}, {}, {}},
		"not whole":         {{"red"}, {"1.5"}, {"Yes"}, {}, {}, {}},
		"left out":          {{"red"}, {}, {}, {}, {}, {}},
		"no such option":    {{"red"}, {}, {"Yes"}, {"Large"}, {}, {}},
		"no address":        {{"red"}, {}, {"Yes"}, {}, {}, {"nobody"}},
		"questions missing": {{"red"}},
	} {
		t.Log(wrong)
		r.refused(protocol.CodeInvalid, func() error { return r.answer(p, protocol.Answer{Choices: choices}) })
	}
	check(t, r.answer(p, protocol.Answer{Choices: [][]string{{"red"}, {}, {"Yes"}, {"Medium"}, {"hall", "attic"}, {"a@example.com"}}}))
	r.refused(protocol.CodeSettled, func() error { return r.answer(p, protocol.Answer{Option: protocol.OptionDeny}) })
	if told := r.toldServer(id); told != `{"action":"accept","content":{"coats":2,"colour":"red","mail":"a@example.com","rooms":["hall","attic"],"size":"m","sure":true}}` {
		t.Errorf("the server was told %s", told)
	}
	settled := r.settled(p)
	if settled.Outcome != protocol.OutcomeAnswered || settled.Where != protocol.WhereRemote || settled.Actor != "Alice" ||
		settled.Answer != "colour: red; sure: Yes; size: Medium; rooms: hall, attic; mail: a@example.com" {
		t.Errorf("settled as %+v", settled)
	}
	r.await(id, protocol.StateIdle)
}

// TestTwoForms: a server asks the same twice at once. The agent shows one after the other, and each gets its own answer.
func TestTwoForms(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.create("")
	const ask = `{"mode":"form","message":"Which colour?","requestedSchema":{"type":"object","properties":{"colour":{"type":"string"}}}}`
	first := r.askForm(id, `{"both":[`+ask+`,`+ask+`]}`)
	second := r.prompt(id, 3)
	r.refused(protocol.CodeConflict, func() error { return r.answer(second, protocol.Answer{Choices: [][]string{{"blue"}}}) })
	check(t, r.answer(first, protocol.Answer{Choices: [][]string{{"red"}}}))
	r.settled(first)
	check(t, r.answer(second, protocol.Answer{Choices: [][]string{{"blue"}}}))
	if told := r.toldServer(id); told != `{"action":"accept","content":{"colour":"red"}}`+"\n"+`{"action":"accept","content":{"colour":"blue"}}` {
		t.Errorf("the server was told %s", told)
	}
	for p, want := range map[*protocol.Prompt]string{&first: "colour: red", &second: "colour: blue"} {
		if settled := r.settled(*p); settled.Outcome != protocol.OutcomeAnswered || settled.Where != protocol.WhereRemote || settled.Answer != want {
			t.Errorf("settled as %+v", settled)
		}
	}
	r.await(id, protocol.StateIdle)
}

// TestFormsClosedTogether: of two forms, the hooks of the closed dialogs come before the server's notices do. Each is
// settled by its own.
func TestFormsClosedTogether(t *testing.T) {
	t.Parallel()
	e := newEvidence(t)
	var asked []protocol.PromptID
	play := func(scene, event string, change map[string]any) {
		e.n++
		id := holder.HookID(fmt.Sprint("form", e.n))
		e.journal(holder.KindHook, holder.Hook{ID: id, Event: event, Payload: recordedHook(t, scene, event, change)})
		if event == "Elicitation" {
			asked = append(asked, protocol.PromptID(id))
		}
	}
	play("form", "Elicitation", nil)
	play("form", "Elicitation", nil)
	play("form-at-terminal", "ElicitationResult", nil)
	play("form", "ElicitationResult", map[string]any{"action": "decline"})
	e.pass(2 * statusSettles)
	play("form-at-terminal", "Elicitation", nil) // the notices of those before come late
	play("form-at-terminal", "Notification", nil)
	play("form-declined", "Notification", nil)
	e.pass(2 * statusSettles)
	for i, want := range []protocol.Outcome{protocol.OutcomeAnswered, protocol.OutcomeDenied} {
		if got := e.fold.prompts[asked[i]].settlement; got == nil || got.Outcome != want || got.Where != protocol.WhereTerminal {
			t.Errorf("form %d was settled as %+v", i+1, got)
		}
	}
	if got := e.fold.prompts[asked[2]].settlement; got != nil {
		t.Errorf("the form that is open was settled as %+v", got)
	}
}

// TestFormOutcomes: each way to end a form has its own settlement, and the server is told exactly that.
func TestFormOutcomes(t *testing.T) {
	t.Parallel()
	address := `{"mode":"url","message":"Log in there","url":"https://example.com/login","elicitationId":"e1"}`
	for name, test := range map[string]struct {
		params  string
		end     func(*rig, protocol.Prompt)
		told    string
		outcome protocol.Outcome
		where   protocol.Where
	}{
		"declined from afar": {colourForm, func(r *rig, p protocol.Prompt) { check(r.t, r.answer(p, protocol.Answer{Option: protocol.OptionDeny})) },
			`{"action":"decline"}`, protocol.OutcomeDenied, protocol.WhereRemote},
		"Esc at the terminal": {colourForm, func(r *rig, p protocol.Prompt) {
			r.formOpen(p)
			r.answerAtTerminal(p, "\x1b")
		},
			`{"action":"cancel"}`, protocol.OutcomeWithdrawn, protocol.WhereTerminal},
		"answered at the terminal": {address, func(r *rig, p protocol.Prompt) {
			r.formOpen(p)
			r.atTerminal(p.Session, "\x1b[C")
			r.untilTrue("the choice", func() bool { return strings.Contains(r.screen(p.Session), "❯ Decline") })
			r.answerAtTerminal(p, "\r")
		},
			`{"action":"decline"}`, protocol.OutcomeDenied, protocol.WhereTerminal},
		"an address, accepted from afar": {address, func(r *rig, p protocol.Prompt) {
			if !strings.Contains(p.Detail, "https://example.com/login") {
				r.t.Errorf("the prompt does not show the address: %+v", p)
			}
			check(r.t, r.answer(p, protocol.Answer{Option: protocol.OptionAllow}))
		}, `{"action":"accept"}`, protocol.OutcomeAnswered, protocol.WhereRemote},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.create("")
			p := r.askForm(id, test.params)
			test.end(r, p)
			if told := r.toldServer(id); told != test.told {
				t.Errorf("the server was told %s", told)
			}
			if settled := r.settled(p); settled.Outcome != test.outcome || settled.Where != test.where {
				t.Errorf("settled as %+v", settled)
			}
			r.await(id, protocol.StateIdle)
		})
	}
}
