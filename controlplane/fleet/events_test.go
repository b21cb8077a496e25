package fleet_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
	"switchboard/hostagent/protocol"
)

// entries are consecutive transcript events.
func entries(from, to uint64) []protocol.Event {
	var events []protocol.Event
	for seq := from; seq <= to; seq++ {
		e := protocol.NewEvent(time.Now(), protocol.EventEntry, protocol.Entry{Role: protocol.RoleAssistant, Text: fmt.Sprint("line ", seq)})
		e.Seq = seq
		events = append(events, e)
	}
	return events
}

func TestEventsAreKeptOnceAndWithoutAGap(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	steps := []struct {
		name     string
		from, to uint64
		last     uint64 // that the host hears
	}{
		{"first", 1, 3, 3},
		{"the same again", 1, 3, 3},
		{"an overlap", 2, 5, 5},
		{"after a gap", 7, 9, 5},
		{"the gap filled", 6, 9, 9},
	}
	for _, step := range steps {
		reply := must(report(h, protocol.Events, protocol.EventsRequest{Session: s.ID, Events: entries(step.from, step.to)}))(t)
		if reply.LastSeq != step.last {
			t.Errorf("%s: last seq %d, want %d", step.name, reply.LastSeq, step.last)
		}
	}
	page := must(w.Transcript(t.Context(), alice, s.Handle, "0", 0))(t)
	var got []string
	for _, e := range page.Entries {
		got = append(got, e.Text)
	}
	want := strings.Split("line 1,line 2,line 3,line 4,line 5,line 6,line 7,line 8,line 9", ",")
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("transcript (got -, want +):\n%s", diff)
	}
}

func TestEventsInParallelAreKeptOnce(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			// Not over NATS, where a host's reports are counted: replicas do not count together.
			reply, err := w.RecordEvents(t.Context(), h.ID, protocol.EventsRequest{Session: s.ID, Events: entries(1, 20)})
			if err != nil || reply.LastSeq != 20 {
				t.Errorf("last seq %d, error %v", reply.LastSeq, err)
			}
		})
	}
	group.Wait()
	if page := must(w.Transcript(t.Context(), alice, s.Handle, "0", 100))(t); len(page.Entries) != 20 {
		t.Errorf("%d entries, want 20", len(page.Entries))
	}
}

func TestEventsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	alice, mallory := w.person("alice", auth.RoleMember), w.person("mallory", auth.RoleMember)
	h, foreign := w.newHost(alice, "mac-1"), w.newHost(mallory, "mac-2")
	s := w.session(alice, h, "web-app")
	gap := append(entries(1, 1), entries(3, 3)...)
	tests := []struct {
		name   string
		from   *host
		events protocol.EventsRequest
		want   protocol.Code
	}{
		{"another host's session", foreign, protocol.EventsRequest{Session: s.ID, Events: entries(1, 1)}, protocol.CodeNotFound},
		{"an unknown session", h, protocol.EventsRequest{Session: protocol.NewSessionID(), Events: entries(1, 1)}, protocol.CodeNotFound},
		{"no session", h, protocol.EventsRequest{Session: "../x", Events: entries(1, 1)}, protocol.CodeInvalid},
		{"none", h, protocol.EventsRequest{Session: s.ID}, protocol.CodeInvalid},
		{"seq 0", h, protocol.EventsRequest{Session: s.ID, Events: entries(0, 1)}, protocol.CodeInvalid},
		{"a gap inside", h, protocol.EventsRequest{Session: s.ID, Events: gap}, protocol.CodeInvalid},
		{"a seq that does not fit", h, protocol.EventsRequest{Session: s.ID, Events: entries(1<<63, 1<<63)}, protocol.CodeInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := report(test.from, protocol.Events, test.events)
			var refused *protocol.Error
			if !errors.As(err, &refused) || refused.Code != test.want {
				t.Errorf("error %v, want code %s", err, test.want)
			}
		})
	}
}

// What Postgres cannot keep, and what this version does not understand, must not hold up what comes after it.
func TestOddEventsDoNotBlock(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	bodies := []struct {
		kind protocol.EventKind
		body string
	}{
		{protocol.EventEntry, `{"role":"assistant","text":"nul \u0000 and \ud800 alone"}`},
		{protocol.EventEntry, `{"role":"tool_call","input":{"n":1e999999,"k\u0000":12345678901234567890}}`},
		{protocol.EventEntry, `"no object"`},
		{protocol.EventEntry, `{"role":"tool_result","text":7}`},
		{protocol.EventSession, `{"state":"dancing","exit_code":1}`},
		{protocol.EventSession, `[]`},
		{protocol.EventPrompt, `{"id":"p\u0000","title":"x"}`},
		{protocol.EventSettlement, `null`},
		{protocol.EventMessage, `{"id":"nobody's","status":"accepted"}`},
		{"from_the_future", `{}`},
		{protocol.EventEntry, `{"role":"tool_call","input":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`},
		{protocol.EventPrompt, `{"id":"` + strings.Repeat("x", 9000) + `"}`},
		{protocol.EventEntry, `{"role":"user","text":"` + strings.Repeat("word ", 60_000) + `"}`},
	}
	var events []protocol.Event
	for i, b := range bodies {
		events = append(events, protocol.Event{Seq: uint64(i + 1), At: time.Now(), Kind: b.kind, Body: json.RawMessage(b.body)})
	}
	reply := must(report(h, protocol.Events, protocol.EventsRequest{Session: s.ID, Events: events}))(t)
	if reply.LastSeq != uint64(len(bodies)) {
		t.Fatalf("last seq %d, want %d", reply.LastSeq, len(bodies))
	}
	page := must(w.Transcript(t.Context(), alice, s.Handle, "", 0))(t)
	if got, want := page.Entries[0].Text, "nul \uFFFD and \uFFFD alone"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	if got := page.Session; got.State != protocol.StateUncertain || got.Evidence != `host says "dancing"` {
		t.Errorf("state %s (%s)", got.State, got.Evidence)
	}
}

