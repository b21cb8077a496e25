package mcptools

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/controlplane/fleet"
)

// nameless are arguments that name nothing of anybody's.
var nameless = []string{
	"name", "working_dir", "agent", "permission_mode", "message", "view", "response", "query", "path", "until", "state", "when_busy",
}

// secrets is what alice has, by the argument that names such a thing.
func (w *world) secrets(t *testing.T) map[string][]string {
	t.Helper()
	handle := w.start("secret-app")
	sent := w.must("send_message", args{"session_id": handle, "message": "ask the zebra", "wait_seconds": 20, "idempotency_key": "alices-key"})
	asked := w.must("check_prompts", args{})
	id, prompt := textAt(asked, "prompts", 0, "session_id"), textAt(asked, "prompts", 0, "prompt_id")
	template := fleet.Template{Name: "nightly", WorkingDir: "/src", Host: w.host.id}
	if err := w.fleet.SaveTemplate(t.Context(), manager("alice"), template); err != nil {
		t.Fatal(err)
	}
	sessions, hosts := []string{id, handle, "secret-app", id[:8]}, []string{string(w.host.id), "macbook"}
	return map[string][]string{
		"session_id": sessions, "session": sessions, "id": append([]string{handle + ":1"}, sessions...), "prompt_id": {prompt}, "host": hosts, "message_id": {textAt(sent, "message_id")},
		"template": {"nightly"}, "cursor": {id, handle + ":1"}, "idempotency_key": {"alices-key"}, "task": {"zebra"}, "since": {"zebra"},
	}
}

// absent is a name like another, which nobody has.
func absent(ref string) string {
	named, entry, isEntry := strings.Cut(ref, ":")
	named = strings.Map(func(r rune) rune {
		if r == '-' || r == '_' {
			return r
		}
		return 'e'
	}, named)
	if isEntry {
		named += ":" + entry
	}
	return named
}

// wantSame wants one and the same answer for what is alice's and for what nobody has, but for the name itself.
func wantSame(t *testing.T, what, ref string, answer func(ref string) (status int, header http.Header, raw string)) {
	t.Helper()
	status, header, raw := answer(ref)
	status0, header0, raw0 := answer(absent(ref))
	unnamed := func(raw, ref string) string {
		named, _, _ := strings.Cut(ref, ":")
		return strings.ReplaceAll(raw, named, "<ref>")
	}
	if got, want := unnamed(raw, ref), unnamed(raw0, absent(ref)); got != want || status != status0 {
		t.Errorf("%s tells alice's %q from nobody's:\n%d %s\n%d %s", what, ref, status, got, status0, want)
	}
	for _, h := range []http.Header{header, header0} {
		for _, name := range []string{"Date", "Content-Length"} {
			h.Del(name)
		}
	}
	if diff := cmp.Diff(header0, header); diff != "" {
		t.Errorf("%s: the headers differ:\n%s", what, diff)
	}
	if strings.Contains(raw, "zebra") && ref != "zebra" {
		t.Errorf("%s with %q shows %s", what, ref, raw)
	}
}

// TestTenants has bob name what is alice's in every argument of every tool, prompt, resource, completion and event. An
// argument that is in neither list fails the test.
func TestTenants(t *testing.T) {
	w := newWorld(t)
	secrets := w.secrets(t)
	refs := func(t *testing.T, of, name string) []string {
		if slices.Contains(nameless, name) {
			return nil
		}
		if len(secrets[name]) == 0 {
			t.Errorf("%s: what may %s name? It is in no list", of, name)
		}
		return secrets[name]
	}
	for _, tool := range Tools() {
		for _, f := range tool.input.fields {
			if f.kind.String() != "string" {
				continue
			}
			for _, ref := range refs(t, tool.Name, f.name) {
				wantSame(t, tool.Name+"'s "+f.name, ref, func(ref string) (int, http.Header, string) {
					got := w.callRaw("bob", tool.Name, tool.goodBut(f.name, quoted(ref)))
					return got.status, got.header, got.raw
				})
			}
		}
	}
	inEras(t, func(t *testing.T, version string) {
		ask := func(method string, params func(ref string) args) func(string) (int, http.Header, string) {
			return func(ref string) (int, http.Header, string) {
				got := w.rpc("bob", version, method, params(ref))
				return got.status, got.header, got.raw
			}
		}
		for _, starter := range Starters() {
			for _, argument := range starter.input.fields {
				for _, ref := range refs(t, starter.Name, argument.name) {
					wantSame(t, starter.Name+"'s "+argument.name, ref, ask("prompts/get", func(ref string) args {
						return args{"name": starter.Name, "arguments": args{argument.name: ref}}
					}))
					wantSame(t, "completing "+starter.Name+"'s "+argument.name, ref, ask("completion/complete", func(ref string) args {
						return args{"ref": args{"type": "ref/prompt", "name": starter.Name}, "argument": args{"name": argument.name, "value": ref}}
					}))
				}
			}
		}
		for _, kind := range resourceKinds() {
			name, template := kind.uri.variable, kind.uri.template()
			for _, ref := range refs(t, template, name) {
				methods := []string{"resources/read"}
				if !mcp.IsModernProtocol(version) {
					methods = append(methods, "resources/subscribe", "resources/unsubscribe")
				}
				for _, method := range methods {
					wantSame(t, method+" "+template, ref, ask(method, func(ref string) args { return args{"uri": strings.ReplaceAll(template, "{"+name+"}", ref)} }))
				}
				wantSame(t, "completing "+template, ref, ask("completion/complete", func(ref string) args {
					return args{"ref": args{"type": "ref/resource", "uri": template}, "argument": args{"name": name, "value": ref}}
				}))
			}
		}
	})
	w.tenantsOfEvents(t, secrets)
	if got := w.state(secrets["session_id"][1]); got != "waiting" {
		t.Errorf("alice's session is %s", got)
	}
}

// tenantsOfEvents does so with the arguments of subscriptions.
func (w *world) tenantsOfEvents(t *testing.T, secrets map[string][]string) {
	t.Helper()
	for _, method := range slices.Sorted(maps.Keys(new(Desk).Methods())) {
		for _, name := range []string{"session_id", "host"} {
			for _, ref := range secrets[name] {
				wantSame(t, fmt.Sprintf("%s's %s", method, name), ref, func(ref string) (int, http.Header, string) {
					got := w.rpc("bob", mcp.ProtocolVersion20260728, method, args{
						"name": "session.ended", "arguments": args{name: ref},
						"delivery": args{"mode": "webhook", "url": "https://hooks.example/1", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
					})
					return got.status, got.header, got.raw
				})
			}
		}
	}
}

// TestIdempotencyKeysAreOnesOwn has bob repeat alice's key: he gets no answer of hers.
func TestIdempotencyKeysAreOnesOwn(t *testing.T) {
	w := newWorld(t)
	hers := textAt(w.must("create_session", args{"name": "a", "working_dir": "/src/a", "idempotency_key": "k"}), "session", "handle")
	again := textAt(w.must("create_session", args{"name": "a", "working_dir": "/src/a", "idempotency_key": "k"}), "session", "handle")
	if hers == "" || again != hers {
		t.Fatalf("sessions %q and %q", hers, again)
	}
	w.host = w.enrol("thinkpad", "bob")
	got := w.call("bob", "create_session", args{"name": "a", "working_dir": "/src/a", "idempotency_key": "k"})
	if got.isError || textAt(got.structured, "session", "handle") == hers || strings.Contains(got.raw, hers) {
		t.Errorf("bob got %s", got.raw)
	}
}
