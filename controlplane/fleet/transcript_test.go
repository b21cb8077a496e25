package fleet_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// conversation is one in which everything happens that a transcript can tell.
func conversation(h *host, s protocol.SessionID) {
	at := time.Now()
	h.say(s, protocol.EventEntry, protocol.Entry{Role: protocol.RoleUser, Text: "ship it"})
	h.say(s, protocol.EventEntry, protocol.Entry{
		Role: protocol.RoleToolCall, Tool: "Bash", ToolUse: "t1", Input: json.RawMessage(`{"command":"./bin/deploy.sh --to=frankfurt\nexit","nested":{"list":["zürich"]}}`),
		Usage: &protocol.ReplyUsage{Reply: "m1", Usage: protocol.Usage{Input: 10, Output: 2, CacheRead: 5}},
	})
	h.say(s, protocol.EventPrompt, protocol.Prompt{
		ID: protocol.PromptID("p1" + string(s)), Session: s, Kind: protocol.PromptPermission, Tool: "Bash", Title: "Run the rollout", Detail: "touches reykjavik",
		Options: []protocol.Option{{ID: "allow", Label: "Yes"}, {ID: "deny", Label: "No"}}, AskedAt: at, Digest: "d",
	})
	h.say(s, protocol.EventMessage, protocol.MessageState{ID: "m", Status: protocol.MessageQueued})
	h.say(s, protocol.EventSettlement, protocol.Settlement{
		Prompt: protocol.PromptID("p1" + string(s)), Outcome: protocol.OutcomeAllowed, Where: protocol.WhereRemote, Actor: "Ada", Answer: "Yes; but mind oslo", Evidence: "transcript", At: at,
	})
	h.say(s, protocol.EventEntry, protocol.Entry{Role: protocol.RoleAssistant, Text: "looked at helsinki", Subagent: "Explore", SubagentID: "a2fb1fd16be3a9bd6", SubagentCall: "t1"})
	h.say(s, protocol.EventPrompt, protocol.Prompt{
		ID: protocol.PromptID("p2" + string(s)), Session: s, Kind: protocol.PromptChoice, Tool: "AskUserQuestion", Title: "Which region?", AskedAt: at, Digest: "d", Subagent: "Plan",
		Questions: []protocol.Question{{Text: "Which region?", Options: []protocol.QuestionOption{{Label: "tallinn"}, {Label: "riga", Description: "near vilnius"}}}, {Text: "Why there?"}},
	})
	h.say(s, protocol.EventSettlement, protocol.Settlement{Prompt: protocol.PromptID("p2" + string(s)), Outcome: protocol.OutcomeAnswered, Where: protocol.WhereTerminal, At: at})
	h.say(s, protocol.EventSettlement, protocol.Settlement{Prompt: "unknown", Outcome: protocol.OutcomeWithdrawn, Where: protocol.WhereNobody, Evidence: "process exit", At: at})
}

// TestQuestionsStandInTheTranscript, and a reader who goes on from one cursor to the next misses none.
func TestQuestionsStandInTheTranscript(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	conversation(h, s.ID)
	want := []string{
		"1 user: ship it",
		`2 tool_call: {"nested": {"list": ["zürich"]}, "command": "./bin/deploy.sh --to=frankfurt\nexit"}`,
		"3 question: Run the rollout\ntouches reykjavik\n[Yes | No]",
		"5 answer: Run the rollout: Allowed by Ada, remotely: “Yes; but mind oslo” (known by transcript)",
		"6 assistant (subagent Explore a2fb1fd1): looked at helsinki",
		"7 question (subagent Plan): Which region?\nWhich region? [tallinn | riga]\nWhy there?",
		"8 answer (subagent Plan): Which region? Answered at the terminal",
		"9 answer: The agent no longer asks (known by process exit)",
	}
	told := func(page fleet.TranscriptPage) (lines []string) {
		for _, e := range page.Entries {
			lines = append(lines, string('0'+rune(e.Seq))+" "+e.Speaker()+": "+e.Said())
		}
		return lines
	}
	if diff := cmp.Diff(told(must(w.Transcript(t.Context(), alice, s.Handle, "", 0))(t)), want); diff != "" {
		t.Errorf("its end (got -, want +):\n%s", diff)
	}
	var got []string
	cursor := "0"
	for more := true; more; {
		page := must(w.Transcript(t.Context(), alice, s.Handle, cursor, 1))(t)
		got = append(got, told(page)...)
		cursor, more = page.Cursor, page.More
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("one at a time (got -, want +):\n%s", diff)
	}
	document := must(w.Fetch(t.Context(), alice, s.Handle))(t)
	for _, text := range []string{"question: Run the rollout", "answer: Run the rollout: Allowed by Ada, remotely", "(subagent Explore a2fb1fd1): looked"} {
		if !strings.Contains(document.Text, text) {
			t.Errorf("the document lacks %q:\n%s", text, document.Text)
		}
	}
}

