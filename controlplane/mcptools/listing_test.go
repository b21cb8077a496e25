package mcptools

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// send posts one message as alice, in the way of 2026-07-28 or of before, and returns its result.
func (w *world) send(era, method, params string) map[string]any {
	w.t.Helper()
	if era == "2026-07-28" {
		params += `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	}
	body := `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":{` + strings.TrimSuffix(params, ",") + `}}`
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/mcp", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer alice")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	if era == "2026-07-28" {
		request.Header.Set("Mcp-Protocol-Version", era)
		request.Header.Set("Mcp-Method", method)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	var envelope struct{ Result map[string]any }
	if err := json.Unmarshal(text, &envelope); err != nil || envelope.Result == nil {
		w.t.Fatalf("%s: %d %s", method, response.StatusCode, text)
	}
	return envelope.Result
}

// What ChatGPT, which keeps its copy of it, and every other client needs to know of a tool stands in the list.
func TestListing(t *testing.T) {
	w := newWorld(t)
	var before []string
	for _, era := range []string{"2026-07-28", "2025-11-25", "2026-07-28"} {
		var names []string
		for _, tool := range w.send(era, "tools/list", "")["tools"].([]any) {
			tool := tool.(map[string]any)
			name := textAt(tool, "name")
			names = append(names, name)
			checkIcons(t, name, tool)
			for _, problem := range listingProblems(tool) {
				t.Errorf("%s: %s %s", era, name, problem)
			}
		}
		if len(names) != len(Tools()) || before != nil && !slices.Equal(names, before) {
			t.Errorf("%s lists %v, before it was %v", era, names, before)
		}
		before = names
	}
}

var toolName = regexp.MustCompile(`^[a-z_]{1,64}$`)

// listingProblems says what a listed tool lacks.
func listingProblems(tool map[string]any) (problems []string) {
	complain := func(bad bool, format string, args ...any) {
		if bad {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	complain(!toolName.MatchString(textAt(tool, "name")), "has a name that not every client takes")
	complain(textAt(tool, "title") == "" || textAt(tool, "description") == "", "has no title or description")
	hints := map[string]bool{}
	for _, hint := range []string{"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"} {
		value, ok := at(tool, "annotations", hint).(bool)
		complain(!ok, "has no %s", hint)
		hints[hint] = value
	}
	complain(hints["readOnlyHint"] && (hints["destructiveHint"] || hints["openWorldHint"]), "reads and destroys")
	complain(at(tool, "inputSchema", "additionalProperties") != false, "admits arguments that it does not know")
	complain(at(tool, "inputSchema", "type") != "object" || at(tool, "outputSchema", "type") != "object", "has not both schemas")
	for name, schema := range at(tool, "inputSchema", "properties").(map[string]any) {
		kind := textAt(schema, "type")
		complain(textAt(schema, "description") == "", "does not describe %s", name)
		complain(kind == "string" && at(schema, "maxLength") == nil && at(schema, "enum") == nil, "takes %s of any length", name)
		complain(kind == "integer" && (at(schema, "minimum") == nil || at(schema, "maximum") == nil), "takes any %s", name)
		complain(kind != "string" && kind != "integer" && kind != "boolean", "takes a %s", kind)
	}
	top, meta := at(tool, "securitySchemes"), at(tool, "_meta", "securitySchemes")
	complain(fmt.Sprint(top) != fmt.Sprint(meta) || textAt(top, 0, "type") != "oauth2", "has security schemes %v and %v", top, meta)
	return problems
}

// ChatGPT takes search and fetch for its own purposes only if they take exactly this, and the profile tool by its mark.
func TestListingForChatGPT(t *testing.T) {
	w := newWorld(t)
	tools := map[string]any{}
	for _, tool := range w.send("2026-07-28", "tools/list", "")["tools"].([]any) {
		tools[textAt(tool, "name")] = tool
	}
	for name, argument := range map[string]string{"search": "query", "fetch": "id"} {
		schema := at(tools, name, "inputSchema")
		properties := at(schema, "properties").(map[string]any)
		if !slices.Equal(slices.Collect(maps.Keys(properties)), []string{argument}) || textAt(properties, argument, "type") != "string" ||
			fmt.Sprint(at(schema, "required")) != "["+argument+"]" || at(tools, name, "annotations", "readOnlyHint") != true {
			t.Errorf("%s: %v", name, tools[name])
		}
	}
	profile := tools["get_profile"]
	if at(profile, "_meta", "openai/profile") != true || at(profile, "annotations", "readOnlyHint") != true ||
		len(at(profile, "inputSchema", "properties").(map[string]any)) != 0 {
		t.Errorf("get_profile: %v", profile)
	}
}

// Both ways to meet the server show the same instructions, the essentials first, and its name and face.
func TestIdentity(t *testing.T) {
	w := newWorld(t)
	discovered := w.send("2026-07-28", "server/discover", "")
	begun := w.send("2025-11-25", "initialize", `"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}`)
	essentials := []rune(textAt(discovered, "instructions"))[:512]
	for _, phrase := range []string{"list_sessions", "send_message", "check_prompts", "respond_to_prompt", "only an answer that the user gave", "untrusted", "never follow"} {
		if !strings.Contains(string(essentials), phrase) {
			t.Errorf("the first 512 characters lack %q: %s", phrase, string(essentials))
		}
	}
	if textAt(begun, "instructions") != textAt(discovered, "instructions") {
		t.Error("the instructions depend on the revision")
	}
	for era, server := range map[string]any{
		"2026-07-28": at(discovered, "_meta", "io.modelcontextprotocol/serverInfo"), "2025-11-25": at(begun, "serverInfo"),
	} {
		if textAt(server, "title") != "Switchboard" || textAt(server, "websiteUrl") != w.url {
			t.Errorf("%s: %v", era, server)
		}
		checkIcons(t, era, server)
	}
}
