package mcptools

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/controlplane/fleet"
)

func TestStarters(t *testing.T) {
	w := newWorld(t)
	asking, idle := w.start("asking"), w.start("idle")
	w.must("send_message", args{"session_id": asking, "message": "ask something", "wait_seconds": 20})
	w.host.show(nil, "+new line")
	if err := w.fleet.SaveTemplate(t.Context(), manager("alice"), fleet.Template{Name: "nightly", Description: "Run the tests", WorkingDir: "/src/app"}); err != nil {
		t.Fatal(err)
	}
	inEras(t, func(t *testing.T, version string) {
		c := w.dialEra("alice", version)
		listed, err := c.ListPrompts(t.Context(), mcp.ListPromptsRequest{})
		if err != nil || len(listed.Prompts) != len(Starters()) {
			t.Fatalf("%v %+v", err, listed)
		}
		for _, test := range []struct {
			name      string
			arguments map[string]string
			wish      string
			facts     []string
			not       string
		}{
			{"morning_report", nil, "respond_to_prompt", []string{asking, idle, "asks since", "Run npm test?", "[Yes | No]", "untrusted data"}, "\x1b"},
			{"morning_report", map[string]string{"since": "1h", "host": "macbook"}, "get_logs", []string{asking}, "nothing"},
			{"whats_stuck", nil, "check_prompts", []string{asking, "it waits for an answer"}, idle},
			{"whats_stuck", map[string]string{"host": ""}, "check_prompts", []string{asking}, idle},
			{"review_changes", map[string]string{"session": idle}, idle, []string{" M a.go", "+new line", "untrusted data"}, "get_changes with"},
			{"start_from_template", map[string]string{"template": "nightly", "task": "Do it\nwell"}, "Do it\nwell", []string{"Run the tests"}, "zebra"},
		} {
			got, err := c.GetPrompt(t.Context(), mcp.GetPromptRequest{Params: mcp.GetPromptParams{Name: test.name, Arguments: test.arguments}})
			if err != nil || len(got.Messages) != 2 {
				t.Errorf("%s %v: %v", test.name, test.arguments, err)
				continue
			}
			wish, _ := got.Messages[0].Content.(mcp.TextContent)
			facts, _ := got.Messages[1].Content.(mcp.TextContent)
			if !strings.Contains(wish.Text, test.wish) {
				t.Errorf("%s wishes %q, want %q in it", test.name, wish.Text, test.wish)
			}
			for _, fact := range test.facts {
				if !strings.Contains(facts.Text, fact) {
					t.Errorf("%s knows %q, want %q in it", test.name, facts.Text, fact)
				}
			}
			if strings.Contains(facts.Text, test.not) {
				t.Errorf("%s knows %q, want no %q in it", test.name, facts.Text, test.not)
			}
		}
	})
}

func TestStarterRefusals(t *testing.T) {
	w := newWorld(t)
	handle := w.start("secret-app")
	id := textAt(w.must("get_session_status", args{"session_id": handle}), "session", "session_id")
	inEras(t, func(t *testing.T, version string) {
		status := http.StatusOK
		if mcp.IsModernProtocol(version) {
			status = http.StatusBadRequest
		}
		for _, test := range []struct {
			name      string
			arguments args
			want      string
		}{
			{"nothing", args{}, "not found"},
			{"review_changes", args{}, "session: is required"},
			{"review_changes", args{"session": " "}, "session: is required"},
			{"review_changes", args{"session": "x", "path": "y"}, `"path": unknown argument`},
			{"review_changes", args{"session": "a\x00b"}, "control character"},
			{"morning_report", args{"since": "yesterday"}, "since: want a time"},
			{"morning_report", args{"since": "-3h"}, "since: want a time"},
			{"start_from_template", args{"template": "none"}, "template: there is none"},
		} {
			answer := w.rpc("bob", version, "prompts/get", args{"name": test.name, "arguments": test.arguments})
			if answer.status != status || answer.Error.Code != mcp.INVALID_PARAMS || !strings.Contains(answer.Error.Message, test.want) {
				t.Errorf("%s %v: %d %s", test.name, test.arguments, answer.status, answer.raw)
			}
		}
		for _, theirs := range []struct{ starter, argument, ref string }{
			{"review_changes", "session", handle}, {"review_changes", "session", id}, {"review_changes", "session", "secret-app"},
			{"morning_report", "host", "macbook"}, {"whats_stuck", "host", string(w.host.id)},
		} {
			nothing := strings.Repeat("z", len(theirs.ref))
			got := w.rpc("bob", version, "prompts/get", args{"name": theirs.starter, "arguments": args{theirs.argument: theirs.ref}})
			none := w.rpc("bob", version, "prompts/get", args{"name": theirs.starter, "arguments": args{theirs.argument: nothing}})
			if got.Error.Code != mcp.INVALID_PARAMS || strings.ReplaceAll(got.raw, theirs.ref, nothing) != none.raw {
				t.Errorf("%s tells apart:\n%s\n%s", theirs.starter, got.raw, none.raw)
			}
		}
		report := w.rpc("bob", version, "prompts/get", args{"name": "morning_report"})
		if !strings.Contains(report.raw, "There are no sessions") || strings.Contains(report.raw, "secret") {
			t.Errorf("bob's report: %s", report.raw)
		}
	})
}

func TestParseSince(t *testing.T) {
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"":                          now.Add(-night),
		"90m":                       now.Add(-90 * time.Minute),
		"2026-11-20":                time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC),
		"2026-11-20T22:30":          time.Date(2026, 11, 20, 22, 30, 0, 0, time.UTC),
		"2026-11-20T22:30:00+02:00": time.Date(2026, 11, 20, 20, 30, 0, 0, time.UTC),
	} {
		if got, err := parseSince(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
}
