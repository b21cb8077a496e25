package session

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/hostagent/agentkind"
	"switchboard/hostagent/holder"
	"switchboard/hostagent/policy"
	"switchboard/hostagent/protocol"
	"switchboard/hostagent/terminal"
)

const githubToken = "ghp_0123456789abcdefghijABCDEFGHIJ012345"

// newRecorded is a manager with one ended session, in whose recording a secret stands across two segments.
func newRecorded(t *testing.T, rules policy.Policy) (*Manager, protocol.SessionID) {
	t.Helper()
	m := &Manager{Dir: t.TempDir(), Self: "/nowhere", Policy: rules, Kinds: agentkind.All()}
	id := protocol.NewSessionID()
	dir := filepath.Join(m.Dir, string(id))
	check(t, os.Mkdir(dir, 0o700))
	ended := time.Now()
	check(t, birth{Session: id, Agent: "claude", WorkingDir: "/home/dev", At: ended.Add(-time.Hour)}.write(dir))
	writeSteps(t, dir, protocol.Session{ID: id, State: protocol.StateExited, ExitedAt: &ended, LastSeq: 1})
	r, err := terminal.OpenRecording(holder.RecordingPath(dir), 80, 24, 0)
	check(t, err)
	_, _ = r.Write([]byte("export TOKEN=" + githubToken[:20]))
	r.Next(80, 24, []byte("\x1b[2J\x1b[Hexport TOKEN="+githubToken[:20]))
	_, _ = r.Write([]byte(githubToken[20:] + "\r\n"))
	r.Mark("set up with " + githubToken)
	check(t, r.Close(0))
	check(t, m.Open(t.Context()))
	t.Cleanup(func() { check(t, m.Close()) })
	return m, id
}

func (m *Manager) playedText(t *testing.T, id protocol.SessionID, segment uint64) string {
	t.Helper()
	reply, err := m.ReadRecording(t.Context(), protocol.ReadRecordingRequest{Session: id, Segment: segment})
	check(t, err)
	text, err := terminal.Unpack(reply.Data)
	check(t, err)
	return string(text)
}

// TestARecordingLeavesWithoutSecrets reads segments as the control plane does.
func TestARecordingLeavesWithoutSecrets(t *testing.T) {
	t.Parallel()
	m, id := newRecorded(t, policy.Default())
	list, err := m.ReadRecording(t.Context(), protocol.ReadRecordingRequest{Session: id})
	check(t, err)
	if len(list.Segments) != 2 || !list.Segments[1].Closed || list.Segments[1].Number != 2 || list.Data != nil {
		t.Fatalf("recording has %+v", list)
	}
	for number := range uint64(2) {
		text := m.playedText(t, id, number+1)
		if strings.Contains(text, "ghp_") || strings.Contains(text, githubToken[20:]) || strings.Contains(text, githubToken[12:20]) {
			t.Errorf("segment %d: %s", number+1, text)
		}
	}
	if text := m.playedText(t, id, 2); !strings.Contains(text, "set up with [secret removed]") || !strings.Contains(text, `export TOKEN=****`) {
		t.Errorf("segment 2: %s", text)
	}
	for _, segment := range []uint64{3, 1 << 63} {
		_, err := m.ReadRecording(t.Context(), protocol.ReadRecordingRequest{Session: id, Segment: segment})
		if got := codeOf(err); got != protocol.CodeNotFound {
			t.Errorf("segment %d: %v", segment, err)
		}
	}
}

