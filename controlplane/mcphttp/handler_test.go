package mcphttp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"switchboard/auth"
)

// The tokens of the tests' people. Carol's client is ChatGPT; dave may only read.
func people() map[auth.Secret]auth.Caller {
	all := auth.Scopes{auth.ScopeSessionsRead, auth.ScopeSessionsWrite}
	return map[auth.Secret]auth.Caller{
		"alice-token": {User: "alice", ClientID: "claude", Scopes: all},
		"bob-token":   {User: "bob", ClientID: "claude", Scopes: all},
		"carol-token": {User: "carol", ClientID: "https://chatgpt.com/oauth/client.json", Scopes: auth.Scopes{auth.ScopeSessionsRead}},
		"dave-token":  {User: "dave", ClientID: "claude", Scopes: auth.Scopes{auth.ScopeSessionsRead}},
	}
}

// endpoint is a Handler behind a real HTTP server, in front of a real mcp-go server with tools of its own.
type endpoint struct {
	url   string
	calls chan auth.Caller // of the tools
	log   *lockedBuffer

	mu     sync.Mutex // guards the fields below
	tokens map[auth.Secret]auth.Caller
	down   bool
}

type lockedBuffer struct {
	mu  sync.Mutex // guards the field below
	buf strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (e *endpoint) bearer(_ context.Context, token auth.Secret, addr string) (auth.Caller, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.down {
		return auth.Caller{}, errors.New("no connection to the database")
	}
	caller, ok := e.tokens[token]
	if !ok {
		return auth.Caller{}, auth.ErrInvalidToken
	}
	caller.Addr = addr
	return caller, nil
}

func (e *endpoint) revoke(token auth.Secret) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.tokens, token)
}

func (e *endpoint) setDown(down bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.down = down
}

func start(t *testing.T, change func(*Config)) *endpoint {
	t.Helper()
	e := &endpoint{tokens: people(), calls: make(chan auth.Caller, 1000), log: &lockedBuffer{}}
	ts := httptest.NewUnstartedServer(nil)
	e.url = "http://" + ts.Listener.Addr().String()
	config := Config{
		PublicURL: e.url,
		Origins:   []string{"https://chatgpt.com"},
		MCP:       e.tools(),
		Scopes:    auth.Scopes{auth.ScopeSessionsRead, auth.ScopeSessionsWrite},
		Bearer:    e.bearer,
		Needs: func(tool string) auth.Scope {
			return map[string]auth.Scope{"write": auth.ScopeSessionsWrite, "who": auth.ScopeSessionsRead}[tool]
		},
		Log: slog.New(slog.NewTextHandler(e.log, nil)),
	}
	if change != nil {
		change(&config)
	}
	h, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	ts.Config.Handler = h
	ts.Start()
	t.Cleanup(func() {
		if err := h.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		ts.Close()
	})
	return e
}

func (e *endpoint) tools() *server.MCPServer {
	s := server.NewMCPServer("test", "1")
	who := func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		caller, ok := CallerFrom(ctx)
		if !ok {
			return nil, errors.New("no caller")
		}
		e.calls <- caller
		return mcp.NewToolResultText(string(caller.User)), nil
	}
	s.AddTool(mcp.NewTool("who"), who)
	s.AddTool(mcp.NewTool("write"), who)
	s.AddTool(mcp.NewTool("panic"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		panic("a bug")
	})
	s.AddTool(mcp.NewTool("away"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		MarkUnavailable(ctx)
		return mcp.NewToolResultError("try again"), nil
	})
	s.AddTool(mcp.NewTool("wait"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		caller, _ := CallerFrom(ctx)
		e.calls <- caller
		<-ctx.Done()
		return mcp.NewToolResultText("cut"), nil
	})
	schemes := mcp.NewTool("schemes")
	schemes.Meta = mcp.NewMetaFromMap(map[string]any{"securitySchemes": []map[string]any{{"type": "oauth2"}}})
	s.AddTool(schemes, who)
	return s
}

// request is one HTTP request; change may spoil it.
func (e *endpoint) request(t *testing.T, method, body string, change func(*http.Request)) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, e.url+"/mcp", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer alice-token")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if change != nil {
		change(r)
	}
	return r
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (e *endpoint) send(t *testing.T, r *http.Request) reply {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(body)}
}

