package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"switchboard/controlplane/e2e/harness"
)

// TestBadInput gives the product what it must refuse, and wants a sentence that says why; nothing may be typed.
func TestBadInput(t *testing.T) {
	w := newWorld(t)
	mac := w.addHost(t, w.admin, "studio")
	s := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})

	t.Run("session", func(t *testing.T) {
		for _, ref := range []string{"nobody", "web-app_zzzz", "00000000-0000-4000-8000-000000000000", "../../etc", "%", "web"} {
			w.admin.wantRefusal(t, "get_session_status", args{"session_id": ref}, "session")
		}
		other := w.admin.start(t, args{"name": "web-app", "working_dir": mac.Project()})
		w.admin.wantRefusal(t, "send_message", args{"session_id": "web-app", "message": "hi"}, s.Handle, other.Handle)
		must(t, w.admin.Call(t.Context(), "terminate_session", args{"session_id": other.ID}, nil))
		awaitState(t, w.admin, other.ID, "exited")
		w.admin.wantRefusal(t, "send_message", args{"session_id": other.ID, "message": "hi"}, "exited")
	})
	t.Run("directory", func(t *testing.T) {
		link := filepath.Join(mac.Home.Dir, "way-out")
		must(t, os.Symlink("/etc", link))
		for dir, why := range map[string]string{
			"/etc":                "policy",
			"~/../../../etc":      "policy",
			"~/way-out":           "policy",
			"~/no-such":           "exist",
			"~/web-app/README.md": "directory",
			"relative/path":       "working_dir",
		} {
			w.admin.wantRefusal(t, "create_session", args{"name": "bad", "working_dir": dir}, why)
		}
		w.admin.wantRefusal(t, "create_session", args{"name": "bad", "working_dir": "~", "permission_mode": "bypassPermissions"}, "policy")
		w.admin.wantRefusal(t, "create_session", args{"name": "bad", "working_dir": "~", "agent": "eliza"}, "eliza")
		w.admin.wantRefusal(t, "create_session", args{"name": "bad", "host": "nowhere"}, "host")
		if got := w.admin.sessions(t, args{"state": "idle"}); len(got) != 1 {
			t.Errorf("sessions after refusals: %+v", got)
		}
	})
	t.Run("message", func(t *testing.T) {
		before := len(w.scripts.Prompts())
		w.admin.wantRefusal(t, "send_message", args{"session_id": s.ID, "message": ""}, "message")
		w.admin.wantRefusal(t, "send_message", args{"session_id": s.ID, "message": " \n\t "}, "message")
		w.admin.wantRefusal(t, "send_message", args{"session_id": s.ID, "message": strings.Repeat("a", 200<<10)}, "message")
		w.admin.wantRefusal(t, "send_message", args{"session_id": s.ID, "message": "bell \a"}, "message")
		w.admin.wantRefusal(t, "send_message", args{"session_id": s.ID, "message": "\x1b[200~paste"}, "message")
		if got := w.scripts.Prompts()[before:]; len(got) != 0 {
			t.Errorf("the agent was told %q", got)
		}
	})
	t.Run("prompt", func(t *testing.T) {
		w.admin.wantRefusal(t, "respond_to_prompt", args{"session_id": s.ID, "response": "yes"}, "prompt")
		w.admin.wantRefusal(t, "respond_to_prompt", args{"prompt_id": "nosuchprompt", "response": "yes"}, "prompt")
		w.admin.wantRefusal(t, "respond_to_prompt", args{"response": "yes"}, "prompt_id")
		w.admin.send(t, s.ID, "fake:bash touch once.txt ;; text done")
		asked := w.admin.awaitPrompt(t, s.ID)
		w.admin.wantRefusal(t, "send_message", args{"session_id": s.ID, "message": "1"}, "prompt")
		w.admin.wantRefusal(t, "respond_to_prompt", args{"prompt_id": asked.ID, "response": ""}, "response")
		wantNoFile(t, filepath.Join(mac.Project(), "once.txt"))
		must(t, w.admin.Call(t.Context(), "respond_to_prompt", args{"prompt_id": asked.ID, "response": "yes"}, nil))
		awaitState(t, w.admin, s.ID, "idle")
		w.admin.wantRefusal(t, "respond_to_prompt", args{"prompt_id": asked.ID, "response": "no"}, "alice")
	})
	t.Run("shape", func(t *testing.T) { w.badShapes(t, s) })
	t.Run("host offline", func(t *testing.T) {
		must(t, mac.Stop())
		awaitHost(t, w.admin, "studio", false)
		w.admin.wantRefusal(t, "send_message", args{"session_id": s.ID, "message": "hi"}, "offline", "since")
		w.admin.wantRefusal(t, "create_session", args{"name": "late"}, "offline", "since")
		must(t, mac.Start())
		awaitHost(t, w.admin, "studio", true)
	})
	t.Run("database down", func(t *testing.T) { w.databaseDown(t) })
}

