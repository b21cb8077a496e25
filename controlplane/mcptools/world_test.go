package mcptools

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"switchboard/auth"
	"switchboard/controlplane/dispatch"
	"switchboard/controlplane/embedded/pgtest"
	"switchboard/controlplane/fleet"
	"switchboard/controlplane/mcphttp"
	"switchboard/controlplane/postgres"
	"switchboard/hostagent/protocol"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// world is the real way of a call: HTTP, mcphttp, mcp-go, the tools, fleet, PostgreSQL, NATS; and at its end a
// scripted host that belongs to alice.
type world struct {
	t     *testing.T
	fleet *fleet.Fleet
	url   string
	host  *scriptedHost
	conn  *nats.Conn
	wire  *wire

	revoked sync.Map // tokens
}

func everything() auth.Scopes { return auth.AllScopes() }

// testCaller is who a token stands for: alice, alice-chatgpt, or with fewer scopes alice.sessions_read.hosts_read.
func testCaller(token auth.Secret) (auth.Caller, error) {
	name, scopes, narrowed := strings.Cut(string(token), ".")
	name, client, _ := strings.Cut(name, "-")
	caller := auth.Caller{User: auth.UserID(name), UserName: name, Role: auth.RoleMember, ClientID: "claude", Client: "Claude", Scopes: everything()}
	if client == "chatgpt" {
		caller.ClientID = "https://chatgpt.com/oauth/client.json"
	}
	if narrowed {
		caller.Scopes = nil
		for scope := range strings.SplitSeq(scopes, ".") {
			caller.Scopes = append(caller.Scopes, auth.Scope(strings.ReplaceAll(scope, "_", ":")))
		}
	}
	if name != "alice" && name != "bob" {
		return auth.Caller{}, auth.ErrInvalidToken
	}
	return caller, nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t}
	databaseURL := pgtest.New(t)
	w.addUsers(databaseURL, "alice", "bob")
	w.wire = newWire(t, databaseURL)
	w.conn = startNATS(t)
	w.serve()
	w.host = w.enrol("macbook", "alice")
	return w
}

// replica is another control plane on the same database and bus.
func (w *world) replica() *world {
	w.t.Helper()
	other := &world{t: w.t, wire: w.wire, conn: w.conn, host: w.host}
	other.serve()
	return other
}

