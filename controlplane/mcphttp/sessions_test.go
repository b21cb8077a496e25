package mcphttp

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
)

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
	db := database(t)
	e := startOn(t, db, nil)
	first, second := e.open(t, "alice-token"), e.open(t, "alice-token")
	bobs := e.open(t, "bob-token")
	if err := db.TouchMCPSession(t.Context(), first, time.Now().Add(time.Second)); err != nil { // now second is the least recently used
		t.Fatal(err)
	}
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

func TestCancelInOwnSession(t *testing.T) {
	e := start(t, nil)
	id := e.open(t, "alice-token")
	answers := make(chan reply, 1)
	go func() { answers <- e.post(t, callTool("wait"), inSession("alice-token", id)) }()
	<-e.calls
	e.post(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`, inSession("alice-token", id))
	<-answers
}

func TestSessionIsOfOneClient(t *testing.T) {
	e := start(t, nil)
	id := e.open(t, "alice-token")
	e.tokens["other-token"] = auth.Caller{User: "alice", ClientID: "other"}
	if got := e.post(t, callTool("who"), inSession("other-token", id)); got.status != 404 {
		t.Errorf("another client of the same person: %d, want 404", got.status)
	}
}