// TestPagesHaveAnEnd: what is asked and answered counts as what is said does.
func TestPagesHaveAnEnd(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	long := strings.Repeat("x", 90_000)
	for i := range 12 {
		id := protocol.PromptID("p" + string('a'+rune(i)) + string(s.ID))
		h.say(s.ID, protocol.EventPrompt, protocol.Prompt{
			ID: id, Session: s.ID, Kind: protocol.PromptChoice, Title: "Which?", AskedAt: time.Now(), Digest: "d",
			Questions: []protocol.Question{{Text: "Which?", Options: []protocol.QuestionOption{{Label: long}}}},
		})
		h.say(s.ID, protocol.EventSettlement, protocol.Settlement{Prompt: id, Outcome: protocol.OutcomeAnswered, Answer: long, At: time.Now()})
	}
	if page := must(w.Transcript(t.Context(), alice, s.Handle, "0", 0))(t); len(page.Entries) != 11 || !page.More {
		t.Errorf("%d entries on a page, more: %v", len(page.Entries), page.More)
	}
}

// TestSearchFindsEverythingThatIsRead, in whatever part of a transcript it stands, across hosts and sessions, and
// nothing for who may not read it.
func TestSearchFindsEverythingThatIsRead(t *testing.T) {
	w := newWorld(t)
	alice, bob, eve := w.person("alice", auth.RoleMember), w.person("bob", auth.RoleMember), w.person("eve", auth.RoleAdmin)
	first, second := w.newHost(alice, "mac-1"), w.newHost(bob, "mac-2")
	mine, theirs := w.session(alice, first, "web-app"), w.session(bob, second, "api")
	conversation(first, mine.ID)
	conversation(second, theirs.ID)
	search := func(c auth.Caller, query string) map[string]bool {
		found := map[string]bool{}
		for _, f := range must(w.Search(t.Context(), c, query))(t) {
			found[f.ID] = true
		}
		return found
	}
	shared := func(seqs ...string) map[string]bool {
		found := map[string]bool{}
		for _, seq := range seqs {
			found[mine.Handle+":"+seq] = true
			found[theirs.Handle+":"+seq] = true
		}
		return found
	}
	of := func(s fleet.Session, all map[string]bool) map[string]bool {
		found := map[string]bool{}
		for id := range all {
			if strings.HasPrefix(id, s.Handle+":") {
				found[id] = true
			}
		}
		return found
	}
	tests := map[string]map[string]bool{
		"ship":                      shared("1"),
		"deploy":                    shared("2"),
		"deploy.sh":                 shared("2"),
		"bin/deploy.sh frankfurt":   shared("2"),
		"exit":                      shared("2"), // and not what an answer is known by
		"zürich":                    shared("2"),
		"rollout":                   shared("3"),
		"reykjavik":                 shared("3"),
		"oslo":                      shared("5"),
		"Ada":                       shared("5"),
		"helsinki":                  shared("6"),
		"explore":                   shared("6"),
		"tallinn":                   shared("7"),
		"vilnius region":            shared("7"),
		`"touches reykjavik" -oslo`: shared("3"),
	}
	check := func(c auth.Caller, narrow func(map[string]bool) map[string]bool) {
		t.Helper()
		for query, want := range tests {
			if diff := cmp.Diff(search(c, query), narrow(want)); diff != "" {
				t.Errorf("search of %s for %q (got -, want +):\n%s", c.User, query, diff)
			}
		}
	}
	none := func(map[string]bool) map[string]bool { return map[string]bool{} }
	check(alice, func(all map[string]bool) map[string]bool { return of(mine, all) })
	check(bob, func(all map[string]bool) map[string]bool { return of(theirs, all) })
	check(eve, none) // an administrator manages hosts; he reads nobody's sessions
	if err := w.ShareHost(t.Context(), bob, string(second.ID), alice.User, fleet.AccessViewer); err != nil {
		t.Fatal(err)
	}
	check(alice, func(all map[string]bool) map[string]bool { return all })
	if err := w.ShareHost(t.Context(), bob, string(second.ID), alice.User, fleet.AccessNone); err != nil {
		t.Fatal(err)
	}
	check(alice, func(all map[string]bool) map[string]bool { return of(mine, all) })
}

