package mcptools

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"
)

// The templates, the list and the contents, as mcp-go's client gets them.
func TestResources(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	w.must("send_message", args{"session_id": handle, "message": "hello", "wait_seconds": 20})
	w.host.show([]string{"$ make \x1b[1mtest"}, "")
	id := textAt(w.must("get_session_status", args{"session_id": handle}), "session", "session_id")
	ended := w.start("old-app")
	w.must("terminate_session", args{"session_id": ended})

	inEras(t, func(t *testing.T, version string) {
		c := w.dialEra("alice", version)
		templates, err := c.ListResourceTemplates(t.Context(), mcp.ListResourceTemplatesRequest{})
		if err != nil {
			t.Fatal(err)
		}
		var patterns []string
		for _, template := range templates.ResourceTemplates {
			patterns = append(patterns, template.URITemplate.Raw())
		}
		if want := []string{"host://{host}/status", "session://{session}/screen", "session://{session}/transcript"}; !slices.Equal(patterns, want) {
			t.Errorf("templates %v, want %v", patterns, want)
		}
		listed, err := c.ListResources(t.Context(), mcp.ListResourcesRequest{})
		if err != nil {
			t.Fatal(err)
		}
		var uris []string
		for _, resource := range listed.Resources {
			uris = append(uris, resource.URI)
		}
		want := []string{"host://" + string(w.host.id) + "/status", "session://" + id + "/transcript", "session://" + id + "/screen"}
		if diff := cmp.Diff(want, uris); diff != "" {
			t.Errorf("listed (-want +got):\n%s", diff)
		}
		for uri, content := range map[string]string{
			"session://" + id + "/transcript":         "you said: hello",
			"session://" + handle + "/transcript":     "you said: hello",
			"session://" + handle + "/screen":         "$ make test",
			"session://" + ended + "/transcript":      "Nothing was said or done yet.",
			"host://" + string(w.host.id) + "/status": `"online":true`,
			"host://macbook/status":                   `"host":"macbook"`,
		} {
			read, err := c.ReadResource(t.Context(), mcp.ReadResourceRequest{Params: mcp.ReadResourceParams{URI: uri}})
			if err != nil {
				t.Errorf("%s: %v", uri, err)
				continue
			}
			text, _ := read.Contents[0].(mcp.TextResourceContents)
			if !strings.Contains(text.Text, content) || strings.Contains(text.Text, "\x1b") || text.URI != uri {
				t.Errorf("%s: %+v, want %q in it", uri, text, content)
			}
			fenced := strings.Contains(text.Text, "untrusted data")
			if wanted := text.MIMEType == mimeText && !strings.Contains(uri, ended); fenced != wanted {
				t.Errorf("%s (%s) is marked as untrusted: %v", uri, text.MIMEType, fenced)
			}
		}
	})
}

