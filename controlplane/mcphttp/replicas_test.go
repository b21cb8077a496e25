package mcphttp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"switchboard/controlplane/mcpsession"
)

// event is one of a stream's.
type event struct{ id, data string }

// stream is what a client reads.
type stream struct {
	body  io.ReadCloser
	lines *bufio.Scanner
	cut   context.CancelFunc
}

// streaming sends a request whose answer is a stream.
func (e *endpoint) streaming(t *testing.T, r *http.Request) *stream {
	t.Helper()
	ctx, cut := context.WithCancel(t.Context())
	response, err := e.client.Do(r.WithContext(ctx)) //nolint:bodyclose // the stream closes it
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != eventStream {
		body, _ := io.ReadAll(response.Body) // says why
		t.Fatalf("got %d %s %s, want a stream", response.StatusCode, response.Header.Get("Content-Type"), body)
	}
	s := &stream{body: response.Body, lines: bufio.NewScanner(response.Body), cut: cut}
	t.Cleanup(s.close)
	return s
}

func (s *stream) close() {
	s.cut()
	_ = s.body.Close() // it is cut
}

// next is the next event with an id; false at the stream's end.
func (s *stream) next() (event, bool) {
	var e event
	for s.lines.Scan() {
		line := s.lines.Text()
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			e.id = id
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			e.data = data
		}
		if line == "" && e.id != "" {
			return e, true
		}
	}
	return event{}, false
}

// call asks for a tool in a session.
func (e *endpoint) call(t *testing.T, session, tool string) *http.Request {
	t.Helper()
	body := strings.Replace(callTool(tool), `"arguments":{}`, `"arguments":{},"_meta":{"progressToken":"p"}`, 1)
	return e.request(t, "POST", body, func(r *http.Request) {
		inSession("alice-token", session)(r)
		r.Header.Set("Mcp-Protocol-Version", "2025-11-25")
	})
}

// comeBack asks for what followed an event.
func (e *endpoint) comeBack(t *testing.T, session, last string) *http.Request {
	t.Helper()
	return e.request(t, "GET", "", func(r *http.Request) {
		inSession("alice-token", session)(r)
		r.Header.Set("Mcp-Protocol-Version", "2025-11-25")
		r.Header.Set("Last-Event-ID", last)
	})
}

func TestSessionOnAnotherReplica(t *testing.T) {
	db := database(t)
	one, two := startOn(t, db, nil), startOn(t, db, nil)
	id := one.open(t, "alice-token")
	one.stop() // and a restart
	for range 2 {
		got := two.post(t, callTool("client"), inSession("alice-token", id))
		if got.status != 200 || !strings.Contains(got.body, `"text":"test"`) {
			t.Errorf("on another replica: %d %s, want what the client said when it initialized", got.status, got.body)
		}
	}
	for _, method := range []string{"POST", "GET", "DELETE"} {
		got := two.send(t, two.request(t, method, callTool("who"), inSession("bob-token", id)))
		if got.status != 404 {
			t.Errorf("somebody else's %s: %d, want 404", method, got.status)
		}
	}
	three := startOn(t, db, nil)
	if got := three.send(t, three.request(t, "DELETE", "", inSession("alice-token", id))); got.status != 200 {
		t.Errorf("DELETE: %d %s", got.status, got.body)
	}
	if got := two.post(t, callTool("who"), inSession("alice-token", id)); got.status != 404 {
		t.Errorf("ended on another replica: %d, want 404", got.status)
	}
}

// A client whose connection breaks in the middle of a call comes back, to whichever replica, and misses nothing.
func TestResume(t *testing.T) {
	for name, elsewhere := range map[string]bool{"on the same replica": false, "on another replica": true} {
		t.Run(name, func(t *testing.T) {
			db := database(t)
			one := startOn(t, db, nil)
			two := one
			if elsewhere {
				two = startOn(t, db, nil)
			}
			id := one.open(t, "alice-token")
			calling := make(chan *stream)
			go func() { calling <- one.streaming(t, one.call(t, id, "counts")) }()
			one.counts <- 1
			first := <-calling
			prime, _ := first.next()
			if prime.data != "" || !strings.HasSuffix(prime.id, ".0") {
				t.Errorf("the stream begins with %+v, want an event without data", prime)
			}
			got := []string{}
			last := prime
			for n := 1; n <= 3; n++ {
				if n > 1 {
					one.counts <- n
				}
				last, _ = first.next()
				got = append(got, last.data)
			}
			first.close()
			one.counts <- 4 // while nobody listens
			one.counts <- 5
			second := two.streaming(t, two.comeBack(t, id, last.id))
			one.counts <- 6
			close(one.counts)
			for {
				e, more := second.next()
				if !more {
					break
				}
				if e.data != "" {
					got = append(got, e.data)
				}
			}
			wantCounted(t, got, 6)
			again := two.send(t, two.comeBack(t, id, prime.id))
			if again.status != 200 || strings.Count(again.body, "notifications/progress") != 6 || strings.Count(again.body, `"counted"`) != 1 {
				t.Errorf("from the beginning: %d %s", again.status, again.body)
			}
		})
	}
}