// serve starts a control plane.
func (w *world) serve() {
	t := w.t
	t.Helper()
	db, err := postgres.Open(t.Context(), w.wire.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	log := slog.New(slog.NewTextHandler(testLog{t}, nil))
	ts := httptest.NewUnstartedServer(nil)
	w.url = "http://" + ts.Listener.Addr().String()
	w.fleet = &fleet.Fleet{
		Store: db, Audit: db.Append, Hosts: dispatch.Hosts{Conn: w.conn}, Changes: dispatch.Changes{Conn: w.conn},
		PublicURL: w.url, Log: log, Now: time.Now,
	}
	questions := boxOf(t, 1)
	desk := &Desk{
		Fleet: w.fleet, Log: log, Caller: mcphttp.CallerFrom, Unavailable: mcphttp.MarkUnavailable,
		Questions: questions, Notify: mcphttp.Notify, Missing: mcphttp.MarkMissing, NoResource: mcphttp.MarkNoResource,
		Failed: mcphttp.MarkFailed,
	}
	handler, err := mcphttp.New(mcphttp.Config{
		PublicURL: w.url, MCP: desk.Server("test"), Scopes: everything(), Log: log, Needs: Needs(), Stream: desk.Stream,
		Methods: desk.Methods(), Capabilities: Capabilities(),
		Watch: (&auth.Changes{}).Watch, Sessions: db,
		Bearer: func(_ context.Context, token auth.Secret, _ string) (auth.Caller, error) {
			if _, revoked := w.revoked.Load(token); revoked {
				return auth.Caller{}, auth.ErrInvalidToken
			}
			return testCaller(token)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ts.Config.Handler = handler
	ts.Start()
	t.Cleanup(func() {
		if err := handler.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		ts.Close()
	})
}

// testLog shows the server's log with the test's output.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("%s", strings.TrimSpace(string(p)))
	return len(p), nil
}

func (w *world) addUsers(databaseURL string, names ...string) {
	conn, err := pgx.Connect(w.t.Context(), databaseURL)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = conn.Close(w.t.Context()) }() // the work is done
	for _, name := range names {
		_, err := conn.Exec(w.t.Context(), `
			INSERT INTO users (id, name, display_name, role, password_hash)
			VALUES ($1, $1, $1, 'member', 'none')`, name)
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func startNATS(t *testing.T) *nats.Conn {
	t.Helper()
	s, err := natsserver.NewServer(&natsserver.Options{DontListen: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	conn, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// manager is a person at the web pages.
func manager(user auth.UserID) auth.Caller {
	scopes := auth.Scopes{auth.ScopeSessionsRead, auth.ScopeHostsRead, auth.ScopeManage}
	return auth.Caller{User: user, UserName: string(user), Role: auth.RoleMember, Scopes: scopes}
}

// enrol makes a host that has said hello.
func (w *world) enrol(name string, owner auth.UserID) *scriptedHost {
	w.t.Helper()
	key, err := nkeys.CreateUser()
	if err != nil {
		w.t.Fatal(err)
	}
	public, err := key.PublicKey()
	if err != nil {
		w.t.Fatal(err)
	}
	token, err := w.fleet.CreateJoinToken(w.t.Context(), manager(owner), name)
	if err != nil {
		w.t.Fatal(err)
	}
	host, err := w.fleet.Enrol(w.t.Context(), fleet.Enrolment{Token: token.Token, NKey: public}, "127.0.0.1")
	if err != nil {
		w.t.Fatal(err)
	}
	h := &scriptedHost{world: w, id: host.ID, sessions: map[protocol.SessionID]*protocol.Session{}}
	h.listen()
	return h
}

// result is a tools/call's answer.
type result struct {
	status     int
	header     http.Header
	raw        string
	code       int // of a JSON-RPC error
	isError    bool
	text       string
	structured map[string]any
	meta       map[string]any
}

// call calls a tool as the token's person, without initialize, as ChatGPT does.
func (w *world) call(token, tool string, arguments any) result {
	w.t.Helper()
	text, err := json.Marshal(arguments)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.callRaw(token, tool, string(text))
}

func (w *world) callRaw(token, tool, arguments string) result {
	w.t.Helper()
	return w.callRawParams(token, `"name":"`+tool+`","arguments":`+arguments)
}

func (w *world) callRawParams(token, params string) result {
	w.t.Helper()
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + params + `}}`
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/mcp", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.read(response, string(answer))
}

func (w *world) read(response *http.Response, answer string) result {
	w.t.Helper()
	got := result{status: response.StatusCode, header: response.Header, raw: answer}
	var envelope struct {
		Error  json.RawMessage
		Result struct {
			IsError           bool
			Content           []struct{ Type, Text string }
			StructuredContent map[string]any
			Meta              map[string]any `json:"_meta"`
		}
	}
	if err := json.Unmarshal([]byte(answer), &envelope); err != nil {
		w.t.Fatalf("answer %d %s: %v", response.StatusCode, answer, err)
	}
	var rpcError struct{ Code int }
	_ = json.Unmarshal(envelope.Error, &rpcError) // of an HTTP error it is a word
	got.code, got.isError = rpcError.Code, envelope.Result.IsError
	got.structured, got.meta = envelope.Result.StructuredContent, envelope.Result.Meta
	if len(envelope.Result.Content) == 1 && envelope.Result.Content[0].Type == "text" {
		got.text = envelope.Result.Content[0].Text
	}
	return got
}

// must calls a tool as alice and wants its structured answer.
func (w *world) must(tool string, arguments any) map[string]any {
	w.t.Helper()
	got := w.call("alice", tool, arguments)
	if got.status != http.StatusOK || got.isError || got.code != 0 {
		w.t.Fatalf("%s: %d %s", tool, got.status, got.raw)
	}
	return got.structured
}

// args are a call's arguments.
type args map[string]any

// at reads a value inside an answer: at(answer, "session", "handle").
func at(value any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[step]
		case int:
			list, _ := value.([]any)
			if step >= len(list) {
				return nil
			}
			value = list[step]
		}
	}
	return value
}

func textAt(value any, path ...any) string {
	s, _ := at(value, path...).(string)
	return s
}

// start makes a session on the scripted host and returns its handle.
func (w *world) start(name string) string {
	w.t.Helper()
	created := w.must("create_session", args{"name": name, "working_dir": "/src/" + name})
	return textAt(created, "session", "handle")
}
