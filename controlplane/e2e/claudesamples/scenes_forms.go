package main

import (
	"strings"

	"switchboard/controlplane/e2e/stage"
	"switchboard/hostagent/agentkind"
)

func formScenes() []scene {
	return []scene{
		{"form", "An MCP server's form is closed, and answered through the hook of that.", playForm(fields, agentkind.Answer{
			Choices: [][]string{{"red"}, {}, {"Yes"}, {"Medium"}, {}, {}},
		})},
		{"form-declined", "The same form is declined through that hook.", playForm(fields, agentkind.Answer{Option: agentkind.OptionDeny})},
		{"form-address", "An MCP server wants an address opened, which is accepted through the hook.",
			playForm(`{"mode":"url","message":"Log in there","url":"https://example.com/login","elicitationId":"e1"}`, agentkind.Answer{Option: agentkind.OptionAllow})},
		{"form-at-terminal", "An MCP server's form is accepted at the terminal.", playFormAtTerminal},
		{"unanswered", "Nobody answers a question, and the agent goes on by itself.", playUnanswered},
		{"unreported", "Auto mode cannot check an action, and the agent asks without a hook.", playUnreported},
	}
}

// fields is a form with a field of each type that MCP knows.
const fields = `{"mode":"form","message":"Which colour?","requestedSchema":{"type":"object","properties":{` +
	`"colour":{"type":"string","title":"Colour","description":"the colour","minLength":2},` +
	`"many":{"type":"integer","minimum":1,"maximum":9,"default":3},` +
	`"sure":{"type":"boolean","description":"are you?"},` +
	`"size":{"type":"string","enum":["s","m"],"enumNames":["Small","Medium"]},` +
	`"kind":{"type":"string","oneOf":[{"const":"a","title":"Apple"},{"const":"b","title":"Bear"}]},` +
	`"tags":{"type":"array","maxItems":2,"items":{"type":"string","enum":["x","y"]}}},"required":["colour","sure"]}}`

// openForm plays to where an MCP server's question can be answered.
func (k *taker) openForm(params string) *stage.Fired {
	k.AddAsker()
	k.Ready()
	k.Reply(k.Ask("fake:tool mcp__asker__ask "+params), agentkind.Answer{Option: agentkind.OptionAllow})
	asked := k.hook("Elicitation", 1)
	k.Until("form", func() bool { return k.Kind.ShowsForm(k.Shown().Lines, asked.Payload) })
	k.Sleep(stage.DialogAge)
	k.still("asked")
	k.status()
	return asked
}

func playForm(params string, answer agentkind.Answer) func(*taker) {
	return func(k *taker) {
		asked := k.openForm(params)
		reply, err := k.Kind.Reply(asked.Payload, answer)
		k.Check(err)
		k.Hooks.Reply(k.Kind.FormResultHook, string(reply))
		k.Keys(string(k.Kind.CloseForm))
		k.hook(k.Kind.FormResultHook, 1)
		k.formOver()
		k.over()
		k.transcript()
	}
}

// formOver keeps the notice of what the server was told.
func (k *taker) formOver() {
	var notice *stage.Fired
	k.Until("notice of what the server was told", func() bool {
		for _, f := range k.Hooks.Of("Notification") {
			if strings.Contains(string(f.Payload), "elicitation_response") {
				notice = f
			}
		}
		return notice != nil
	})
	k.payload(notice)
}

func playFormAtTerminal(k *taker) {
	k.openForm(`{"mode":"form","message":"Go on?","requestedSchema":{"type":"object","properties":{}}}`)
	k.Keys("\r")
	k.hook(k.Kind.FormResultHook, 1)
	k.formOver()
	k.over()
}

func playUnanswered(k *taker) {
	k.Setenv("CLAUDE_AFK_TIMEOUT_MS=2000", "CLAUDE_AFK_COUNTDOWN_MS=1000")
	k.Ready()
	k.payload(k.Ask("fake:ask"))
	k.hook("PostToolUse", 1)
	k.over()
	k.transcript()
}

func playUnreported(k *taker) {
	k.Mode = "plan"
	k.Ready()
	k.Send(`fake:tool Agent {"description":"look","subagent_type":"general-purpose","prompt":"fake:text hi"}`)
	k.Becomes(agentkind.ActivityWaiting)
	k.Shows("needs your approval")
	k.still("asked")
	k.status()
}