// wantCounted checks that all numbers came once and in their order, and then the result.
func wantCounted(t *testing.T, messages []string, count int) {
	t.Helper()
	if len(messages) != count+1 {
		t.Fatalf("got %d messages, want %d and a result: %s", len(messages), count, messages)
	}
	for i, message := range messages[:count] {
		if !strings.Contains(message, fmt.Sprintf(`"progress":%d,`, i+1)) {
			t.Errorf("message %d: %s", i, message)
		}
	}
	if !strings.Contains(messages[count], `"counted"`) {
		t.Errorf("the last message is %s", messages[count])
	}
}

// A replica that is stopped leaves its call's last word to the client who comes to another one.
func TestResumeAfterStop(t *testing.T) {
	db := database(t)
	one, two := startOn(t, db, nil), startOn(t, db, nil)
	id := one.open(t, "alice-token")
	calling := make(chan *stream)
	go func() { calling <- one.streaming(t, one.call(t, id, "counts")) }()
	one.counts <- 1
	first := <-calling
	prime, _ := first.next()
	one.stop()
	got := two.send(t, two.comeBack(t, id, prime.id))
	if strings.Count(got.body, "notifications/progress") != 1 || strings.Count(got.body, `"id":1,"error":{`) != 1 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

// Of a replica that was killed nothing more comes: its client hears that, and does not wait.
func TestResumeAfterKill(t *testing.T) {
	db := database(t)
	e := startOn(t, db, nil)
	id := e.open(t, "alice-token")
	long := time.Now().Add(-lostAfter - time.Second)
	lost := mcpsession.Stream{Session: id, ID: "lost", Request: json.RawMessage(`"q"`), BegunAt: long, AliveAt: long}
	_, err := db.AppendMCPEvent(t.Context(), id, "lost", json.RawMessage(`{}`), false, long)
	if err == nil {
		t.Error("an event of no stream was kept")
	}
	err = db.InsertMCPStream(t.Context(), lost, long)
	if err == nil {
		_, err = db.AppendMCPEvent(t.Context(), id, "lost", json.RawMessage(`{"before":true}`), false, long)
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got := e.send(t, e.comeBack(t, id, "lost.0"))
		if !strings.Contains(got.body, `{"before":true}`) || strings.Count(got.body, `"id":"q","error":{"code":-32603`) != 1 {
			t.Errorf("got %d %s, want an error for the request", got.status, got.body)
		}
	}
	if _, err := db.AppendMCPEvent(t.Context(), id, "lost", json.RawMessage(`{}`), true, time.Now()); err == nil {
		t.Error("a request that was given up was answered after all")
	}
}

func TestUnknownEvent(t *testing.T) {
	e := start(t, nil)
	id, other := e.open(t, "alice-token"), e.open(t, "alice-token")
	close(e.counts)
	body := callTool("notifies")
	body = strings.Replace(body, `"arguments":{}`, `"arguments":{},"_meta":{"progressToken":1}`, 1)
	told := e.post(t, body, func(r *http.Request) {
		inSession("alice-token", id)(r)
		r.Header.Set("Mcp-Protocol-Version", "2025-11-25")
	})
	_, line, _ := strings.Cut(told.body, "id: ")
	prime, _, _ := strings.Cut(line, "\n")
	known, _, _ := strings.Cut(prime, ".")
	for name, test := range map[string]struct {
		session, last string
		status        int
	}{
		"known":                     {id, prime, 200},
		"never sent":                {id, known + ".5", 400},
		"another session's":         {other, prime, 400},
		"no stream's":               {id, "AAAA.0", 400},
		"no id of ours":             {id, "1", 400},
		"negative":                  {id, known + ".-1", 400},
		"too large":                 {id, known + ".99999999999999999999", 400},
		"long":                      {id, strings.Repeat("a", 10_000) + ".1", 400},
		"of a session that is none": {"nobody's", prime, 404},
	} {
		got := e.send(t, e.comeBack(t, test.session, test.last))
		if got.status != test.status {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, test.status)
		}
	}
	if got := e.send(t, e.request(t, "GET", "", func(r *http.Request) {
		inSession("bob-token", id)(r)
		r.Header.Set("Last-Event-ID", prime)
	})); got.status != 404 {
		t.Errorf("somebody else's: %d %s, want 404", got.status, got.body)
	}
}