func TestSessionStateIsTheNewestWord(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	h.is(s.ID, protocol.StateWorking)
	h.is(s.ID, protocol.StateIdle)
	state := func() protocol.State { return must(w.Session(t.Context(), alice, s.Handle))(t).State }
	if state() != protocol.StateIdle {
		t.Errorf("state %s, want idle", state())
	}
	old := protocol.Session{ID: s.ID, State: protocol.StateWorking, LastSeq: 1}
	reply := h.hello(old)
	if state() != protocol.StateIdle {
		t.Errorf("an older hello made it %s", state())
	}
	if diff := cmp.Diff(reply.LastSeq, map[protocol.SessionID]uint64{s.ID: 2}); diff != "" {
		t.Errorf("last seq (got -, want +):\n%s", diff)
	}
	newer := protocol.Session{ID: s.ID, State: protocol.StateWaiting, LastSeq: 5}
	h.hello(newer)
	if state() != protocol.StateWaiting {
		t.Errorf("a newer hello left it %s", state())
	}
	h.is(s.ID, protocol.StateWorking) // event 3, which the hello had seen already
	if state() != protocol.StateWaiting {
		t.Errorf("an event from before the hello made it %s", state())
	}
}

func TestHelloEndsWhatTheHostDoesNotKnow(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	lost, young, done := w.session(alice, h, "lost"), w.session(alice, h, "young"), w.session(alice, h, "done")
	h.is(lost.ID, protocol.StateWorking)
	h.is(done.ID, protocol.StateExited)
	h.offline()
	h.online()
	h.hello(protocol.Session{ID: protocol.NewSessionID(), State: protocol.StateIdle}) // one that nobody here knows
	got := must(w.Session(t.Context(), alice, lost.Handle))(t)
	if got.State != protocol.StateExited || got.ExitReason != "lost: the host no longer knows it" || !got.HostOnline {
		t.Errorf("lost session: %s (%s), host online %v", got.State, got.ExitReason, got.HostOnline)
	}
	if got := must(w.Session(t.Context(), alice, young.Handle))(t); got.State != protocol.StateStarting {
		t.Errorf("session on its way to the host: %s", got.State)
	}
	if got := must(w.Session(t.Context(), alice, done.Handle))(t); got.Evidence != "test" {
		t.Errorf("exited session: evidence %q", got.Evidence)
	}
	h.hello(protocol.Session{ID: lost.ID, State: protocol.StateIdle, LastSeq: 1})
	if got := must(w.Session(t.Context(), alice, lost.Handle))(t); got.State != protocol.StateIdle || got.ExitReason != "" {
		t.Errorf("found again: %s (%s)", got.State, got.ExitReason)
	}
}

func TestHelloIsRefused(t *testing.T) {
	w := newWorld(t)
	admin := w.person("root", auth.RoleAdmin)
	h := w.newHost(admin, "mac-1")
	hello := func(r protocol.HelloRequest) protocol.Code {
		_, err := report(h, protocol.Hello, r)
		var refused *protocol.Error
		if !errors.As(err, &refused) {
			return ""
		}
		return refused.Code
	}
	if got := hello(protocol.HelloRequest{Version: protocol.Version + 2}); got != protocol.CodeRefused {
		t.Errorf("a version from the future: %q", got)
	}
	bad := []protocol.Session{{ID: "not a uuid"}}
	if got := hello(protocol.HelloRequest{Version: protocol.Version, Sessions: bad}); got != protocol.CodeInvalid {
		t.Errorf("a session that is none: %q", got)
	}
	if got := hello(protocol.HelloRequest{Version: protocol.Version, Hostname: "a\x00b"}); got != "" {
		t.Errorf("a NUL in a name: %q", got)
	}
	if err := w.RemoveHost(t.Context(), admin, "mac-1"); err != nil {
		t.Fatal(err)
	}
	if got := hello(protocol.HelloRequest{Version: protocol.Version}); got != protocol.CodeNotFound {
		t.Errorf("a removed host: %q", got)
	}
	if _, err := report(h, protocol.Heartbeat, protocol.HeartbeatRequest{}); err == nil {
		t.Error("a removed host's heartbeat is taken")
	}
}

func TestReportsWithoutPostgresAreNotAcknowledged(t *testing.T) {
	w := newWorld(t)
	alice := w.person("alice", auth.RoleMember)
	h := w.newHost(alice, "mac-1")
	s := w.session(alice, h, "web-app")
	w.cut()
	_, err := report(h, protocol.Events, protocol.EventsRequest{Session: s.ID, Events: entries(1, 1)})
	var refused *protocol.Error
	if !errors.As(err, &refused) || refused.Code != protocol.CodeUnavailable {
		t.Errorf("error %v, want that the host tries again", err)
	}
}
