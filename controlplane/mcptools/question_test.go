package mcptools

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/auth/audit"
)

// asks is a client of 2026-07-28 that can put forms to its person.
const asks = `{"elicitation":{"form":{}}}`

// round is one request of a conversation in the way of 2026-07-28.
type round struct {
	token, tool  string
	arguments    string
	capabilities string // empty: asks
	state        string // the requestState
	responses    string // the inputResponses, as JSON
}

// answered is what a round was answered with.
type answered struct {
	result
	kind    string // resultType
	state   string
	message string
	schema  map[string]any
}

func (w *world) round(r round) answered {
	w.t.Helper()
	got, err := w.tryRound(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

func (w *world) tryRound(r round) (answered, error) {
	if r.capabilities == "" {
		r.capabilities = asks
	}
	params := `"name":"` + r.tool + `","arguments":` + r.arguments + `,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
		`"io.modelcontextprotocol/clientCapabilities":` + r.capabilities + `}`
	if r.state != "" {
		state, _ := json.Marshal(r.state)
		params += `,"requestState":` + string(state)
	}
	if r.responses != "" {
		params += `,"inputResponses":` + r.responses
	}
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + params + `}}`
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/mcp", strings.NewReader(body))
	if err != nil {
		return answered{}, err
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer " + r.token, "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": r.tool,
	} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answered{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answered{}, err
	}
	got := answered{result: w.read(response, string(text))}
	var envelope struct {
		Result struct {
			ResultType    string
			RequestState  string
			InputRequests map[string]struct {
				Method string
				Params struct {
					Message         string
					RequestedSchema map[string]any
				}
			}
		}
	}
	if err := json.Unmarshal(text, &envelope); err != nil {
		return answered{}, err
	}
	question := envelope.Result.InputRequests[answerKey]
	got.kind, got.state = envelope.Result.ResultType, envelope.Result.RequestState
	got.message, got.schema = question.Params.Message, question.Params.RequestedSchema
	return got, nil
}

func accept(content string) string {
	return `{"` + answerKey + `":{"action":"accept","content":` + content + `}}`
}

const (
	yes     = `{"` + answerKey + `":{"action":"accept","content":{"confirm":true}}}`
	decline = `{"` + answerKey + `":{"action":"decline"}}`
)

// wantQuestion fails unless the answer is a question whose words have the phrases.
func (got answered) wantQuestion(t *testing.T, phrases ...string) {
	t.Helper()
	if got.status != http.StatusOK || got.kind != "input_required" || got.state == "" || got.schema["type"] != "object" {
		t.Fatalf("no question: %d %s", got.status, got.raw)
	}
	for _, phrase := range phrases {
		if !strings.Contains(got.message, phrase) {
			t.Errorf("the question %q does not say %q", got.message, phrase)
		}
	}
}

// wantRefusal fails unless the answer says that nothing was done, and why.
func (got answered) wantRefusal(t *testing.T, phrase string) {
	t.Helper()
	if got.status != http.StatusOK || !got.isError || got.kind == "input_required" || !strings.Contains(got.text, phrase) {
		t.Errorf("got %d %s, want a refusal that says %q", got.status, got.raw, phrase)
	}
}

func (w *world) state(handle string) string {
	w.t.Helper()
	return textAt(w.must("get_session_status", args{"session_id": handle}), "session", "state")
}

// records are the newest audit records of an action by alice.
func (w *world) records(action string) []audit.Event {
	w.t.Helper()
	return w.recordsOf("alice", action)
}

func (w *world) recordsOf(user auth.UserID, action string) []audit.Event {
	w.t.Helper()
	manager := auth.Caller{User: user, Role: auth.RoleMember, Scopes: auth.Scopes{auth.ScopeManage}}
	events, err := w.fleet.AuditLog(w.t.Context(), manager, 0, 200)
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.DeleteFunc(events, func(e audit.Event) bool { return e.Action != action })
}

// work leaves a session working.
func (w *world) work(handle string) {
	w.t.Helper()
	w.must("send_message", args{"session_id": handle, "message": "hang"})
	w.waitFor("the session works", func() bool { return w.state(handle) == "working" })
}

func (w *world) waitFor(what string, done func() bool) {
	w.t.Helper()
	for until := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			w.t.Fatalf("never: %s", what)
		}
	}
}

func TestWhichSession(t *testing.T) {
	w := newWorld(t)
	first, second := w.start("web-app"), w.start("web-app")
	arguments := `{"session_id":"web-app","message":"hello"}`
	question := w.round(round{token: "alice", tool: "send_message", arguments: arguments})
	question.wantQuestion(t, first, second, "macbook", "send_message")
	if at(question.schema, "properties", "session", "type") != "string" ||
		len(at(question.schema, "properties", "session", "enum").([]any)) != 2 || textAt(question.schema, "required", 0) != "session" {
		t.Errorf("schema %v", question.schema)
	}
	got := w.round(round{token: "alice", tool: "send_message",
		arguments: `{ "message":"hello", "session_id":"web\u002dapp"}`, // the same, written otherwise
		state:     question.state, responses: accept(`{"session":"` + first + `"}`)})
	if got.kind != "complete" || got.isError || textAt(got.structured, "status") != "accepted" {
		t.Fatalf("with the answer: %s", got.raw)
	}
	if typed := w.host.typed(); len(typed) != 1 {
		t.Errorf("typed %q", typed)
	}
	status := w.must("get_logs", args{"session_id": first})
	if !strings.Contains(textAt(status, "output"), "user: hello") {
		t.Errorf("the chosen session has %v", status)
	}
	record := w.records("session.message")[0]
	if !record.Allowed || record.Detail["answer"] == "" || record.Detail["handle"] != first {
		t.Errorf("the record is %+v", record)
	}

	// A read asks too, and a choice can be looked at again.
	read := w.round(round{token: "alice", tool: "get_session_status", arguments: `{"session_id":"web-app"}`})
	read.wantQuestion(t, first, second)
	for range 2 {
		got := w.round(round{token: "alice", tool: "get_session_status", arguments: `{"session_id":"web-app"}`,
			state: read.state, responses: accept(`{"session":"` + second + `"}`)})
		if textAt(got.structured, "session", "handle") != second {
			t.Errorf("the read of the chosen one: %s", got.raw)
		}
	}
}

// Whoever cannot be asked is answered as ever, and never with a form.
func TestWhoCannotBeAsked(t *testing.T) {
	w := newWorld(t)
	first, second := w.start("web-app"), w.start("web-app")
	w.work(first)
	for _, capabilities := range []string{`{}`, `{"elicitation":{"url":{}}}`, `{"sampling":{},"roots":{}}`} {
		got := w.round(round{token: "alice", tool: "send_message", arguments: `{"session_id":"web-app","message":"x"}`, capabilities: capabilities})
		got.wantRefusal(t, second)
	}
	got := w.call("alice-chatgpt", "terminate_session", args{"session_id": first})
	if got.isError || textAt(got.structured, "session", "state") != "exited" {
		t.Errorf("ChatGPT ends a session that works: %s", got.raw)
	}
	got = w.call("alice-chatgpt", "respond_to_prompt", args{"session_id": "web-app", "response": "yes"})
	if !got.isError {
		t.Errorf("an answer to nothing: %s", got.raw)
	}
}

// An empty elicitation capability means forms.
func TestEmptyCapability(t *testing.T) {
	w := newWorld(t)
	first := w.start("web-app")
	w.start("web-app")
	w.round(round{token: "alice", tool: "interrupt_session", arguments: `{"session_id":"web-app"}`, capabilities: `{"elicitation":{}}`}).
		wantQuestion(t, first)
}

// A name is no answer to a prompt that its giver has not read.
func TestPromptIsNotChosenByName(t *testing.T) {
	w := newWorld(t)
	first := w.start("web-app")
	w.start("web-app")
	w.round(round{token: "alice", tool: "respond_to_prompt", arguments: `{"session_id":"web-app","response":"yes"}`}).
		wantRefusal(t, first)
}

func TestConfirmEnd(t *testing.T) {
	w := newWorld(t)
	idle := w.start("idle-app")
	got := w.round(round{token: "alice", tool: "terminate_session", arguments: `{"session_id":"` + idle + `"}`})
	if got.kind != "complete" || textAt(got.structured, "session", "state") != "exited" {
		t.Errorf("one that does nothing: %s", got.raw)
	}

	handle := w.start("web-app")
	w.work(handle)
	for _, arguments := range []string{`{"session_id":"` + handle + `"}`, `{"session_id":"` + handle + `","force":true}`} {
		question := w.round(round{token: "alice", tool: "terminate_session", arguments: arguments})
		question.wantQuestion(t, handle, "macbook", "working", "unfinished")
		if at(question.schema, "properties", "confirm", "type") != "boolean" {
			t.Errorf("schema %v", question.schema)
		}
		for name, no := range map[string]string{"decline": decline, "cancel": strings.Replace(decline, "decline", "cancel", 1),
			"unchecked": strings.Replace(yes, "true", "false", 1)} {
			question := w.round(round{token: "alice", tool: "terminate_session", arguments: arguments})
			w.round(round{token: "alice", tool: "terminate_session", arguments: arguments, state: question.state, responses: no}).
				wantRefusal(t, "Nothing was done")
			w.round(round{token: "alice", tool: "terminate_session", arguments: arguments, state: question.state, responses: yes}).
				wantRefusal(t, "used already")
			if got := w.state(handle); got != "working" {
				t.Fatalf("%s: the session is %s", name, got)
			}
		}
		// What makes no sense, and what is missing, is asked for again.
		for _, responses := range []string{"", "{}", `{"other":{"action":"accept"}}`, accept(`{}`), accept(`{"confirm":"yes"}`), accept(`[]`), `{"answer":5}`, `{"answer":{"action":"maybe"}}`} {
			again := w.round(round{token: "alice", tool: "terminate_session", arguments: arguments, state: question.state, responses: responses})
			again.wantQuestion(t, handle)
		}
	}
	question := w.round(round{token: "alice", tool: "terminate_session", arguments: `{"session_id":"` + handle + `"}`})
	got = w.round(round{token: "alice", tool: "terminate_session", arguments: `{"session_id":"` + handle + `"}`, state: question.state, responses: yes})
	if textAt(got.structured, "session", "state") != "exited" {
		t.Errorf("confirmed: %s", got.raw)
	}
	record := w.records("session.terminate")[0]
	if !record.Allowed || record.Detail["answer"] == "" {
		t.Errorf("the record is %+v", record)
	}
	w.round(round{token: "alice", tool: "terminate_session", arguments: `{"session_id":"` + handle + `"}`, state: question.state, responses: yes}).
		wantRefusal(t, "used already")
}

// What is confirmed is the end of what was to be seen then: something else is asked about again.
func TestConfirmedForAnotherState(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	arguments := `{"session_id":"` + handle + `"}`
	w.work(handle)
	working := w.round(round{token: "alice", tool: "terminate_session", arguments: arguments})
	working.wantQuestion(t, "working")

	w.must("send_message", args{"session_id": handle, "message": "ask for more", "wait_seconds": 20})
	first := w.round(round{token: "alice", tool: "terminate_session", arguments: arguments, state: working.state, responses: yes})
	first.wantQuestion(t, `"Run npm test?"`)
	if w.state(handle) != "waiting" {
		t.Fatal("ended on a word that was given for something else")
	}

	// Another prompt with the very same words is another question.
	w.must("respond_to_prompt", args{"session_id": handle, "response": "yes"})
	w.must("wait_for_session", args{"session_id": handle, "until": "idle", "timeout_seconds": 20})
	w.must("send_message", args{"session_id": handle, "message": "ask for more", "wait_seconds": 20})
	second := w.round(round{token: "alice", tool: "terminate_session", arguments: arguments, state: first.state, responses: yes})
	second.wantQuestion(t, `"Run npm test?"`)
	got := w.round(round{token: "alice", tool: "terminate_session", arguments: arguments, state: second.state, responses: yes})
	if textAt(got.structured, "session", "state") != "exited" {
		t.Errorf("confirmed at last: %s", got.raw)
	}
}

// First which session, then whether: the second question remembers the answer to the first.
func TestTwoQuestions(t *testing.T) {
	w := newWorld(t)
	first, second := w.start("web-app"), w.start("web-app")
	w.work(first)
	r := round{token: "alice", tool: "terminate_session", arguments: `{"session_id":"web-app"}`}
	which := w.round(r)
	which.wantQuestion(t, first, second)
	r.state, r.responses = which.state, accept(`{"session":"`+first+`"}`)
	whether := w.round(r)
	whether.wantQuestion(t, "End the session "+first)
	r.state, r.responses = whether.state, yes
	if got := w.round(r); textAt(got.structured, "session", "handle") != first || textAt(got.structured, "session", "state") != "exited" {
		t.Errorf("got %s", got.raw)
	}
	if w.state(second) != "idle" {
		t.Error("the other one was touched")
	}
}

// An answer counts for the one whom it was asked of, for the call that it was asked for, and for a time.
func TestForeignAnswers(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	w.start("web-app")
	w.work(handle)
	arguments := `{"session_id":"` + handle + `"}`
	ask := func() string {
		t.Helper()
		question := w.round(round{token: "alice", tool: "terminate_session", arguments: arguments})
		question.wantQuestion(t)
		return question.state
	}
	good := ask()
	flip := func(i int) string {
		changed := []byte(good)
		changed[i] = 'A' + (changed[i]-'A'+1)%26
		return string(changed)
	}
	tests := []struct {
		name string
		r    round
		say  string
	}{
		{"another user", round{token: "bob", tool: "terminate_session", arguments: arguments, state: ask()}, "another connection"},
		{"another client", round{token: "alice-chatgpt", tool: "terminate_session", arguments: arguments, state: ask()}, "another connection"},
		{"another tool", round{token: "alice", tool: "interrupt_session", arguments: arguments, state: ask()}, "another tool"},
		{"other arguments", round{token: "alice", tool: "terminate_session", arguments: `{"session_id":"web-app"}`, state: ask()}, "other arguments"},
		{"an argument more", round{token: "alice", tool: "terminate_session", arguments: `{"session_id":"` + handle + `","force":true}`, state: ask()}, "other arguments"},
		{"first byte", round{token: "alice", tool: "terminate_session", arguments: arguments, state: flip(0)}, "not one that was given here"},
		{"last byte", round{token: "alice", tool: "terminate_session", arguments: arguments, state: flip(len(good) - 2)}, "not one that was given here"},
		{"the middle", round{token: "alice", tool: "terminate_session", arguments: arguments, state: flip(len(good) / 2)}, "not one that was given here"},
		{"shorter", round{token: "alice", tool: "terminate_session", arguments: arguments, state: good[:len(good)-4]}, "not one that was given here"},
		{"padded", round{token: "alice", tool: "terminate_session", arguments: arguments, state: good + "="}, "not one that was given here"},
		{"no base64", round{token: "alice", tool: "terminate_session", arguments: arguments, state: "{}"}, "not one that was given here"},
		{"huge", round{token: "alice", tool: "terminate_session", arguments: arguments, state: strings.Repeat("A", 1<<20)}, "not one that was given here"},
		{"NUL", round{token: "alice", tool: "terminate_session", arguments: arguments, state: "\x00"}, "not one that was given here"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := len(w.records("question.answer"))
			test.r.responses = yes
			w.round(test.r).wantRefusal(t, test.say)
			user := auth.UserID("alice")
			if test.r.token == "bob" {
				user = "bob"
			}
			if records := w.recordsOf(user, "question.answer"); user == "alice" && len(records) != before+1 || records[0].Allowed {
				t.Errorf("records: %+v", records)
			}
		})
	}
	late := ask()
	w.fleet.Now = func() time.Time { return time.Now().Add(answerTime + time.Second) }
	w.round(round{token: "alice", tool: "terminate_session", arguments: arguments, state: late, responses: yes}).wantRefusal(t, "ten minutes")
	w.fleet.Now = time.Now
	if got := w.state(handle); got != "working" {
		t.Fatalf("the session is %s", got)
	}
	if typed := w.host.typed(); len(typed) != 1 {
		t.Errorf("typed %q", typed)
	}
	for _, key := range []string{"requeststate", "REQUESTSTATE", "inputresponses"} {
		got := w.callRawParams("alice", `"name":"terminate_session","arguments":`+arguments+`,"`+key+`":"x"`)
		if got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", key, got.status, got.raw)
		}
	}
}

// Of sixty-four that bring the same answer at once, to two replicas, one acts.
func TestReplayedAnswers(t *testing.T) {
	w := newWorld(t)
	first := w.start("web-app")
	w.start("web-app")
	other := w.replica()
	r := round{token: "alice", tool: "send_message", arguments: `{"session_id":"web-app","message":"once"}`}
	question := w.round(r)
	question.wantQuestion(t, first)
	r.state, r.responses = question.state, accept(`{"session":"`+first+`"}`)

	const calls = 64
	results := make([]answered, calls)
	var all sync.WaitGroup
	for i := range calls {
		at := []*world{w, other}[i%2]
		all.Go(func() {
			var err error
			if results[i], err = at.tryRound(r); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	acted := 0
	for _, got := range results {
		if !got.isError {
			acted++
			continue
		}
		got.wantRefusal(t, "used already")
	}
	if typed := w.host.typed(); acted != 1 || !slices.Equal(typed, []string{"once"}) {
		t.Errorf("%d calls acted, and %q was typed", acted, typed)
	}
	allowed, refused := 0, 0
	for _, record := range w.records("session.message") {
		switch {
		case record.Allowed:
			allowed++
		case record.Detail["answer"] != "":
			refused++
		}
	}
	if allowed != 1 || refused != calls-1 {
		t.Errorf("recorded: %d allowed, %d refused", allowed, refused)
	}
}