// Clients before 2025-11-25 take every event's data for a message.
func TestOnlyNewClientsArePrimed(t *testing.T) {
	e := start(t, nil)
	for version, want := range map[string]bool{"2025-11-25": true, "2025-06-18": false, "2025-03-26": false} {
		began := e.post(t, strings.Replace(initialize, "2025-11-25", version, 1), nil)
		got := e.post(t, callTool("notifies"), inSession("alice-token", began.header.Get("Mcp-Session-Id")))
		if primed := strings.Contains(got.body, "retry: 1000\ndata: \n\n"); primed != want || !strings.Contains(got.body, ".4\nevent") {
			t.Errorf("%s: %s", version, got.body)
		}
	}
}

// What one replica asks may be answered to another, and reaches who asked.
func TestAnswerToAnotherReplica(t *testing.T) {
	db := database(t)
	one, two := startOn(t, db, nil), startOn(t, db, nil)
	id := one.open(t, "alice-token")
	for name, replica := range map[string]*endpoint{"the same": one, "another": two} {
		t.Run(name, func(t *testing.T) {
			asking := one.streaming(t, one.call(t, id, "confirm"))
			prime, _ := asking.next()
			asked, _ := asking.next()
			var question struct{ ID, Method string }
			if err := json.Unmarshal([]byte(asked.data), &question); err != nil || question.Method != "elicitation/create" {
				t.Fatalf("after %+v asked %+v: %v", prime, asked, err)
			}
			answer := fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"result":{"action":"decline"}}`, question.ID)
			if got := replica.post(t, answer, inSession("bob-token", id)); got.status != 404 {
				t.Errorf("somebody else's answer: %d %s", got.status, got.body)
			}
			if got := replica.post(t, answer, inSession("alice-token", id)); got.status != 202 {
				t.Errorf("answer: %d %s", got.status, got.body)
			}
			if result, _ := asking.next(); !strings.Contains(result.data, `"decline"`) {
				t.Errorf("result: %+v", result)
			}
			asking.close()
			if got := replica.post(t, answer, inSession("alice-token", id)); got.status != 400 {
				t.Errorf("the same answer again: %d %s, want 400", got.status, got.body)
			}
		})
	}
}

// What nobody has used for long, or comes back for, is forgotten.
func TestSweep(t *testing.T) {
	db := database(t)
	e := startOn(t, db, nil)
	used, left := e.open(t, "alice-token"), e.open(t, "alice-token")
	old := time.Now().Add(-keepStream - time.Minute)
	if err := errors.Join(
		db.InsertMCPStream(t.Context(), mcpsession.Stream{Session: used, ID: "old", BegunAt: old, AliveAt: old}, old),
		db.InsertMCPStream(t.Context(), mcpsession.Stream{Session: used, ID: "new", BegunAt: old, AliveAt: time.Now()}, old),
		db.InsertMCPSession(t.Context(), mcpsession.Session{ID: "left", User: "alice", Initialize: []byte("{}"), UsedAt: time.Now().Add(-idleExpiry - time.Minute)}, 10),
	); err != nil {
		t.Fatal(err)
	}
	h := &Handler{Config: Config{Sessions: db}}
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{used: true, left: true, "left": false} {
		if _, err := db.MCPSession(t.Context(), id); (err == nil) != want {
			t.Errorf("session %s: %v, want it kept: %t", id, err, want)
		}
	}
	for id, want := range map[string]bool{"old": false, "new": true} {
		if _, _, err := db.MCPEvents(t.Context(), used, id, 0); (err == nil) != want {
			t.Errorf("stream %s: %v, want it kept: %t", id, err, want)
		}
	}
}
