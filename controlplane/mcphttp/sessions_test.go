package mcphttp

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
)

// agrees checks that mcp-go's own types read the message as parse did.
func agrees(body []byte, m message) error {
	var theirs struct {
		Method mcp.MCPMethod       `json:"method"`
		ID     any                 `json:"id"`
		Params *mcp.CallToolParams `json:"params"`
	}
	if m.method != string(mcp.MethodToolsCall) {
		theirs.Params = nil
		var other struct {
			Method mcp.MCPMethod `json:"method"`
		}
		if err := json.Unmarshal(body, &other); err != nil || string(other.Method) != m.method {
			return fmt.Errorf("mcp-go reads method %q (%v), parse %q", other.Method, err, m.method)
		}
		return nil
	}
	if err := json.Unmarshal(body, &theirs); err != nil {
		return nil //nolint:nilerr // mcp-go refuses it too, so there is nothing to differ in
	}
	if theirs.Params == nil || theirs.Params.Name != m.tool || theirs.Params.Meta.ProtocolVersion() != m.version {
		return fmt.Errorf("mcp-go reads %+v, parse %+v", theirs.Params, m)
	}
	return nil
}

func inSession(token, id string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set(mcp.HeaderSessionID, id)
	}
}

func TestSessionsBelongToTheirUser(t *testing.T) {
	e := start(t, nil)
	id := e.open(t, "alice-token")
	for _, method := range []string{"POST", "GET", "DELETE"} {
		for name, other := range map[string]string{
			"another's": id, "random": "mcp-session-5b7a3f6e-52a5-4b73-8ac6-3a9f1e9d8c11", "in another case": strings.ToLower(id),
			"truncated": id[:10], "path": "../" + id, "long": strings.Repeat("a", 100_000),
		} {
			token := "bob-token"
			body := ""
			if method == "POST" {
				body = callTool("who")
			}
			got := e.send(t, e.request(t, method, body, func(r *http.Request) {
				inSession(token, other)(r)
				r.Header.Set("Last-Event-ID", "1")
			}))
			if got.status != 404 {
				t.Errorf("%s with %s session id: got %d %s, want 404", method, name, got.status, got.body)
			}
		}
	}
	if got := e.post(t, callTool("who"), inSession("alice-token", id)); got.status != 200 || !strings.Contains(got.body, "alice") {
		t.Errorf("its owner got %d %s", got.status, got.body)
	}
}

func TestSessionEnds(t *testing.T) {
	e := start(t, nil)
	id := e.open(t, "alice-token")
	if got := e.send(t, e.request(t, "DELETE", "", inSession("alice-token", id))); got.status != 200 {
		t.Errorf("DELETE: %d %s", got.status, got.body)
	}
	for _, method := range []string{"POST", "GET", "DELETE"} {
		if got := e.send(t, e.request(t, method, callTool("who"), inSession("alice-token", id))); got.status != 404 {
			t.Errorf("%s after DELETE: got %d, want 404", method, got.status)
		}
	}
	for _, method := range []string{"GET", "DELETE"} {
		if got := e.send(t, e.request(t, method, "", nil)); got.status != 400 {
			t.Errorf("%s without a session: got %d, want 400", method, got.status)
		}
	}
}

func TestOldestSessionMakesRoom(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	first, second := e.open(t, "alice-token"), e.open(t, "alice-token")
	bobs := e.open(t, "bob-token")
	e.post(t, callTool("who"), inSession("alice-token", first)) // now second is the least recently used
	for range maxSessions - 1 {
		e.open(t, "alice-token")
	}
	for id, want := range map[string]int{first: 200, second: 404} {
		if got := e.post(t, callTool("who"), inSession("alice-token", id)); got.status != want {
			t.Errorf("got %d, want %d", got.status, want)
		}
	}
	if got := e.post(t, callTool("who"), inSession("bob-token", bobs)); got.status != 200 {
		t.Errorf("somebody else's session: %d", got.status)
	}
}

func TestWithoutSession(t *testing.T) {
	e := start(t, nil)
	if got := e.post(t, callTool("who"), nil); got.status != 200 || got.header.Get(mcp.HeaderSessionID) != "" {
		t.Errorf("tools/call without initialize: %d, session %q", got.status, got.header.Get(mcp.HeaderSessionID))
	}
}