func TestResourceCapabilities(t *testing.T) {
	w := newWorld(t)
	modern := w.rpc("alice", protocols[0], "server/discover", args{})
	legacy := w.rpc("alice", protocols[1], "initialize", args{"protocolVersion": protocols[1], "capabilities": args{}, "clientInfo": args{"name": "t", "version": "1"}})
	for _, answer := range []rpcAnswer{modern, legacy} {
		capabilities, _ := at(answer.Result, "capabilities").(map[string]any)
		want := map[string]any{"tools": map[string]any{}, "resources": map[string]any{"subscribe": true}, "prompts": map[string]any{}, "completions": map[string]any{}}
		for name := range want {
			if diff := cmp.Diff(want[name], capabilities[name]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
	for method, scope := range map[string]string{"resources/list": "private", "resources/templates/list": "public", "prompts/list": "public"} {
		if answer := w.rpc("alice", protocols[0], method, args{}); answer.Result["cacheScope"] != scope {
			t.Errorf("%s may be cached as %v, want %s: %s", method, answer.Result["cacheScope"], scope, answer.raw)
		}
	}
}

// Whatever a URI names that the caller cannot see, and whatever is none, gets one answer.
func TestOthersResources(t *testing.T) {
	w := newWorld(t)
	handle := w.start("secret-app")
	id := textAt(w.must("get_session_status", args{"session_id": handle}), "session", "session_id")
	var uris []string
	for _, name := range []string{id, handle, "secret-app", strings.ToUpper(id), id[:8], "nothing_z9z9", "..", "%2e%2e", "a%2Fb", "a/../" + id, "%00", "%zz", "", " ", id + "%0a", "alice@" + id, id + ":80"} {
		uris = append(uris, "session://"+name+"/transcript", "session://"+name+"/screen")
	}
	uris = append(uris, "host://"+string(w.host.id)+"/status", "host://macbook/status", "host://nothing/status", "host://../status",
		"session://"+id, "session://"+id+"/", "session://"+id+"/transcript/", "session://"+id+"/transcript?x=1", "session://"+id+"/transcript#x",
		"SESSION://"+id+"/transcript", "session:"+id+"/transcript", "file:///etc/passwd", "x", "session://"+strings.Repeat("a", 5000)+"/screen", "\u0000",
		"session://"+id+"/status", "host://macbook/screen", "session://ünïcode/screen")
	inEras(t, func(t *testing.T, version string) {
		code, status := mcp.INVALID_PARAMS, http.StatusBadRequest
		if !mcp.IsModernProtocol(version) {
			code, status = mcp.RESOURCE_NOT_FOUND, http.StatusOK
		}
		session := ""
		if !mcp.IsModernProtocol(version) {
			session = w.openSession("bob")
		}
		for _, uri := range uris {
			answers := []rpcAnswer{w.rpc("bob", version, "resources/read", args{"uri": uri})}
			if session != "" {
				answers = append(answers, w.inSession("bob", session, "resources/subscribe", args{"uri": uri}))
			}
			for _, answer := range answers {
				want := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"error":{"code":%d,"message":"resource not found","data":{"uri":%s}}}`, code, quoted(uri))
				if answer.status != status || strings.TrimSpace(answer.raw) != want {
					t.Errorf("%.80q: %d %.300s\nwant %d %.300s", uri, answer.status, answer.raw, status, want)
				}
			}
		}
		if listed := w.rpc("bob", version, "resources/list", args{}); len(listed.Result["resources"].([]any)) != 0 {
			t.Errorf("bob is shown %s", listed.raw)
		}
	})
}

func quoted(s string) string {
	text, _ := json.Marshal(s) // a string
	return string(text)
}

// openSession makes a legacy session and returns its id.
func (w *world) openSession(token string) string {
	w.t.Helper()
	opened := w.rpc(token, mcp.ProtocolVersion20251125, "initialize", args{
		"protocolVersion": mcp.ProtocolVersion20251125, "capabilities": args{}, "clientInfo": args{"name": "test", "version": "1"},
	})
	id := opened.header.Get(mcp.HeaderSessionID)
	if id == "" {
		w.t.Fatalf("no session: %d %s", opened.status, opened.raw)
	}
	return id
}

// inSession sends a request of a legacy session.
func (w *world) inSession(token, session, method string, params args) rpcAnswer {
	w.t.Helper()
	return w.post(token, http.Header{mcp.HeaderSessionID: {session}}, args{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

func TestResourceScopes(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	for _, test := range []struct {
		name, token, method string
		params              args
		lacking             string // empty: enough
	}{
		{"read a transcript", "alice.hosts_read", "resources/read", args{"uri": "session://" + handle + "/transcript"}, "sessions:read"},
		{"read one of nobody", "alice.hosts_read", "resources/read", args{"uri": "session://none/transcript"}, "sessions:read"},
		{"as ChatGPT", "alice-chatgpt.hosts_read", "resources/read", args{"uri": "session://" + handle + "/screen"}, "sessions:read"},
		{"read a host", "alice.sessions_read", "resources/read", args{"uri": "host://macbook/status"}, "hosts:read"},
		{"with the scope", "alice.sessions_read", "resources/read", args{"uri": "session://" + handle + "/transcript"}, ""},
		{"start a conversation", "alice.hosts_read", "prompts/get", args{"name": "whats_stuck"}, "sessions:read"},
		{"listen", "alice.sessions_read", "subscriptions/listen", args{"notifications": args{"resourceSubscriptions": []string{
			"session://" + handle + "/transcript", "host://macbook/status"}}}, "hosts:read"},
		{"subscribe", "alice.sessions_read", "resources/subscribe", args{"uri": "host://macbook/status"}, "hosts:read"},
	} {
		for _, version := range protocols {
			if test.method == "subscriptions/listen" && version != protocols[0] || test.method == "resources/subscribe" && version == protocols[0] {
				continue
			}
			t.Run(test.name+" "+version, func(t *testing.T) {
				answer := w.rpc(test.token, version, test.method, test.params)
				challenge := answer.header.Get("WWW-Authenticate")
				if test.lacking == "" {
					if answer.status != http.StatusOK || answer.Error.Code != 0 {
						t.Errorf("%d %s", answer.status, answer.raw)
					}
					return
				}
				if answer.status != http.StatusForbidden || !strings.Contains(challenge, `error="insufficient_scope"`) ||
					!strings.Contains(challenge, "needs the scope "+test.lacking) {
					t.Errorf("%d %q %s", answer.status, challenge, answer.raw)
				}
			})
		}
	}
	for token, count := range map[string]int{"alice.sessions_read": 2, "alice.hosts_read": 1, "alice.sessions_write": 0} {
		if listed := w.rpc(token, protocols[0], "resources/list", args{}); len(listed.Result["resources"].([]any)) != count {
			t.Errorf("%s is shown %s, want %d", token, listed.raw, count)
		}
	}
}

func TestResourceListPages(t *testing.T) {
	w := newWorld(t)
	var want []string
	for i := range sessionsPerPage + 3 {
		want = append(want, w.start(fmt.Sprintf("app-%02d", i))+"/transcript")
	}
	slices.Reverse(want) // newest first
	inEras(t, func(t *testing.T, version string) {
		var got []string
		params := args{}
		for pages := 1; ; pages++ {
			page := w.rpc("alice", version, "resources/list", params)
			for _, resource := range page.Result["resources"].([]any) {
				if name := textAt(resource, "name"); strings.HasSuffix(name, "/transcript") {
					got = append(got, name)
				}
			}
			next := textAt(page.Result, "nextCursor")
			if next == "" {
				if pages != 2 {
					t.Errorf("%d pages, want 2", pages)
				}
				break
			}
			params = args{"cursor": next}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		for _, cursor := range []string{"x", "eA==", "cw==x", "c3g=", "!", strings.Repeat("A", 3000)} {
			if answer := w.rpc("alice", version, "resources/list", args{"cursor": cursor}); answer.Error.Code != mcp.INVALID_PARAMS {
				t.Errorf("cursor %.20s: %d %s", cursor, answer.status, answer.raw)
			}
		}
	})
}

func TestLongTranscript(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	for range 4 {
		w.must("send_message", args{"session_id": handle, "message": strings.Repeat("long ", 8000), "wait_seconds": 20})
	}
	answer := w.rpc("alice", protocols[0], "resources/read", args{"uri": "session://" + handle + "/transcript"})
	text := textAt(answer.Result, "contents", 0, "text")
	if len(text) > maxOutput+1000 || !strings.Contains(text, "Older entries are left out") {
		t.Errorf("%d bytes, ends %.200s", len(text), text[max(0, len(text)-200):])
	}
}

// A host that is away and a store that is away are told apart from what does not exist.
func TestUnavailableResources(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	w.host.leave()
	away := w.rpc("alice", protocols[1], "resources/read", args{"uri": "session://" + handle + "/screen"})
	if away.Error.Code != mcp.INTERNAL_ERROR || !strings.Contains(away.Error.Message, "offline") {
		t.Errorf("host away: %d %s", away.status, away.raw)
	}
	w.wire.cut()
	defer w.wire.mend()
	for method, params := range map[string]args{
		"resources/read": {"uri": "session://" + handle + "/transcript"}, "resources/list": {}, "prompts/get": {"name": "whats_stuck"},
		"completion/complete": {"ref": args{"type": "ref/prompt", "name": "review_changes"}, "argument": args{"name": "session", "value": ""}},
	} {
		answer := w.rpc("alice", protocols[1], method, params)
		if answer.status != http.StatusServiceUnavailable || answer.header.Get("Retry-After") == "" || answer.Error.Message != unavailableError {
			t.Errorf("%s without its store: %d %s", method, answer.status, answer.raw)
		}
	}
}

// FuzzResourceURI looks for a URI that is taken although it is not the one spelling of what it names.
func FuzzResourceURI(f *testing.F) {
	for _, seed := range []string{
		"session://web-app_x7y8/transcript", "session://6e0b0a36-8f3c-4a57-9f3e-0d3b8f1f2a11/screen", "host://my%20mac/status", "host://a+b/status",
		"session://%2e%2e/transcript", "session://a%2fb/screen", "session:///screen", "session://a/transcript/transcript", "session://\x00/screen", "session://0 /transcript",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		kind, name, ok := kindOf(uri)
		if !ok {
			if kind.Name != "" || name != "" {
				t.Errorf("%q: refused, and yet %q of %q", uri, name, kind.Name)
			}
			return
		}
		if strings.ContainsAny(name, "/\\%?#@:\x00\n") || strings.HasPrefix(name, ".") || name == "" || len(uri) > maxURI {
			t.Errorf("%q: took %q", uri, name)
		}
		again, same, ok := kindOf(kind.uri.of(name))
		if !ok || same != name || again.Name != kind.Name {
			t.Errorf("%q: %q became %q", uri, kind.uri.of(name), same)
		}
		if !matches(kind, uri) {
			t.Errorf("mcp-go would not find %q by %s", uri, kind.uri.template())
		}
	})
}

// matches reports whether mcp-go hands the URI to the kind.
func matches(kind resourceKind, uri string) bool {
	return kind.listing().URITemplate.Regexp().MatchString(uri)
}
