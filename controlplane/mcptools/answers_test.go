package mcptools

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
)

// Every tool's answer is one text and the same as structured content, and is what its output schema says.
func TestEveryAnswer(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	ended := w.start("old-app")
	w.must("terminate_session", args{"session_id": ended})
	w.must("send_message", args{"session_id": handle, "message": "ask the zebra", "wait_seconds": 20})
	id := textAt(w.must("search", args{"query": "zebra"}), "results", 0, "id")
	calls := []struct {
		tool      string
		arguments args
	}{
		{"list_sessions", args{}}, {"list_hosts", args{}}, {"list_templates", args{}}, {"get_profile", args{}},
		{"search", args{"query": "zebra"}}, {"fetch", args{"id": id}}, {"fetch", args{"id": handle}},
		{"get_session_status", args{"session_id": handle}}, {"check_prompts", args{}}, {"get_logs", args{"session_id": handle}},
		{"get_changes", args{"session_id": handle}}, {"wait_for_session", args{"timeout_seconds": 1}},
		{"wait_for_session", args{"session_id": handle, "timeout_seconds": 1}},
		{"respond_to_prompt", args{"session_id": handle, "response": "yes"}},
		{"send_message", args{"session_id": handle, "message": "hello"}},
		{"send_message", args{"session_id": handle, "message": "hello", "wait_seconds": 5}},
		{"interrupt_session", args{"session_id": handle}}, {"resume_session", args{"session_id": ended}},
		{"create_session", args{"working_dir": "/src/new"}}, {"terminate_session", args{"session_id": handle}},
	}
	var missing []string
	for _, tool := range Tools() {
		missing = append(missing, tool.Name)
	}
	for _, c := range calls {
		got := w.call("alice", c.tool, c.arguments)
		var fromText map[string]any
		if got.isError || json.Unmarshal([]byte(got.text), &fromText) != nil {
			t.Errorf("%s: %s", c.tool, got.raw)
			continue
		}
		if diff := cmp.Diff(got.structured, fromText); diff != "" {
			t.Errorf("%s (-structured +text):\n%s", c.tool, diff)
		}
		tool := Tools()[slices.IndexFunc(Tools(), func(tool Tool) bool { return tool.Name == c.tool })]
		for _, problem := range tool.output.jsonSchema(open).problems(c.tool, got.structured) {
			t.Error(problem)
		}
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == c.tool })
	}
	if len(missing) > 0 {
		t.Errorf("not called: %v", missing)
	}
}

// problems says where a value is not what the schema says.
func (s jsonSchema) problems(path string, value any) (problems []string) {
	kinds := map[string]func(any) bool{
		"string":  func(v any) bool { _, ok := v.(string); return ok },
		"boolean": func(v any) bool { _, ok := v.(bool); return ok },
		"integer": func(v any) bool { n, ok := v.(float64); return ok && n == float64(int(n)) },
		"array":   func(v any) bool { _, ok := v.([]any); return ok },
		"object":  func(v any) bool { _, ok := v.(map[string]any); return ok },
	}
	if !kinds[s.Type](value) {
		return []string{path + " is no " + s.Type}
	}
	if word, _ := value.(string); len(s.Enum) > 0 && !slices.Contains(s.Enum, word) {
		problems = append(problems, path+" is "+word)
	}
	list, _ := value.([]any)
	for _, item := range list {
		problems = append(problems, s.Items.problems(path+"[]", item)...)
	}
	object, _ := value.(map[string]any)
	for _, name := range s.Required {
		if _, ok := object[name]; !ok {
			problems = append(problems, path+" lacks "+name)
		}
	}
	for name, member := range object {
		schema, known := s.Properties[name]
		if !known && s.Properties != nil {
			problems = append(problems, path+" has "+name+", which no schema names")
		}
		if known {
			problems = append(problems, schema.problems(path+"."+name, member)...)
		}
	}
	return problems
}

// The edges of what ChatGPT's search and fetch may be asked.
func TestSearchAndFetchEdges(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	w.must("send_message", args{"session_id": handle, "message": "naïve 東京 🦓 zebra", "wait_seconds": 20})
	for name, query := range map[string]string{"empty": "", "blank": " \n", "10 kB": strings.Repeat("zebra ", 1700), "NUL": "a\x00b"} {
		if got := w.call("alice", "search", args{"query": query}); got.status != http.StatusOK || !got.isError || !strings.Contains(got.text, "query") {
			t.Errorf("%s: %d %.300s", name, got.status, got.raw)
		}
	}
	for _, query := range []string{"東京", "🦓", "naïve", "ZEBRA"} {
		got := w.call("alice", "search", args{"query": query})
		if got.isError || textAt(got.structured, "results", 0, "id") == "" {
			t.Errorf("%s finds nothing: %s", query, got.raw)
		}
	}
	for _, query := range []string{`"`, `'; DROP TABLE sessions; --`, `%`, `a & | ! ( ) <->`, `\`, "\u202e"} {
		if got := w.call("alice", "search", args{"query": query}); got.status != http.StatusOK || got.isError {
			t.Errorf("%q: %d %s", query, got.status, got.raw)
		}
	}
	id := textAt(w.call("alice", "search", args{"query": "zebra"}).structured, "results", 0, "id")
	nobody := strings.Repeat("z", len(handle))
	theirs, none := w.call("bob", "fetch", args{"id": id}), w.call("bob", "fetch", args{"id": strings.ReplaceAll(id, handle, nobody)})
	if !strings.HasPrefix(id, handle) || !theirs.isError || strings.ReplaceAll(theirs.text, handle, nobody) != none.text {
		t.Errorf("another's id: %s\nno id: %s", theirs.text, none.text)
	}
}

// oneChallenge is a Bearer challenge as RFC 6750 has it, with what ChatGPT needs in it, and nothing beside it.
var oneChallenge = regexp.MustCompile(`^Bearer resource_metadata="http[^"]+/\.well-known/oauth-protected-resource/mcp", ` +
	`scope="[a-z:_ ]+", error="insufficient_scope", error_description="[^"\\']+"$`)

// ChatGPT asks its user for more when a result says so: with HTTP 200, an error, and one challenge.
func TestChallengeForChatGPT(t *testing.T) {
	w := newWorld(t)
	for _, tool := range Tools() {
		if tool.Scope == "" {
			continue
		}
		others := slices.DeleteFunc(auth.AllScopes(), func(s auth.Scope) bool { return s == tool.Scope })
		token := "alice-chatgpt." + strings.ReplaceAll(strings.ReplaceAll(others.String(), ":", "_"), " ", ".")
		name, argument := "x", `"x"`
		if len(tool.input.fields) > 0 {
			name = tool.input.fields[0].name
		}
		arguments := tool.goodBut(name, argument)
		switch tool.Name {
		case "respond_to_prompt":
			arguments = `{"prompt_id":"x","response":"yes"}`
		case "list_hosts", "list_templates", "list_sessions", "check_prompts":
			arguments = `{}`
		}
		got := w.callRaw(token, tool.Name, arguments)
		challenges, _ := at(got.meta, "mcp/www_authenticate").([]any)
		if got.status != http.StatusOK || !got.isError || len(challenges) != 1 || !oneChallenge.MatchString(textAt(challenges, 0)) {
			t.Errorf("%s: %d %s", tool.Name, got.status, got.raw)
		}
	}
}
