package mcptools

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
)

// Whatever a model sends as an argument, it is told which one is wrong.
func TestArguments(t *testing.T) {
	w := newWorld(t)
	for _, tool := range Tools() {
		t.Run(tool.Name, func(t *testing.T) {
			w.wantNamed(t, tool.Name, `{"surprise":1}`, "surprise")
			w.wantNamed(t, tool.Name, `[]`, "arguments")
			w.wantNamed(t, tool.Name, `"x"`, "arguments")
			for _, f := range tool.input.fields {
				for _, bad := range f.badValues() {
					w.wantNamed(t, tool.Name, tool.goodBut(f.name, bad), f.name)
				}
				if f.required {
					w.wantNamed(t, tool.Name, tool.goodBut(f.name, "null"), f.name)
				}
			}
		})
	}
}

// badValues are JSON values that the field must refuse.
func (f field) badValues() []string {
	bad := []string{`{}`, `[1]`}
	switch f.kind.String() {
	case "string":
		bad = append(bad, `5`, `true`, `"a\u0000b"`, `"a\u001b[31mb"`, `"\u009b"`, `"\u007f"`)
		if f.max != nil {
			bad = append(bad, `"`+strings.Repeat("x", *f.max+1)+`"`)
		}
		if f.required {
			bad = append(bad, `""`, `" \t"`)
		}
		if len(f.enum) > 0 {
			bad = append(bad, `"nonsense"`)
		}
		if !f.lines {
			bad = append(bad, `"a\nb"`)
		}
	case "int":
		bad = append(bad, `"5"`, `1.5`, `1e300`, `-1`, `100000`, `true`)
	case "bool":
		bad = append(bad, `"true"`, `1`)
	}
	return bad
}

