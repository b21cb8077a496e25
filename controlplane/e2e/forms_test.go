package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// paintForm is what an MCP server of the agent's asks: a form with required and optional fields.
const paintForm = `{"mode":"form","message":"Which colour?","requestedSchema":{"type":"object","properties":{` +
	`"colour":{"type":"string","title":"Colour","minLength":2},` +
	`"coats":{"type":"integer","minimum":1,"maximum":9,"default":2},` +
	`"sure":{"type":"boolean"}},"required":["colour","sure"]}}`

// TestForms answers the form of an MCP server that the agent uses, through the tools of /mcp, from the list of prompts to
// what the server was told. What does not fit the form is refused, and the form stays; the first answer that fits counts.
func TestForms(t *testing.T) {
	w := newWorld(t)
	mac := w.machine(t, "studio")
	self, err := os.Executable()
	must(t, err)
	mac.Home.Asker = self
	w.addMachine(t, w.admin, mac)
	s := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})
	for n, test := range []struct{ response, told, settled string }{
		{"red\n-\nYes", `{"action":"accept","content":{"coats":2,"colour":"red","sure":true}}`, "colour: red; sure: Yes"},
		{"deny", `{"action":"decline"}`, "Denied"},
	} {
		w.admin.send(t, s.ID, fmt.Sprintf("Form %d fake:tool mcp__asker__ask %s", n, paintForm))
		asked := w.admin.awaitPrompt(t, s.ID)
		must(t, w.admin.Call(t.Context(), "respond_to_prompt", args{"prompt_id": asked.ID, "response": "yes"}, nil)) // of the tool's call
		form := w.admin.awaitForm(t, s.ID)
		if q := form.Questions; len(q) != 3 || q[0].Wants != "at least 2 characters" || q[1].Wants != "a whole number, 1 to 9, left out: 2" {
			t.Errorf("the form is listed as %+v", q)
		}
		w.admin.wantRefusal(t, "respond_to_prompt", args{"prompt_id": form.ID, "response": "x\n-\nYes"}, "at least 2 characters")
		w.admin.wantRefusal(t, "respond_to_prompt", args{"prompt_id": form.ID, "response": "red\n-\n-"}, "")
		must(t, w.admin.Call(t.Context(), "respond_to_prompt", args{"prompt_id": form.ID, "response": test.response}, nil))
		w.admin.awaitTranscript(t, s.ID, test.told, test.settled)
		w.admin.wantRefusal(t, "respond_to_prompt", args{"prompt_id": form.ID, "response": "blue\n-\nYes"}, "alice")
		awaitState(t, w.admin, s.ID, "idle")
		if left := w.admin.prompts(t, nil); len(left) != 0 {
			t.Errorf("prompts after the answer: %+v", left)
		}
	}
}

// awaitForm waits until a session asks to fill in a form.
func (p person) awaitForm(t *testing.T, ref string) prompt {
	t.Helper()
	var list promptList
	await(t, "a form of "+ref, func(ctx context.Context) (bool, error) {
		list = promptList{}
		err := p.Call(ctx, "check_prompts", args{"session_id": ref}, &list)
		return len(list.Prompts) == 1 && list.Prompts[0].Kind == "elicitation", err
	})
	return list.Prompts[0]
}

// awaitTranscript waits until a session's transcript has all these words.
func (p person) awaitTranscript(t *testing.T, ref string, words ...string) {
	t.Helper()
	await(t, fmt.Sprintf("%q in the transcript", words), func(ctx context.Context) (bool, error) {
		var logs struct {
			Output string `json:"output"`
		}
		err := p.Call(ctx, "get_logs", args{"session_id": ref}, &logs)
		lacks := func(word string) bool { return !strings.Contains(logs.Output, word) }
		return !slices.ContainsFunc(words, lacks), errors.Join(err, errors.New(logs.Output))
	})
}
