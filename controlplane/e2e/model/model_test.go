package model_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/controlplane/e2e/model"
)

func TestScript(t *testing.T) {
	const tools = `,"tools":[{"name":"Bash"}]`
	tests := []struct {
		name, messages, tools string
		want                  string // tool and input, or text
	}{
		{"first step", `{"role":"user","content":"fake:bash touch x ;; fake:text done"}`, tools,
			`Bash {"command":"touch x","description":"Run touch"}`},
		{"second step", `{"role":"user","content":"fake:bash touch x ;; text finished"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"Bash","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"fine"}]}`, tools,
			"finished"},
		{"text before a call", `{"role":"user","content":"fake:text a ;; text b ;; bash c ;; text d"}`, tools,
			"a\nb\nBash {\"command\":\"c\",\"description\":\"Run c\"}"},
		{"after the script", `{"role":"user","content":"fake:text a"},{"role":"assistant","content":"a"},{"role":"user","content":[{"type":"tool_result","content":"x"}]}`, tools, "done"},
		{"reminders are not the person's", `{"role":"user","content":[{"type":"text","text":"<system-reminder>fake:text no</system-reminder>"},{"type":"text","text":"fake:text yes"}]},{"role":"system","content":"fake:text no"}`, tools, "yes"},
		{"side call", `{"role":"user","content":"fake:bash touch x"}`, "", "ok"},
		{"several at once", `{"role":"user","content":"fake:multi bash a && bash b"}`, tools,
			"Bash {\"command\":\"a\",\"description\":\"Run a\"}\nBash {\"command\":\"b\",\"description\":\"Run b\"}"},
		{"run the tests", `{"role":"user","content":"Please run the tests"}`, tools,
			`Bash {"command":"./run-tests.sh","description":"Run ./run-tests.sh"}`},
		{"run a command", "{\"role\":\"user\",\"content\":\"run `date -u` now\"}", tools,
			`Bash {"command":"date -u","description":"Run date"}`},
		{"the result is told", `{"role":"user","content":"run the tests"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"Bash","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"not now","is_error":true}]}`, tools,
			"That did not work: not now"},
		{"a full context", `{"role":"user","content":"fake:full 9000 ;; text said"}`, tools, "said"},
		{"bad step", `{"role":"user","content":"fake:error 12"}`, tools, "error: want a status from 400 to 599, not 12"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := turn(t, `{"messages":[`+test.messages+`]`+test.tools+`}`)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("turn differs (-want +got):\n%s", diff)
			}
		})
	}
}

// turn asks for one turn without streaming.
func turn(t *testing.T, body string) string {
	t.Helper()
	w := httptest.NewRecorder()
	new(model.Server).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/messages?beta=true", strings.NewReader(body)))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	var answer struct {
		Content []struct {
			Type, Text, Name string
			Input            json.RawMessage
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, b := range answer.Content {
		if b.Type == "text" {
			lines = append(lines, b.Text)
			continue
		}
		lines = append(lines, b.Name+" "+string(b.Input))
	}
	return strings.Join(lines, "\n")
}

func TestErrorStep(t *testing.T) {
	w := httptest.NewRecorder()
	body := `{"messages":[{"role":"user","content":"fake:error 529"}],"tools":[{"name":"Bash"}]}`
	new(model.Server).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/messages", strings.NewReader(body)))
	if w.Code != 529 || !strings.Contains(w.Body.String(), "overloaded_error") {
		t.Errorf("answer: %d %s", w.Code, w.Body)
	}
}

func FuzzServeHTTP(f *testing.F) {
	f.Add([]byte(`{"stream":true,"messages":[{"role":"user","content":"fake:multi bash a && task fake:ask2"}],"tools":[{"name":"Bash"}]}`))
	f.Add([]byte(`{"messages":[{"role":"user","content":[{"type":"text","text":"fake:;;"}]}],"tools":[{}]}`))
	f.Add([]byte(`{"messages":7}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if bytes.Contains(body, []byte("slow")) {
			t.Skip("takes its time on purpose")
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/messages", bytes.NewReader(body))
		new(model.Server).ServeHTTP(w, r)
		if w.Code < 200 || w.Code > 599 {
			t.Errorf("status %d", w.Code)
		}
	})
}
