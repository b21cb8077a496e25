package mcptools

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// event is one message on the stream that answers a call.
type event struct {
	Method string
	Params struct {
		ProgressToken   any
		Progress, Total float64
		Message         string
	}
	Result struct{ IsError bool }
	Error  any
	ID     any
}

// eras are the ways in which clients call: with a session, without one, and in the way of 2026-07-28.
var eras = []string{"2025-11-25", "no session", "2026-07-28"}

// stream calls a tool and returns all that comes on the answer's stream. Heard gets each message's words at once.
func (w *world) stream(era, session, tool, arguments, token string, heard func(string)) ([]event, error) {
	meta := `"progressToken":` + token
	if era == "2026-07-28" {
		meta += `,"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}`
	}
	body := `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"` + tool + `","arguments":` + arguments + `,"_meta":{` + meta + `}}}`
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/mcp", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer alice")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	switch era {
	case "2026-07-28":
		request.Header.Set("Mcp-Protocol-Version", era)
		request.Header.Set("Mcp-Method", "tools/call")
		request.Header.Set("Mcp-Name", tool)
	case "2025-11-25":
		request.Header.Set("Mcp-Protocol-Version", era)
		request.Header.Set("Mcp-Session-Id", session)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var events []event
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		data := strings.TrimPrefix(lines.Text(), "data: ")
		if !strings.HasPrefix(data, "{") {
			continue
		}
		var e event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return nil, fmt.Errorf("%s: %w", data, err)
		}
		events = append(events, e)
		if heard != nil {
			heard(e.Params.Message)
		}
	}
	return events, lines.Err()
}

// session begins a session in the way of before 2026-07-28.
func (w *world) session() string {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/mcp", strings.NewReader(
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer alice")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	id := response.Header.Get("Mcp-Session-Id")
	if response.StatusCode != http.StatusOK || id == "" {
		w.t.Fatalf("initialize: %d", response.StatusCode)
	}
	return id
}

// listen holds a session's stream of notifications open, on which nothing may come.
func (w *world) listen(session string) {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/mcp", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer alice")
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Mcp-Session-Id", session)
	begun, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer close(begun)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			w.t.Error(err)
			return
		}
		defer response.Body.Close()
		begun <- struct{}{}
		lines := bufio.NewScanner(response.Body)
		for lines.Scan() {
			if event, ok := strings.CutPrefix(lines.Text(), "data: "); ok && event != "" { // the first has only an id
				w.t.Errorf("on the session's stream: %s", lines.Text())
			}
		}
	}()
	<-begun
	w.t.Cleanup(func() {
		stop()
		<-ended
	})
}

// checkStream says what is wrong with a call's stream: progress that does not grow or is not this call's, something
// behind the result, or none of either.
func checkStream(events []event, token any) error {
	before := -1.0
	for i, e := range events[:max(len(events)-1, 0)] {
		if e.Method != "notifications/progress" || e.Params.ProgressToken != token || e.Params.Progress <= before || e.Params.Message == "" {
			return fmt.Errorf("event %d after progress %v: %+v", i, before, e)
		}
		before = e.Params.Progress
	}
	if len(events) < 2 {
		return fmt.Errorf("%d events, want progress and a result", len(events))
	}
	if last := events[len(events)-1]; last.ID != 7.0 || last.Error != nil || last.Result.IsError {
		return fmt.Errorf("the last event is %+v", last)
	}
	return nil
}

// No notification is lost, and none comes behind its result: 500 calls in each era, several at once
// in one session, whose own stream is open too.
func TestProgress(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	const calls, atOnce = 500, 4
	for _, era := range eras {
		t.Run(era, func(t *testing.T) {
			session := w.session()
			w.listen(session)
			var all sync.WaitGroup
			for worker := range atOnce {
				all.Go(func() {
					for i := worker; i < calls; i += atOnce {
						text, token := fmt.Sprint(i), any(float64(i))
						if i%2 == 0 {
							text, token = fmt.Sprintf("%q", fmt.Sprint("token ", i)), fmt.Sprint("token ", i)
						}
						events, err := w.stream(era, session, "wait_for_session", `{"session_id":"`+handle+`","until":"idle","timeout_seconds":10}`, text, nil)
						if err == nil {
							err = checkStream(events, token)
						}
						if err != nil {
							t.Errorf("call %d: %v", i, err)
						}
					}
				})
			}
			all.Wait()
		})
	}
}

// Progress says what the session does, as soon as that changes.
func TestProgressSaysWhatGoesOn(t *testing.T) {
	w := newWorld(t)
	for _, era := range eras {
		t.Run(era, func(t *testing.T) {
			handle := w.start("web-app")
			session := w.session()
			w.work(handle)
			var said []string
			events, err := w.stream(era, session, "wait_for_session", `{"session_id":"`+handle+`","until":"exited","timeout_seconds":20}`, "1", func(words string) {
				said = append(said, words)
				switch words {
				case handle + ": working":
					w.must("send_message", args{"session_id": handle, "message": "ask for more", "wait_seconds": 20})
				case handle + ": asks: Run npm test?":
					w.must("terminate_session", args{"session_id": handle})
				}
			})
			if err == nil {
				err = checkStream(events, 1.0)
			}
			if want := []string{handle + ": working", handle + ": asks: Run npm test?", ""}; err != nil || !slices.Equal(said, want) {
				t.Errorf("said %q, %v; want %q", said, err, want)
			}
		})
	}
}

// What fails before there is anything to tell is answered as it is without progress.
func TestProgressBeginsNoStreamInVain(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	params := `"name":"wait_for_session","arguments":{"session_id":"` + handle + `"},"_meta":{"progressToken":1}`
	if got := w.callRawParams("alice.hosts_read", params); got.status != http.StatusForbidden {
		t.Errorf("without the scope: %d %s", got.status, got.raw)
	}
	w.wire.cut()
	if got := w.callRawParams("alice", params); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("without PostgreSQL: %d %s", got.status, got.raw)
	}
}

// What is no token asks for no progress, and breaks nothing.
func TestNoProgressToken(t *testing.T) {
	w := newWorld(t)
	handle := w.start("web-app")
	for _, token := range []string{"null", "true", "{}", "[1]"} {
		events, err := w.stream("no session", "", "wait_for_session", `{"session_id":"`+handle+`","until":"idle","timeout_seconds":10}`, token, nil)
		if err != nil || len(events) != 1 {
			t.Errorf("%s: %d events, %v", token, len(events), err)
		}
	}
}