func (e *endpoint) post(t *testing.T, body string, change func(*http.Request)) reply {
	t.Helper()
	return e.send(t, e.request(t, http.MethodPost, body, change))
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func bearer(token string) func(*http.Request) { return header("Authorization", "Bearer "+token) }

func callTool(tool string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + tool + `","arguments":{}}}`
}

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",` +
	`"capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`

// open initializes a legacy session of whoever's token it is.
func (e *endpoint) open(t *testing.T, token string) string {
	t.Helper()
	got := e.post(t, initialize, bearer(token))
	id := got.header.Get(mcp.HeaderSessionID)
	if got.status != http.StatusOK || id == "" {
		t.Fatalf("initialize: %d, session %q: %s", got.status, id, got.body)
	}
	return id
}

func TestDoors(t *testing.T) {
	e := start(t, nil)
	tests := []struct {
		name   string
		change func(*http.Request)
		status int
	}{
		{"no origin", nil, 200},
		{"own origin", header("Origin", e.url), 200},
		{"listed origin", header("Origin", "https://chatgpt.com"), 200},
		{"listed origin with its port", header("Origin", "https://chatgpt.com:443"), 200},
		{"null origin", header("Origin", "null"), 403},
		{"empty origin", header("Origin", ""), 403},
		{"other origin", header("Origin", "https://evil.example"), 403},
		{"origin with a longer host", header("Origin", "https://chatgpt.com.evil.example"), 403},
		{"origin with userinfo", header("Origin", "https://chatgpt.com@evil.example"), 403},
		{"origin with a path", header("Origin", "https://chatgpt.com/x"), 403},
		{"origin with another scheme", header("Origin", "http://chatgpt.com"), 403},
		{"origin with another port", header("Origin", "https://chatgpt.com:8443"), 403},
		{"loopback look-alike", header("Origin", "http://localhost.evil.example"), 403},
		{"two origins", func(r *http.Request) { r.Header["Origin"] = []string{"https://chatgpt.com", "https://evil.example"} }, 403},
		{"other host", func(r *http.Request) { r.Host = "evil.example" }, 421},
		{"rebound host with our port", func(r *http.Request) {
			r.Host = "evil.example:" + r.URL.Port()
		}, 421},
		{"forwarded host counts for nothing", header("X-Forwarded-Host", "evil.example"), 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := e.post(t, callTool("who"), test.change)
			if got.status != test.status {
				t.Errorf("got %d %s, want %d", got.status, got.body, test.status)
			}
			if got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control: %q", got.header.Get("Cache-Control"))
			}
		})
	}
}

func TestPreflight(t *testing.T) {
	e := start(t, nil)
	got := e.send(t, e.request(t, http.MethodOptions, "", func(r *http.Request) {
		r.Header.Set("Origin", "https://chatgpt.com")
		r.Header.Del("Authorization")
	}))
	if got.status != 204 || got.header.Get("Access-Control-Allow-Origin") != "https://chatgpt.com" {
		t.Errorf("preflight: %d %v", got.status, got.header)
	}
	got = e.send(t, e.request(t, http.MethodOptions, "", func(r *http.Request) { r.Header.Del("Authorization") }))
	if got.status != 401 {
		t.Errorf("OPTIONS without an origin: %d, want 401", got.status)
	}
}

func TestBearer(t *testing.T) {
	e := start(t, nil)
	plain := `Bearer resource_metadata="` + e.url + `/.well-known/oauth-protected-resource/mcp", scope="sessions:read sessions:write"`
	invalid := plain + `, error="invalid_token", error_description="the access token is not valid, or no longer"`
	without := func(r *http.Request) { r.Header.Del("Authorization") }
	tests := []struct {
		name      string
		change    func(*http.Request)
		status    int
		challenge string
	}{
		{"good", nil, 200, ""},
		{"scheme in another case", header("Authorization", "bEARER alice-token"), 200, ""},
		{"none", without, 401, plain},
		{"other scheme", header("Authorization", "Basic YTpi"), 401, plain},
		{"blank", header("Authorization", "Bearer "), 401, plain},
		{"in the query", func(r *http.Request) { without(r); r.URL.RawQuery = "access_token=alice-token" }, 401, plain},
		{"unknown", bearer("nobody"), 401, invalid},
		{"malformed", bearer("alice token"), 401, invalid},
		{"too long", bearer(strings.Repeat("a", 64<<10)), 401, invalid},
		{"two headers", func(r *http.Request) {
			r.Header["Authorization"] = []string{"Bearer alice-token", "Bearer bob-token"}
		}, 400, plain + `, error="invalid_request", error_description="send one Authorization header"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, method := range []string{"POST", "GET", "DELETE", "PUT"} {
				body := ""
				if method == "POST" {
					body = callTool("who")
				}
				got := e.send(t, e.request(t, method, body, test.change))
				if test.status == 200 && method != "POST" {
					continue
				}
				if got.status != test.status || got.header.Get("WWW-Authenticate") != test.challenge {
					t.Errorf("%s: got %d %q\nwant %d %q", method, got.status, got.header.Get("WWW-Authenticate"), test.status, test.challenge)
				}
			}
		})
	}
	if strings.Contains(e.log.String(), "alice-token") {
		t.Error("a token is in the log")
	}
}

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

func TestLimits(t *testing.T) {
	e := start(t, func(c *Config) { c.PerUser = Rate{PerSecond: 0.001, Burst: 2} })
	for i := range 3 {
		got := e.post(t, callTool("who"), nil)
		if want := []int{200, 200, 429}[i]; got.status != want {
			t.Errorf("request %d: got %d, want %d", i, got.status, want)
		}
		if got.status == 429 && got.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	if got := e.post(t, callTool("who"), bearer("bob-token")); got.status != 200 {
		t.Errorf("somebody else got %d", got.status)
	}

	e = start(t, func(c *Config) { c.PerAddr = Rate{PerSecond: 0.001, Burst: 1} })
	e.post(t, callTool("who"), bearer("wrong"))
	if got := e.post(t, callTool("who"), bearer("wrong")); got.status != 429 {
		t.Errorf("second guess from one address: %d, want 429", got.status)
	}
}

func TestRevokedWhileItLasts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes as long as a token is trusted")
	}
	e := start(t, nil)
	answers := make(chan reply)
	go func() { answers <- e.post(t, callTool("wait"), nil) }()
	<-e.calls
	e.revoke("alice-token")
	select {
	case got := <-answers:
		if got.status != 401 {
			t.Errorf("got %d %s, want 401", got.status, got.body)
		}
	case <-time.After(time.Minute):
		t.Fatal("a call goes on after its token was revoked")
	}
}