// badShapes sends requests that are malformed in every layer: HTTP, JSON, JSON-RPC, arguments.
func (w *world) badShapes(t *testing.T, s session) {
	arguments := []struct{ name, tool, json, want string }{
		{"wrong type", "send_message", `{"session_id":7,"message":"x"}`, "session_id"},
		{"wrong type inside", "get_logs", `{"session_id":"` + s.ID + `","lines":"many"}`, "lines"},
		{"not whole", "get_logs", `{"session_id":"` + s.ID + `","lines":1.5}`, "lines"},
		{"out of range", "get_logs", `{"session_id":"` + s.ID + `","lines":-1}`, "lines"},
		{"unknown field", "list_sessions", `{"colour":"red"}`, "colour"},
		{"missing", "send_message", `{"session_id":"x"}`, "message"},
		{"null", "send_message", `{"session_id":"x","message":null}`, "message"},
		{"no object", "list_sessions", `["x"]`, "arguments"},
		{"not one of", "get_logs", `{"session_id":"` + s.ID + `","view":"x-ray"}`, "view"},
		{"bad cursor", "list_sessions", `{"cursor":"\u0000"}`, "cursor"},
		{"bad cursor of logs", "get_logs", `{"session_id":"` + s.ID + `","cursor":"banana"}`, "cursor"},
		{"control characters", "search", `{"query":"a\u0007b"}`, "query"},
		{"lone surrogate", "search", `{"query":"\ud800"}`, ""},
		{"invalid UTF-8", "search", "{\"query\":\"\xff\xfe\"}", ""},
		{"long", "search", `{"query":"` + strings.Repeat("q", 100_000) + `"}`, "query"},
		{"deep", "search", `{"query":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, ""},
	}
	for _, test := range arguments {
		t.Run(test.name, func(t *testing.T) {
			body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, test.tool, test.json)
			answer, err := harness.Send(t.Context(), w.plane.MCP(), w.admin.tokens.Access, []byte(body))
			must(t, err)
			if answer.Status >= 500 || !strings.Contains(string(answer.Body), test.want) {
				t.Errorf("answer: %d %s, want %q named", answer.Status, answer.Body, test.want)
			}
			if answer.Status == http.StatusOK && !answer.Result.IsError && answer.Error == nil && test.want != "" {
				t.Errorf("no error: %s", answer.Body)
			}
		})
	}
	bodies := []struct {
		name string
		body []byte
		want int
	}{
		{"empty", nil, http.StatusBadRequest},
		{"no JSON", []byte("hello"), http.StatusBadRequest},
		{"cut off", []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call"`), http.StatusBadRequest},
		{"binary", []byte{0, 1, 2, 0xff}, http.StatusBadRequest},
		{"oversize", bytes.Repeat([]byte("x"), 16<<20), http.StatusRequestEntityTooLarge},
	}
	for _, test := range bodies {
		t.Run(test.name, func(t *testing.T) {
			answer, err := harness.Send(t.Context(), w.plane.MCP(), w.admin.tokens.Access, test.body)
			must(t, err)
			if answer.Status != test.want {
				t.Errorf("answer: %d %s, want %d", answer.Status, answer.Body, test.want)
			}
		})
	}
}

// databaseDown kills PostgreSQL. What is asked meanwhile gets 503 with Retry-After or a clear sentence, and once the
// database is back, everything works by itself.
func (w *world) databaseDown(t *testing.T) {
	pid := postmaster(t, w.plane.Data())
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	await(t, "the control plane to recover", func(ctx context.Context) (bool, error) {
		answer, err := harness.CallRaw(ctx, w.plane.MCP(), w.admin.tokens.Access, "list_sessions", args{})
		if err != nil {
			return false, err
		}
		switch {
		case answer.Status == http.StatusOK && !answer.Result.IsError && answer.Error == nil:
			return postmaster(t, w.plane.Data()) != pid, nil
		case answer.Status == http.StatusServiceUnavailable && answer.Header.Get("Retry-After") != "":
			return false, nil
		}
		t.Fatalf("without a database: %d %v %s", answer.Status, answer.Header, answer.Body)
		return false, nil
	})
}

// postmaster is the process of the private PostgreSQL; 0 while there is none.
func postmaster(t *testing.T, data string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "postgres", "*", "postmaster.pid"))
	must(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		must(t, err)
		first, _, _ := strings.Cut(string(text), "\n")
		pid, err := strconv.Atoi(first)
		if err == nil { // else half written, which is asked again
			return pid
		}
	}
	return 0
}