// goodBut are arguments of which only the named one is as given.
func (t Tool) goodBut(name, value string) string {
	members := []string{`"` + name + `":` + value}
	for _, f := range t.input.fields {
		if f.required && f.name != name {
			members = append(members, `"`+f.name+`":"x"`)
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (w *world) wantNamed(t *testing.T, tool, arguments, name string) {
	t.Helper()
	got := w.callRaw("alice", tool, arguments)
	if got.status != http.StatusOK || !got.isError || !strings.Contains(got.text, name) {
		t.Errorf("%s: got %d %.300s\nwant an error that names %s", clip(arguments, 100), got.status, got.raw, name)
	}
}

func TestInvalidUTF8(t *testing.T) {
	w := newWorld(t)
	got := w.callRaw("alice", "send_message", "{\"session_id\":\"x\",\"message\":\"a\xff\"}")
	if got.status != http.StatusBadRequest || !strings.Contains(got.raw, "params.arguments.message") {
		t.Errorf("got %d %s", got.status, got.raw)
	}
}

// What is not there, what is another's and what cannot be all look the same.
func TestOthersSessions(t *testing.T) {
	w := newWorld(t)
	handle := w.start("secret-app")
	w.must("send_message", args{"session_id": handle, "message": "ask the zebra", "wait_seconds": 20})
	prompts := w.must("check_prompts", args{})
	id, prompt := textAt(prompts, "prompts", 0, "session_id"), textAt(prompts, "prompts", 0, "prompt_id")

	for _, tool := range Tools() {
		for _, f := range tool.input.fields {
			if f.name != "session_id" && f.name != "id" && f.name != "prompt_id" && f.name != "host" {
				continue
			}
			for _, ref := range []string{id, handle, "secret-app", prompt, string(w.host.id), "macbook", "../" + id, strings.ToUpper(id), id[:8]} {
				theirs := w.callRaw("bob", tool.Name, tool.goodBut(f.name, `"`+ref+`"`))
				if !theirs.isError || !strings.Contains(theirs.text, "you can see") {
					t.Errorf("%s with %s %q: %s", tool.Name, f.name, ref, theirs.raw)
				}
				nothing := strings.Repeat("z", len(ref))
				none := w.callRaw("bob", tool.Name, tool.goodBut(f.name, `"`+nothing+`"`))
				if got := strings.ReplaceAll(theirs.text, ref, nothing); got != none.text {
					t.Errorf("%s tells apart:\n%s\n%s", tool.Name, got, none.text)
				}
			}
		}
	}
	if got := w.call("bob", "fetch", args{"id": handle + ":1"}); !strings.Contains(got.text, "you can see") {
		t.Errorf("an entry of another's session: %s", got.raw)
	}
	for _, tool := range []string{"list_sessions", "check_prompts", "list_hosts", "wait_for_session"} {
		arguments := args{}
		if tool == "wait_for_session" {
			arguments = args{"timeout_seconds": 1}
		}
		if got := w.call("bob", tool, arguments); strings.Contains(got.raw, "secret") || strings.Contains(got.raw, "macbook") {
			t.Errorf("bob's %s shows alice's: %s", tool, got.raw)
		}
	}
	if got := w.call("bob", "search", args{"query": "zebra"}); got.text != `{"results":[]}` {
		t.Errorf("bob finds alice's words: %s", got.raw)
	}
}

func TestAmbiguousName(t *testing.T) {
	w := newWorld(t)
	first, second := w.start("web-app"), w.start("web-app")
	got := w.call("alice", "get_session_status", args{"session_id": "web-app"})
	if !got.isError || !strings.Contains(got.text, first) || !strings.Contains(got.text, second) {
		t.Errorf("got %s, want both candidates", got.raw)
	}
}

// Each tool's scope is really what the gate asks for, and its lack is answered in the client's own way.
func TestScopes(t *testing.T) {
	w := newWorld(t)
	for _, tool := range Tools() {
		if tool.Scope == "" {
			continue
		}
		others := slices.DeleteFunc(auth.AllScopes(), func(s auth.Scope) bool { return s == tool.Scope })
		arguments := "{}"
		if len(tool.input.fields) > 0 {
			arguments = tool.goodBut(tool.input.fields[0].name, `"x"`)
		}
		if tool.Name == "respond_to_prompt" {
			arguments = `{"prompt_id":"x","response":"yes"}`
		}
		if tool.Name == "list_sessions" || tool.Name == "check_prompts" || tool.Name == "wait_for_session" {
			arguments = "{}"
		}
		token := "alice." + strings.ReplaceAll(strings.ReplaceAll(others.String(), ":", "_"), " ", ".")
		got := w.callRaw(token, tool.Name, arguments)
		if got.status != http.StatusForbidden || !strings.Contains(got.header.Get("WWW-Authenticate"), `error="insufficient_scope"`) ||
			!strings.Contains(got.header.Get("WWW-Authenticate"), string(tool.Scope)) {
			t.Errorf("%s: %d %q %s", tool.Name, got.status, got.header.Get("WWW-Authenticate"), got.raw)
		}
		chat := w.callRaw(strings.Replace(token, "alice", "alice-chatgpt", 1), tool.Name, arguments)
		challenge := textAt(chat.meta, "mcp/www_authenticate", 0)
		if chat.status != http.StatusOK || !chat.isError || !strings.HasPrefix(challenge, "Bearer resource_metadata=") ||
			!strings.Contains(challenge, `error="insufficient_scope"`) || !strings.Contains(challenge, "error_description=") ||
			!strings.Contains(challenge, string(tool.Scope)) {
			t.Errorf("%s for ChatGPT: %d %s", tool.Name, chat.status, chat.raw)
		}
	}
	if typed := w.host.typed(); len(typed) > 0 {
		t.Errorf("typed without the right: %q", typed)
	}
}

// A refusal for lack of scope is in the audit chain, though the edge words the answer.
func TestScopeRefusalIsRecorded(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	w.call("alice.sessions_read", "send_message", args{"session_id": handle, "message": "x"})
	manager := auth.Caller{User: "alice", Role: auth.RoleMember, Scopes: auth.Scopes{auth.ScopeManage}}
	events, err := w.fleet.AuditLog(t.Context(), manager, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Action == "session.message" && !e.Allowed {
			return
		}
	}
	t.Errorf("no record of the refusal in %+v", events)
}

func TestPolicyRefusal(t *testing.T) {
	w := newWorld(t)
	got := w.call("alice", "create_session", args{"working_dir": "/etc"})
	if !got.isError || !strings.Contains(got.text, "policy") || !strings.Contains(got.text, "macbook") {
		t.Errorf("got %s", got.raw)
	}
}

func TestHostOffline(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	w.host.leave()
	got := w.call("alice", "send_message", args{"session_id": handle, "message": "hello"})
	if got.status != http.StatusOK || !got.isError || !strings.Contains(got.text, "offline since") {
		t.Errorf("a message to an offline host: %d %s", got.status, got.raw)
	}
	status := w.must("get_session_status", args{"session_id": handle})
	if textAt(status, "session", "state") != "offline" || textAt(status, "session", "last_known_state") != "idle" ||
		textAt(status, "session", "host_offline_since") == "" {
		t.Errorf("status: %v", status)
	}
}

func TestNATSDown(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	w.conn.Close()
	got := w.call("alice", "interrupt_session", args{"session_id": handle})
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" || !got.isError {
		t.Errorf("got %d %s", got.status, got.raw)
	}
	if got := w.call("alice", "list_sessions", args{}); got.status != http.StatusOK || got.isError {
		t.Errorf("what needs no NATS: %d %s", got.status, got.raw)
	}
}

func TestPostgresDown(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	w.wire.cut()
	for _, tool := range []string{"list_sessions", "interrupt_session"} {
		arguments := args{"session_id": handle}
		if tool == "list_sessions" {
			arguments = args{}
		}
		got := w.call("alice", tool, arguments)
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" || strings.Contains(got.raw, "socket") {
			t.Errorf("%s: %d %s", tool, got.status, got.raw)
		}
	}
	w.wire.mend()
	// A connection of the old days may still fail once; whoever waits as he was told gets through.
	for range 5 {
		if got := w.call("alice", "interrupt_session", args{"session_id": handle}); got.status == http.StatusOK && !got.isError {
			return
		}
	}
	t.Error("no recovery")
}

func TestUnknownTool(t *testing.T) {
	w := newWorld(t)
	if got := w.call("alice", "no_such_tool", args{}); got.code != -32602 {
		t.Errorf("got %d %s, want -32602", got.status, got.raw)
	}
}

func TestBothRefs(t *testing.T) {
	w := newWorld(t)
	w.wantNamed(t, "respond_to_prompt", `{"prompt_id":"a","session_id":"b","response":"yes"}`, "prompt_id")
	w.wantNamed(t, "respond_to_prompt", `{"response":"yes"}`, "session_id")
}

func TestOldHeartbeatIsOffline(t *testing.T) {
	now := time.Now()
	seen := now.Add(-time.Hour)
	v := viewHost(fleet.Host{Name: "mac", LastSeenAt: &seen}, now)
	if v.Online || v.OfflineSince == nil || !v.OfflineSince.Equal(seen) {
		t.Errorf("a host that was silent for an hour: %+v", v)
	}
}
