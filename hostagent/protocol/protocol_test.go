package protocol_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	. "switchboard/hostagent/protocol"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var (
	at      = time.Date(2026, 11, 21, 8, 30, 0, 123456000, time.UTC)
	code    = 0
	cost    = 0.25
	session = Session{
		ID: "11111111-2222-4333-8444-555555555555", Name: "web-app", Agent: "claude", AgentVersion: "2.1.329",
		WorkingDir: "/home/dev/web-app", PermissionMode: "manual", State: StateExited, Evidence: "process exit",
		Confidence: ConfidenceHigh, StateAt: at, StartedAt: at, ExitedAt: &at, ExitCode: &code, ExitReason: "terminated by Alice", LastSeq: 7,
		Usage: &SessionUsage{Main: Usage{1, 2, 3, 4}, CostUSD: &cost},
	}
	adopted = Session{
		ID: session.ID, Name: "web-app", Agent: "claude", WorkingDir: "/home/dev/web-app", PermissionMode: "plan",
		State: StateStarting, Evidence: "adopted from process 12 in a terminal, by dev at this machine", StateAt: at, StartedAt: at,
		LastSeq: 2, Adopted: true, ByPolicy: true,
	}
	act    = Act{Command: "c1", Actor: "Alice", Deadline: at}
	prompt = Prompt{
		ID: "p1", Session: session.ID, Kind: PromptPermission, Tool: "Bash", Title: "Run a shell command",
		Detail: "make test", Subagent: "Explore", AskedAt: at, AllowsText: true,
		Options: []Option{{ID: OptionAllow, Label: "Yes"}, {ID: "allow_always", Label: "Yes, always", Effect: "adds a rule"}},
		Questions: []Question{{
			Header: "DB", Text: "Which?", MultiSelect: true, Options: []QuestionOption{{Label: "SQLite", Description: "a file"}}, Optional: true,
			Wants: "1 to 2 of them",
		}},
		Digest: "d1",
	}
)

// messages holds one value of everything that crosses the wire, every field set.
var messages = map[string]any{
	"create_session":         CreateSessionRequest{act, session.ID, "web-app", "claude", "~/web-app", "manual"},
	"resume_session":         ResumeSessionRequest{act, session.ID},
	"terminate_session":      TerminateSessionRequest{act, session.ID, true},
	"interrupt_session":      InterruptSessionRequest{act, session.ID},
	"session_reply":          SessionReply{session},
	"send_message":           SendMessageRequest{act, session.ID, "m1", "run the tests"},
	"send_message_reply":     SendMessageReply{MessageState{"m1", MessageNotConfirmed, "no receipt came"}, []string{"tabs became four spaces each"}},
	"answer_prompt":          AnswerPromptRequest{act, session.ID, "p1", "d1", Answer{"allow", "because", [][]string{{"SQLite"}}}},
	"answer_prompt_reply":    AnswerPromptReply{PromptAnswering},
	"withdraw_session":       WithdrawSessionRequest{session.ID},
	"withdraw_session_reply": WithdrawSessionReply{true},
	"withdraw_command":       WithdrawCommandRequest{session.ID, "c1", "Alice"},
	"withdraw_command_reply": WithdrawCommandReply{true, &MessageState{"m1", MessageQueued, "somebody is typing at the terminal"}, true},
	"read_screen":            ReadScreenRequest{session.ID},
	"read_screen_reply":      ReadScreenReply{[]string{"❯ "}, 80, 24, [2]int{2, 0}, "✳ web-app"},
	"read_terminal":          ReadTerminalRequest{session.ID, 100},
	"read_terminal_reply":    ReadTerminalReply{[]string{"$ make test"}},
	"read_changes":           ReadChangesRequest{session.ID, "web"},
	"read_changes_reply":     ReadChangesReply{true, "main", " M a.go", "diff --git", true},
	"read_recording":         ReadRecordingRequest{session.ID, 3},
	"read_recording_reply":   ReadRecordingReply{[]Segment{{3, at, at, true}}, []byte("zstd")},
	"store_segment":          StoreSegmentRequest{session.ID, Segment{3, at, at, true}, "ab12", []byte("zstd")},
	"hello": HelloRequest{1, "dev", "alices-mac", "darwin", "arm64", []Kind{{"claude", "2.1.329", "not installed"}},
		[]string{"/home/dev"}, []string{"manual"}, []Session{session}},
	"hello_reply":      HelloReply{map[SessionID]uint64{session.ID: 7}, at},
	"adopt_session":    AdoptSessionRequest{adopted},
	"heartbeat":        HeartbeatRequest{2},
	"events":           EventsRequest{session.ID, []Event{{Seq: 7, At: at, Kind: EventEntry, Body: json.RawMessage(`{"role":"user"}`)}}},
	"events_reply":     EventsReply{7},
	"event_prompt":     prompt,
	"event_settlement": Settlement{"p1", OutcomeAllowed, WhereRemote, "c1", "Alice", "Yes", "hook PostToolUse", at},
	"event_entry":      Entry{RoleToolCall, "make test", "Bash", "toolu_1", json.RawMessage(`{"command":"make test"}`), true, "Explore", "a1b2", "toolu_0", &ReplyUsage{"msg_1", Usage{3, 4, 5, 6}}, "m1", true, WhereRule},
	"event_usage":      SessionUsage{Usage{1, 2, 3, 4}, Usage{5, 6, 7, 8}, &cost, true},
	"enroll":           EnrolRequest{1, "swj_token", "UA2"},
	"enroll_reply":     EnrolReply{"studio-1", "studio", "AA2"},
	"refusal":          Refusal{ReasonRemoved, "this host was removed"},
	"error":            Error{CodeRefused, "not under a permitted directory"},
}