// Without a session, mcp-go would let anybody cancel request 1 of anybody.
func TestNobodyCancelsForAnother(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	answers := make(chan reply, 1)
	go func() { answers <- e.post(t, callTool("wait"), nil) }()
	<-e.calls
	cancel := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`
	for _, change := range []func(*http.Request){nil, header("Mcp-Protocol-Version", "2026-07-28")} {
		got := e.post(t, cancel, func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer bob-token")
			if change != nil {
				change(r)
			}
		})
		if got.status != 202 {
			t.Errorf("notification: %d %s", got.status, got.body)
		}
	}
	// The call is still there if a second one can be answered before it.
	e.post(t, callTool("who"), nil)
	select {
	case got := <-answers:
		t.Errorf("the call was cancelled: %s", got.body)
	default:
	}
	e.revoke("alice-token") // lets it end
	<-answers
}

func TestCancelInOwnSession(t *testing.T) {
	e := start(t, nil)
	id := e.open(t, "alice-token")
	answers := make(chan reply, 1)
	go func() { answers <- e.post(t, callTool("wait"), inSession("alice-token", id)) }()
	<-e.calls
	e.post(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`, inSession("alice-token", id))
	<-answers
}

func TestStreamHeaders(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	id := e.open(t, "alice-token")
	r := e.request(t, "GET", "", inSession("alice-token", id))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", "Cache-Control": "no-store",
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if testing.Short() {
		return
	}
	line, err := bufio.NewReader(response.Body).ReadString('\n') // the keep-alive comes after watchEvery
	if err != nil || line != ": alive\n" {
		t.Errorf("read %q, %v", line, err)
	}
	// Ending the session ends its stream.
	e.send(t, e.request(t, "DELETE", "", inSession("alice-token", id)))
	if _, err := bufio.NewReader(response.Body).ReadString(0); err == nil {
		t.Error("the stream goes on")
	}
}

func TestModern(t *testing.T) {
	e := start(t, nil)
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	modern := func(method, name string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Mcp-Protocol-Version", "2026-07-28")
			r.Header.Set("Mcp-Method", method)
			r.Header.Set("Mcp-Session-Id", "nobody's")
			if name != "" {
				r.Header.Set("Mcp-Name", name)
			}
		}
	}
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"who","arguments":{},` + meta + `}}`
	tests := []struct {
		name, verb, body string
		change           func(*http.Request)
		status           int
		say              string
	}{
		{"discover", "POST", `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{` + meta + `}}`, modern("server/discover", ""), 200, "2026-07-28"},
		{"call", "POST", call, modern("tools/call", "who"), 200, `"resultType":"complete"`},
		{"name in the header differs", "POST", call, modern("tools/call", "write"), 400, "-32020"},
		{"no name in the header", "POST", call, modern("tools/call", ""), 400, "-32020"},
		{"unknown method", "POST", `{"jsonrpc":"2.0","id":1,"method":"nope","params":{` + meta + `}}`, modern("nope", ""), 404, "-32601"},
		{"unknown version", "POST", strings.ReplaceAll(call, "2026-07-28", "2099-01-01"), func(r *http.Request) {
			modern("tools/call", "who")(r)
			r.Header.Set("Mcp-Protocol-Version", "2099-01-01")
		}, 400, "-32022"},
		{"GET", "GET", "", modern("", ""), 405, ""},
		{"DELETE", "DELETE", "", modern("", ""), 405, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := e.send(t, e.request(t, test.verb, test.body, test.change))
			if got.status != test.status || !strings.Contains(got.body, test.say) {
				t.Errorf("got %d %s\nwant %d %q", got.status, got.body, test.status, test.say)
			}
			if got.header.Get("Mcp-Session-Id") != "" {
				t.Error("a session id in the era without sessions")
			}
		})
	}
}

func TestLimiterForgets(t *testing.T) {
	l := newLimiter(Rate{PerSecond: 1e6, Burst: 1})
	for i := range maxNames + 10 {
		l.take(fmt.Sprint(i))
	}
	if len(l.names) > maxNames {
		t.Errorf("%d names are kept", len(l.names))
	}
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "::ffff:192.0.2.7": "::ffff:192.0.2.7",
	} {
		if got := network(address); got != want {
			t.Errorf("network(%s) = %s, want %s", address, got, want)
		}
	}
}

func TestPrincipalIsUserAndClient(t *testing.T) {
	s := newSessions()
	id := s.open(principalOf(auth.Caller{User: "alice", ClientID: "claude"}))
	if s.touch(id, auth.Caller{User: "alice", ClientID: "other"}) {
		t.Error("another client of the same person has the session")
	}
	if s.touch("", auth.Caller{}) {
		t.Error("the empty id is a session")
	}
}
