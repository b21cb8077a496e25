package mcptools

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/controlplane/fleet"
)

func TestCompletion(t *testing.T) {
	w := newWorld(t)
	alpha, beta := w.start("Alpha"), w.start("beta")
	if err := w.fleet.SaveTemplate(t.Context(), manager("alice"), fleet.Template{Name: "nightly", Host: w.host.id}); err != nil {
		t.Fatal(err)
	}
	resource := func(uri string) args { return args{"type": "ref/resource", "uri": uri} }
	prompt := func(name string) args { return args{"type": "ref/prompt", "name": name} }
	inEras(t, func(t *testing.T, version string) {
		for _, test := range []struct {
			token           string
			ref             args
			argument, typed string
			want            []any
		}{
			{"alice", resource("session://{session}/transcript"), "session", "", []any{alpha, beta}},
			{"alice", resource("session://{session}/screen"), "session", "ALPH", []any{alpha}},
			{"alice", resource("host://{host}/status"), "host", "Mac", []any{"macbook"}},
			{"alice", prompt("review_changes"), "session", "b", []any{beta}},
			{"alice", prompt("whats_stuck"), "host", "x", []any{}},
			{"alice", prompt("start_from_template"), "template", "n", []any{"nightly"}},
			{"alice", prompt("start_from_template"), "task", "n", []any{}},
			{"alice.hosts_read", prompt("review_changes"), "session", "", []any{}},
			{"bob", resource("session://{session}/transcript"), "session", "", []any{}},
			{"bob", resource("host://{host}/status"), "host", "", []any{}},
			{"bob", prompt("start_from_template"), "template", "", []any{}},
		} {
			answer := w.rpc(test.token, version, "completion/complete", args{"ref": test.ref, "argument": args{"name": test.argument, "value": test.typed}})
			if diff := cmp.Diff(test.want, at(answer.Result, "completion", "values")); diff != "" {
				t.Errorf("%s: %v %s=%q (-want +got):\n%s%s", test.token, test.ref, test.argument, test.typed, diff, answer.raw)
			}
		}
		for _, test := range []struct {
			ref      args
			argument string
		}{
			{resource("session://{session}/nothing"), "session"}, {resource("session://{session}/screen"), "host"},
			{prompt("nothing"), "session"}, {prompt("whats_stuck"), "session"},
		} {
			answer := w.rpc("alice", version, "completion/complete", args{"ref": test.ref, "argument": args{"name": test.argument, "value": ""}})
			if answer.Error.Code != mcp.INVALID_PARAMS || !strings.Contains(answer.Error.Message, "there is no such") {
				t.Errorf("%v: %s", test, answer.raw)
			}
		}
	})
}

func TestCompletionIsBounded(t *testing.T) {
	var names []string
	for i := range maxCompletions + 5 {
		names = append(names, fmt.Sprintf("b%03d", i))
	}
	got := completion(append(names, "a"), "B", false)
	if len(got.Values) != maxCompletions || got.Total != maxCompletions+5 || !got.HasMore || got.Values[0] != "b000" {
		t.Errorf("%d of %d values, more %v, first %s", len(got.Values), got.Total, got.HasMore, got.Values[0])
	}
	if got := completion([]string{"b"}, "b", true); !got.HasMore {
		t.Error("those that were not looked at are no more")
	}
}