func TestGoldenMessages(t *testing.T) {
	for name, message := range messages {
		t.Run(name, func(t *testing.T) {
			got, err := json.MarshalIndent(message, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			path := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("what crosses the wire changed: raise Version, write its history, then -update (-want +got):\n%s", diff)
			}
			back := reflect.New(reflect.TypeOf(message))
			decoder := json.NewDecoder(bytes.NewReader(want))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(back.Interface()); err != nil {
				t.Fatal(err)
			}
			var compact bytes.Buffer
			again, _ := json.Marshal(back.Elem().Interface())
			if err := json.Compact(&compact, want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(compact.String(), string(again)); diff != "" {
				t.Errorf("does not survive the round trip (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDigestCoversWhatIsAsked(t *testing.T) {
	sum := prompt.Sum()
	if other := prompt; other.Sum() != sum {
		t.Error("the same prompt has two digests")
	}
	withDigest := prompt
	withDigest.Digest = sum
	if withDigest.Sum() != sum {
		t.Error("the digest depends on itself")
	}
	changed := prompt
	changed.Detail = "rm -rf build"
	if changed.Sum() == sum {
		t.Error("another command has the same digest")
	}
}

func TestParseIDs(t *testing.T) {
	for _, bad := range []string{"", "a.b", "*", ">", "a b", "A", "ä", "a\n", strings.Repeat("a", 41)} {
		if _, err := ParseHostID(bad); err == nil {
			t.Errorf("ParseHostID(%q) accepted it", bad)
		}
	}
	for _, bad := range []string{
		"", "..", "../x", "11111111222243338444555555555555", "{11111111-2222-4333-8444-555555555555}",
		"urn:uuid:11111111-2222-4333-8444-555555555555", "AAAAAAAA-2222-4333-8444-555555555555",
	} {
		if _, err := ParseSessionID(bad); err == nil {
			t.Errorf("ParseSessionID(%q) accepted it", bad)
		}
	}
	if id := NewSessionID(); id == NewSessionID() {
		t.Error("two new sessions have the same id")
	} else if _, err := ParseSessionID(string(id)); err != nil {
		t.Error(err)
	}
	if _, err := ParseHostID(NewID()); err != nil {
		t.Error(err)
	}
}

func FuzzParseSubject(f *testing.F) {
	for _, seed := range []string{"v1.host.abc.event.hello", "v1.host.*.event.>", "v1.host.a.b.event.x", "v1.host..command.x", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, subject string) {
		host, name, err := ParseSubject(subject)
		if err != nil {
			return
		}
		if EventSubject(host, name) != subject && CommandSubject(host, name) != subject {
			t.Errorf("ParseSubject(%q) = %q, %q, which makes another subject", subject, host, name)
		}
	})
}

func TestCompatible(t *testing.T) {
	for version, want := range map[int]bool{0: false, Version - 2: false, Version: true, Version + 1: true, Version + 2: false} {
		if got := Compatible(version); got != want {
			t.Errorf("Compatible(%d) = %v, want %v", version, got, want)
		}
	}
}