func codeOf(err error) protocol.Code {
	var refused *protocol.Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

// TestSegmentsAreSent until the control plane has them, also to a later host agent, and only as the policy says.
func TestSegmentsAreSent(t *testing.T) {
	t.Parallel()
	for upload, want := range map[policy.Upload][]uint64{policy.UploadNever: nil, policy.UploadEnd: {1, 1, 2}, policy.UploadLive: {1, 1, 2}} {
		t.Run(string(upload), func(t *testing.T) {
			t.Parallel()
			rules := policy.Default()
			rules.Recording.Upload = upload
			m, id := newRecorded(t, rules)
			var sent []uint64
			for range 4 {
				segment, ok := m.NextSegment(nil)
				if !ok {
					break
				}
				if sent = append(sent, segment.Segment.Number); len(sent) > 1 { // the first time nobody acknowledges
					m.SegmentStored(id, segment.Segment.Number)
				}
				if _, ok := m.NextSegment(map[protocol.SessionID]bool{id: true}); ok {
					t.Error("a session that is left out has something to send")
				}
			}
			if diff := cmp.Diff(want, sent); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestARecordingIsPruned when its own time is over, before its session's.
func TestARecordingIsPruned(t *testing.T) {
	t.Parallel()
	for days, left := range map[int]int{0: 2, 1: 0, 3: 2} {
		rules := policy.Default()
		rules.Recording.KeepDays = days
		m, id := newRecorded(t, rules)
		m.Now = func() time.Time { return time.Now().Add(48 * time.Hour) }
		check(t, m.prune(t.Context()))
		list, err := m.ReadRecording(t.Context(), protocol.ReadRecordingRequest{Session: id})
		if err != nil || len(list.Segments) != left {
			t.Errorf("kept for %d days, %d segments are left, %v", days, len(list.Segments), err)
		}
	}
}

// TestMarks: what stands in the journal is what a viewer is told.
func TestMarks(t *testing.T) {
	t.Parallel()
	payload := func(text json.RawMessage) holder.Entry {
		body, err := json.Marshal(holder.Hook{Event: "x", Payload: text})
		check(t, err)
		return holder.Entry{Kind: holder.KindHook, Body: body}
	}
	hook := func(event string) holder.Entry { return payload(recordedHook(t, "bash", event, nil)) }
	prompt := func(text string) holder.Entry {
		return payload(recordedHook(t, "bash", "UserPromptSubmit", map[string]any{"prompt": text}))
	}
	tests := map[string]struct {
		entry holder.Entry
		want  string
	}{
		"message":    {prompt("run\nthe tests"), "Message: run the tests"},
		"secret":     {prompt("use " + githubToken), "Message: use [secret removed]"},
		"tool":       {hook("PreToolUse"), "Run touch made"},
		"question":   {hook("PermissionRequest"), "Asks: Run touch made"},
		"answer":     {holder.Entry{Kind: noteAnswer, Body: json.RawMessage(`{"actor":"Alice"}`)}, "Answered by Alice"},
		"done":       {hook("Stop"), "Done"},
		"other hook": {payload(recordedHook(t, "notification", "Notification", nil)), ""},
		"no hook":    {payload(json.RawMessage(`"rubbish"`)), ""},
		"input":      {holder.Entry{Kind: holder.KindInput, Body: json.RawMessage(`{}`)}, ""},
		"long":       {prompt(strings.Repeat("x", 500)), "Message: " + strings.Repeat("x", maxMark-9) + "…"},
	}
	for name, test := range tests {
		if got, ok := markOf(agentkind.Claude(), test.entry); got != test.want || ok != (test.want != "") {
			t.Errorf("%s: marked as %q, %v, want %q", name, got, ok, test.want)
		}
	}
}

// TestMarkersStandWhereItHappened, in the order of the journal.
func TestMarkersStandWhereItHappened(t *testing.T) {
	m, id := newRecorded(t, policy.Default())
	s, err := m.session(id)
	check(t, err)
	events := []terminal.CastEvent{
		{Interval: 1, Code: "o", Text: "a"}, {Interval: 1, Code: "m", Text: "#1 hook"}, {Interval: 1, Code: "m", Text: "other"},
		{Interval: 1, Code: "o", Text: "b"},
	}
	got, err := s.named(slices.Clone(events))
	check(t, err)
	want := []terminal.CastEvent{events[0], {Interval: 2, Code: "m", Text: "other"}, events[3]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
