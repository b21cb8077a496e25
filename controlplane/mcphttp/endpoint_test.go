package mcphttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"go.uber.org/goleak"

	"switchboard/auth"
	"switchboard/controlplane/embedded/pgtest"
	"switchboard/controlplane/mcpsession"
	"switchboard/controlplane/postgres"
)

func TestMain(m *testing.M) {
	pgtest.Main(m)
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

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
	url    string
	client *http.Client
	calls  chan auth.Caller // of the tools
	counts chan int         // what the tool "counts" is to say next; closed, it answers
	log    *lockedBuffer
	word   auth.Changes
	stop   func()
	db     mcpsession.Store

	mu     sync.Mutex // guards the fields below
	tokens map[auth.Secret]auth.Caller
	down   bool
	hangs  bool
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

func (e *endpoint) bearer(ctx context.Context, token auth.Secret, addr string) (auth.Caller, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.hangs {
		e.mu.Unlock()
		<-ctx.Done()
		e.mu.Lock()
		return auth.Caller{}, ctx.Err()
	}
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

// revoke ends alice's token.
func (e *endpoint) revoke() {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.tokens, "alice-token")
}

func (e *endpoint) hang() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hangs = true
}

func (e *endpoint) setDown(down bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.down = down
}

func start(t *testing.T, change func(*Config)) *endpoint {
	t.Helper()
	return startOn(t, database(t), change)
}

// database is one with the tests' people.
func database(t *testing.T) *postgres.DB {
	t.Helper()
	url := pgtest.New(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), `
		INSERT INTO users (id, name, display_name, role, password_hash)
		SELECT name, name, name, 'member', 'none' FROM unnest(ARRAY['alice', 'bob', 'carol', 'dave']) name`)
	if err := errors.Join(err, conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// startOn starts a replica on a database.
func startOn(t *testing.T, db mcpsession.Store, change func(*Config)) *endpoint {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, listener, new(http.Client), db, change)
}

// serve puts the endpoint behind a listener that the client reaches.
func serve(t *testing.T, listener net.Listener, client *http.Client, db mcpsession.Store, change func(*Config)) *endpoint {
	t.Helper()
	e := &endpoint{
		url: "http://" + listener.Addr().String(), client: client,
		tokens: people(), calls: make(chan auth.Caller, 1000), counts: make(chan int), log: &lockedBuffer{}, db: db,
	}
	config := Config{
		PublicURL: e.url,
		Origins:   []string{"https://chatgpt.com"},
		MCP:       e.tools(),
		Scopes:    auth.Scopes{auth.ScopeSessionsRead, auth.ScopeSessionsWrite},
		Bearer:    e.bearer,
		Watch:     e.word.Watch,
		Sessions:  db,
		Needs: func(_, target string) auth.Scope {
			return map[string]auth.Scope{"write": auth.ScopeSessionsWrite, "who": auth.ScopeSessionsRead}[target]
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
	ts := &httptest.Server{Listener: listener, Config: &http.Server{Handler: h}}
	ts.Start()
	e.stop = sync.OnceFunc(func() {
		client.CloseIdleConnections()
		if err := h.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		ts.Close()
	})
	t.Cleanup(e.stop)
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
	s.AddTool(mcp.NewTool("needs"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		MarkMissing(ctx, mcp.ClientCapabilities{Sampling: &mcp.SamplingCapability{}})
		return mcp.NewToolResultError("not seen"), nil
	})
	s.AddTool(mcp.NewTool("asks"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return server.NewInputRequestBuilder("").Roots("where").ToolResult(), nil
	})
	s.AddTool(mcp.NewTool("notifies"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		for i := range 3 {
			if err := Notify(ctx, mcp.MethodNotificationProgress, map[string]any{"progress": i}); err != nil {
				return nil, err
			}
		}
		return mcp.NewToolResultText("notified"), nil
	})
	s.AddTool(mcp.NewTool("streams"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		err := Notify(ctx, mcp.MethodNotificationProgress, map[string]any{"progress": 1})
		<-ctx.Done()
		return mcp.NewToolResultText("cut"), err
	})
	s.AddTool(mcp.NewTool("counts"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		for {
			select {
			case <-ctx.Done():
				return mcp.NewToolResultText("cut"), nil
			case n, more := <-e.counts:
				if !more {
					return mcp.NewToolResultText("counted"), nil
				}
				if err := Notify(ctx, mcp.MethodNotificationProgress, map[string]any{"progressToken": "p", "progress": n}); err != nil {
					return nil, err
				}
			}
		}
	})
	s.AddTool(mcp.NewTool("client"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		session, ok := server.ClientSessionFromContext(ctx).(server.SessionWithClientInfo)
		if !ok {
			return nil, errors.New("no session")
		}
		return mcp.NewToolResultText(session.GetClientInfo().Name), nil
	})
	s.AddTool(mcp.NewTool("confirm"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		answer, err := s.RequestElicitation(ctx, mcp.ElicitationRequest{Params: mcp.ElicitationParams{
			Message: "Sure?", RequestedSchema: map[string]any{"type": "object", "properties": map[string]any{}},
		}})
		if err != nil {
			return nil, err
		}
		return mcp.NewToolResultText(string(answer.Action)), nil
	})
	s.AddResourceTemplate(mcp.NewResourceTemplate("test://{name}", "things"),
		func(ctx context.Context, _ mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			MarkNoResource(ctx)
			return nil, errors.New("no such thing")
		})
	s.EnableSampling()
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
	response, err := e.client.Do(r)
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