// TestUsageIsTheNewestWord: what a session has taken comes with its state or alone, and nothing older replaces it.
func TestUsageIsTheNewestWord(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	usage := func(output int64) *protocol.SessionUsage {
		return &protocol.SessionUsage{Main: protocol.Usage{Output: output}}
	}
	check := func(what string, want *protocol.SessionUsage) {
		t.Helper()
		if diff := cmp.Diff(must(w.Session(t.Context(), alice, s.Handle))(t).Usage, want); diff != "" {
			t.Errorf("%s (got -, want +):\n%s", what, diff)
		}
	}
	check("nothing said", nil)
	h.say(s.ID, protocol.EventUsage, usage(1))
	check("alone", usage(1))
	h.say(s.ID, protocol.EventSession, protocol.Session{ID: s.ID, State: protocol.StateIdle, Usage: usage(2)})
	check("with the state", usage(2))
	h.is(s.ID, protocol.StateWorking)
	check("a state without", usage(2))
	h.hello(protocol.Session{ID: s.ID, State: protocol.StateWorking, LastSeq: 9, Usage: usage(9)})
	check("a newer hello", usage(9))
	h.say(s.ID, protocol.EventUsage, usage(4))
	check("an event from before the hello", usage(9))
	cost := -1.0
	h.hello(protocol.Session{ID: s.ID, State: protocol.StateWorking, LastSeq: 10, Usage: &protocol.SessionUsage{
		Main: protocol.Usage{Input: -7, Output: 1 << 62}, CostUSD: &cost, CostPartial: true,
	}})
	check("what cannot be", &protocol.SessionUsage{Main: protocol.Usage{Output: 1e15}})
	before := must(w.Session(t.Context(), alice, s.Handle))(t)
	if before.State != protocol.StateWorking || before.StateSeq != 10 {
		t.Errorf("state %s, of event %d", before.State, before.StateSeq)
	}
}

// TestUsageOfAnEntry: what no reply takes is bounded, and the entry is there to be read.
func TestUsageOfAnEntry(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	for usage, want := range map[string]*protocol.ReplyUsage{
		`{"reply_id":"r","input_tokens":3,"output_tokens":4,"cache_read_tokens":5}`: {Reply: "r", Usage: protocol.Usage{Input: 3, Output: 4, CacheRead: 5}},
		`{"input_tokens":-3,"output_tokens":1e300,"cache_read_tokens":99999999999999999999999999,"cache_write_tokens":1e5000}`: {
			Usage: protocol.Usage{Output: 1e15, CacheRead: 1e15},
		},
		`{"input_tokens":1.9,"output_tokens":"many","cache_read_tokens":null,"cache_write_tokens":[1]}`: {Usage: protocol.Usage{Input: 1}},
		`"many"`: nil,
		`null`:   nil,
	} {
		h.say(s.ID, protocol.EventEntry, json.RawMessage(`{"role":"assistant","text":"hello","usage":`+usage+`}`))
		got := must(w.Transcript(t.Context(), alice, s.Handle, "", 1))(t).Entries[0]
		if diff := cmp.Diff(want, got.Usage); diff != "" || got.Text != "hello" {
			t.Errorf("of %s, %q says (-want +got):\n%s", usage, got.Text, diff)
		}
	}
}
