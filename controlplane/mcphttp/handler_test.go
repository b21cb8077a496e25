package mcphttp

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestStoreAway(t *testing.T) {
	e := start(t, nil)
	e.setDown(true)
	got := e.post(t, callTool("who"), nil)
	if got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("store away: %d, Retry-After %q", got.status, got.header.Get("Retry-After"))
	}
	e.setDown(false)
	if got := e.post(t, callTool("who"), nil); got.status != 200 {
		t.Errorf("store back: %d %s", got.status, got.body)
	}
	got = e.post(t, callTool("away"), nil)
	if got.status != 503 || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "try again") {
		t.Errorf("a tool without its store: %d %s", got.status, got.body)
	}
}

func TestPanic(t *testing.T) {
	e := start(t, nil)
	got := e.post(t, callTool("panic"), nil)
	if got.status != 200 || !strings.Contains(got.body, "-32603") {
		t.Errorf("got %d %s, want a JSON-RPC internal error", got.status, got.body)
	}
	if !strings.Contains(e.log.String(), "a bug") {
		t.Error("the panic is not in the log")
	}
}

func TestCallerReachesTheTool(t *testing.T) {
	e := start(t, nil)
	got := e.post(t, callTool("who"), bearer("bob-token"))
	if caller := <-e.calls; caller.User != "bob" || caller.Addr != "127.0.0.1" {
		t.Errorf("the tool saw %+v; answer %s", caller, got.body)
	}
}

func TestStepUp(t *testing.T) {
	e := start(t, nil)
	got := e.post(t, callTool("write"), bearer("dave-token"))
	want := `Bearer resource_metadata="` + e.url + `/.well-known/oauth-protected-resource/mcp", scope="sessions:read sessions:write", ` +
		`error="insufficient_scope", error_description="this tool needs the scope sessions:write"`
	if got.status != 403 || got.header.Get("WWW-Authenticate") != want {
		t.Errorf("got %d %q\nwant 403 %q", got.status, got.header.Get("WWW-Authenticate"), want)
	}
	if caller := <-e.calls; caller.User != "dave" {
		t.Errorf("the gate did not see the call, but %+v", caller)
	}
	if got := e.post(t, callTool("write"), bearer("carol-token")); got.status != 200 {
		t.Errorf("ChatGPT got %d, want the tool's own answer", got.status)
	}
	if got := e.post(t, callTool("who"), bearer("dave-token")); got.status != 200 {
		t.Errorf("with the scope: %d", got.status)
	}
}

func TestListHasSecuritySchemes(t *testing.T) {
	e := start(t, nil)
	got := e.post(t, `{"jsonrpc":"2.0","id":7,"method":"tools/list"}`, nil)
	var list struct {
		ID     int
		Result struct {
			Tools []struct {
				Name            string
				SecuritySchemes []struct{ Type string }
			}
		}
	}
	if err := json.Unmarshal([]byte(got.body), &list); err != nil {
		t.Fatalf("%v in %s", err, got.body)
	}
	for _, tool := range list.Result.Tools {
		if tool.Name == "schemes" && len(tool.SecuritySchemes) == 1 && list.ID == 7 {
			return
		}
	}
	t.Errorf("no securitySchemes in %s", got.body)
}
