package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/auth/outbound/outboundtest"
	"switchboard/controlplane/e2e/harness"
	"switchboard/controlplane/embedded/pgtest"
)

// The clients that people use, as they really behave: how each finds the server, registers, logs in, and speaks. The
// documents are in auth/testdata/documents; what else they do is written down with each.

// site is a whole control plane in this process, in an internet in which the clients' documents are.
type site struct {
	url      string
	internet *outboundtest.Internet
	browser  *harness.Browser // of its first administrator
	logs     *said            // warnings and errors
}

func newSite(t testing.TB) *site {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{
		url:      "http://" + listener.Addr().String(),
		internet: outboundtest.New(t, "chatgpt.com", "claude.ai", "vscode.dev", "hooks.chatgpt.com"),
		logs:     &said{},
	}
	_ = listener.Close()
	ctx, stop := context.WithCancel(t.Context())
	up, done := make(chan *plane), make(chan error, 1)
	said := &said{}
	env := environment{ctx: ctx, stdout: said, log: slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	c := config{database: database{location: location{Data: t.TempDir()}, DatabaseURL: pgtest.New(t)}, Listen: s.url[len("http://"):]}
	go func() {
		done <- serve(env, c, func(ctx context.Context, p *plane) error {
			s.internet.Reach(p.outbound)
			up <- p
			<-ctx.Done()
			return nil
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	select {
	case <-up:
	case err := <-done:
		done <- err
		t.Fatal(err)
	}
	if s.browser, err = harness.NewBrowser(s.url, "alice", "correct horse battery staple"); err != nil {
		t.Fatal(err)
	}
	if err := s.browser.Join(t.Context(), said.link(t)); err != nil {
		t.Fatal(err)
	}
	return s
}

// said is what a control plane prints.
type said struct {
	mu   sync.Mutex // guards the field below
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// link is the one that makes the first administrator.
func (s *said) link(t testing.TB) string {
	t.Helper()
	for _, word := range strings.Fields(s.String()) {
		if strings.Contains(word, "/invite/") {
			return word
		}
	}
	t.Fatalf("no link in %q", s)
	return ""
}

// publish puts a client's document up, and returns the client's id.
func (s *site) publish(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "auth", "testdata", "documents", name))
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		ClientID string `json:"client_id"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	s.internet.Put(document.ClientID, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text)
	})
	return document.ClientID
}

// client is one of them, after it has discovered the server.
func (s *site) client(t testing.TB, redirect string) *harness.OAuth {
	t.Helper()
	o := &harness.OAuth{MCP: s.url + "/mcp", Browser: s.browser, Redirect: redirect}
	if err := o.Discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	return o
}

func connect(t testing.TB, o *harness.OAuth) harness.Tokens {
	t.Helper()
	code, err := o.Authorize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := o.Redeem(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

const modernVersion = "2026-07-28"

// modern sends a request of 2026-07-28, as ChatGPT does.
func (s *site) modern(t *testing.T, token, method, name string, params map[string]any) *harness.Answer {
	t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	params["_meta"] = map[string]any{
		"io.modelcontextprotocol/protocolVersion": modernVersion, "io.modelcontextprotocol/clientCapabilities": map[string]any{},
		"io.modelcontextprotocol/clientInfo": map[string]any{"name": "openai-mcp", "version": "1.0.0"},
		"openai/subject":                     "v1/opaque",
	}
	header := http.Header{
		"Mcp-Protocol-Version": {modernVersion}, "Mcp-Method": {method},
		"User-Agent": {"openai-mcp/1.0.0"}, "X-Openai-Session": {"v1/session"},
	}
	if name != "" {
		header["Mcp-Name"] = []string{name}
	}
	return s.send(t, token, method, params, header)
}

func (s *site) send(t *testing.T, token, method string, params map[string]any, header http.Header) *harness.Answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := harness.SendWith(t.Context(), s.url+"/mcp", token, body, header)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func call(tool string, arguments map[string]any) map[string]any {
	return map[string]any{"name": tool, "arguments": arguments}
}

// ChatGPT: a metadata document, the stable redirect since the server says iss; server/discover, then 2026-07-28
// without sessions, or tools/call without initialize; refreshes shortly before the end, several at once; revokes on
// Disconnect (mcp-oauth.md section 2).
func TestChatGPT(t *testing.T) {
	s := newSite(t)
	o := s.client(t, "https://chatgpt.com/connector_platform_oauth_redirect")
	if !o.Server.IssInResponse {
		t.Fatal("without iss ChatGPT uses another redirect")
	}
	o.ClientID = s.publish(t, "chatgpt.json")
	o.Scope = "sessions:read hosts:read"
	tokens := connect(t, o)
	if tokens.Refresh == "" {
		t.Error("no refresh token: ChatGPT would lose access in half an hour")
	}

	t.Run("modern", func(t *testing.T) {
		discovered := s.modern(t, tokens.Access, "server/discover", "", nil)
		if discovered.Status != 200 || !bytes.Contains(discovered.Body, []byte(`"events":{}`)) {
			t.Errorf("discover: %d %s", discovered.Status, discovered.Body)
		}
		listed := s.modern(t, tokens.Access, "tools/list", "", nil)
		if !bytes.Contains(listed.Body, []byte(`"securitySchemes":[{"type":"oauth2"`)) {
			t.Errorf("tools/list: %d %.300s", listed.Status, listed.Body)
		}
		if profile := s.modern(t, tokens.Access, "tools/call", "get_profile", call("get_profile", nil)); !bytes.Contains(profile.Body, []byte(`"resultType":"complete"`)) || profile.Result.IsError {
			t.Errorf("get_profile: %d %s", profile.Status, profile.Body)
		}
	})
	t.Run("legacy without initialize", func(t *testing.T) {
		found := s.send(t, tokens.Access, "tools/call", call("search", map[string]any{"query": "web-app"}), nil)
		if found.Status != 200 || found.Text() != `{"results":[]}` {
			t.Errorf("search: %d %s", found.Status, found.Text())
		}
	})
	t.Run("step-up in the tool's result", func(t *testing.T) {
		refused := s.modern(t, tokens.Access, "tools/call", "send_message",
			call("send_message", map[string]any{"session_id": "web-app", "message": "hello"}))
		if refused.Status != 200 || !refused.Result.IsError || !bytes.Contains(refused.Body, []byte(`"mcp/www_authenticate":["Bearer `)) ||
			!bytes.Contains(refused.Body, []byte(`sessions:write`)) {
			t.Errorf("send_message: %d %s", refused.Status, refused.Body)
		}
		o.Scope = "sessions:read hosts:read sessions:write"
		more := connect(t, o)
		if answer := s.modern(t, more.Access, "tools/call", "send_message",
			call("send_message", map[string]any{"session_id": "web-app", "message": "hello"})); !strings.Contains(answer.Text(), "no session") {
			t.Errorf("send_message with the scope: %d %s", answer.Status, answer.Body)
		}
	})
	t.Run("refreshes at once", func(t *testing.T) {
		got := make([]harness.Tokens, 8)
		var group sync.WaitGroup
		for i := range got {
			group.Go(func() {
				var err error
				if got[i], err = o.RefreshTokens(t.Context(), tokens.Refresh); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for _, other := range got {
			if other.Access != got[0].Access || other.Refresh != got[0].Refresh {
				t.Error("parallel refreshes lead to different tokens")
			}
		}
		tokens = got[0]
	})
	t.Run("is woken", func(t *testing.T) { s.chatGPTSubscribes(t, tokens.Access) })
	t.Run("disconnects", func(t *testing.T) {
		if err := o.Revoke(t.Context(), tokens.Refresh); err != nil {
			t.Fatal(err)
		}
		if answer := s.modern(t, tokens.Access, "server/discover", "", nil); answer.Status != http.StatusUnauthorized {
			t.Errorf("after Disconnect: %d", answer.Status)
		}
	})
}

// chatGPTSubscribes does what ChatGPT does when its user asks to be told (MCP Events).
func (s *site) chatGPTSubscribes(t *testing.T, token string) {
	const callback, secret = "https://hooks.chatgpt.com/mcp/1", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	listed := s.modern(t, token, "events/list", "", nil)
	for _, name := range []string{"session.needs_answer", "session.finished", "session.ended"} {
		if !bytes.Contains(listed.Body, []byte(`"name":"`+name+`"`)) {
			t.Errorf("events/list: %d %s", listed.Status, listed.Body)
		}
	}
	subscription := func() map[string]any {
		return map[string]any{
			"name": "session.needs_answer", "arguments": map[string]any{}, "cursor": nil, "ttlMs": 3_600_000,
			"delivery": map[string]any{"mode": "webhook", "url": callback, "secret": secret},
		}
	}
	if refused := s.modern(t, token, "events/subscribe", "", subscription()); refused.Error == nil || refused.Error.Code != -32015 {
		t.Errorf("an endpoint that is not there: %d %s", refused.Status, refused.Body)
	}
	s.internet.Put(callback, func(w http.ResponseWriter, r *http.Request) {
		var said struct{ Challenge string }
		if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
			t.Error(err)
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"challenge": said.Challenge})
	})
	var first, again struct {
		Result struct {
			ID            string
			RefreshBefore time.Time
		}
	}
	for _, into := range []any{&first, &again} {
		answer := s.modern(t, token, "events/subscribe", "", subscription())
		if answer.Status != 200 || json.Unmarshal(answer.Body, into) != nil {
			t.Fatalf("events/subscribe: %d %s", answer.Status, answer.Body)
		}
	}
	if left := time.Until(first.Result.RefreshBefore); first.Result.ID == "" || first.Result.ID != again.Result.ID || left > time.Hour || left < 50*time.Minute {
		t.Errorf("subscribed as %+v and %+v", first, again)
	}
	if n := s.internet.Asked(callback); n != 2 {
		t.Errorf("the endpoint was asked %d times, want once before it was there and once after", n)
	}
	for i, code := range []int{0, -32011} {
		answer := s.modern(t, token, "events/unsubscribe", "", subscription())
		if got := answer.Error; (got == nil) != (code == 0) || got != nil && got.Code != code {
			t.Errorf("events/unsubscribe for the %d. time: %d %s", i+1, answer.Status, answer.Body)
		}
	}
}

// Claude, on the web and the desktop: its document if the server serves those and public clients, dynamic
// registration otherwise; offline_access if it is offered; 2025-11-25 with a session.
func TestClaude(t *testing.T) {
	s := newSite(t)
	const redirect = "https://claude.ai/api/mcp/auth_callback"
	for name, register := range map[string]func(*testing.T, *harness.OAuth){
		"by its document": func(t *testing.T, o *harness.OAuth) { o.ClientID = s.publish(t, "claude.json") },
		"by registration": registers,
	} {
		t.Run(name, func(t *testing.T) {
			o := s.client(t, redirect)
			o.AllScopes()
			register(t, o)
			tokens := connect(t, o)
			if !strings.Contains(tokens.Scope, "offline_access") || tokens.Refresh == "" {
				t.Errorf("granted %q", tokens.Scope)
			}
			s.works(t, tokens)
			next, err := o.RefreshTokens(t.Context(), tokens.Refresh)
			if err != nil {
				t.Fatal(err)
			}
			s.works(t, next)
		})
	}
}

// Programs on the person's own computer.
func TestProgramsOnThisComputer(t *testing.T) {
	s := newSite(t)
	for _, test := range []struct {
		name, document string // without a document: dynamic registration
		redirects      []string
	}{
		// Listens on a port of the system's choosing; its document has none.
		{"Claude Code", "claude-code.json", []string{"http://localhost:3118/callback", "http://localhost:54545/callback", "http://127.0.0.1:3118/callback"}},
		{"Claude Code, registered", "", []string{"http://localhost:3118/callback"}},
		// With and without the slash; the page on the web hands over to the program.
		{"VS Code", "vscode.json", []string{"http://127.0.0.1:33418/", "http://127.0.0.1:33419/", "https://vscode.dev/redirect"}},
		{"VS Code, registered", "", []string{"http://127.0.0.1:33418"}},
		{"Cursor", "", []string{"cursor://anysphere.cursor-mcp/oauth/callback"}},
		{"Cursor, by a port", "", []string{"http://localhost:8787/callback"}},
		{"Inspector", "", []string{"http://127.0.0.1:6276/oauth/callback"}},
		{"Gemini CLI", "", []string{"http://localhost:7777/oauth/callback"}},
	} {
		for _, redirect := range test.redirects {
			t.Run(fmt.Sprintf("%s at %s", test.name, redirect), func(t *testing.T) {
				o := s.client(t, redirect)
				if test.document == "" {
					registers(t, o)
				} else {
					o.ClientID = s.publish(t, test.document)
				}
				s.works(t, connect(t, o))
			})
		}
	}
}

func registers(t *testing.T, o *harness.OAuth) {
	t.Helper()
	if err := o.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// works uses tokens over a session of the protocol before 2026-07-28, as all of these do.
func (s *site) works(t *testing.T, tokens harness.Tokens) {
	t.Helper()
	connection, err := harness.Dial(t.Context(), s.url+"/mcp", tokens.Access, harness.Legacy)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	if err := connection.Call(t.Context(), "list_sessions", nil, nil); err != nil {
		t.Error(err)
	}
}
