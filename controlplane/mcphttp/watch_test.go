package mcphttp

import (
	"bufio"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/auth"
)

// lasting are requests that last: how each begins, and what its client gets once it has been cut.
func lasting() map[string]func(*testing.T, *endpoint) (cut func() int) {
	const meta = `"_meta":{"progressToken":"p","io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
		`"io.modelcontextprotocol/clientCapabilities":{}}`
	modern := func(method, name string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Mcp-Protocol-Version", "2026-07-28")
			r.Header.Set("Mcp-Method", method)
			if name != "" {
				r.Header.Set("Mcp-Name", name)
			}
		}
	}
	return map[string]func(*testing.T, *endpoint) func() int{
		"call": func(t *testing.T, e *endpoint) func() int {
			answers := make(chan reply, 1)
			go func() { answers <- e.post(t, callTool("wait"), nil) }()
			<-e.calls
			return func() int { return (<-answers).status }
		},
		"call with a stream, legacy": func(t *testing.T, e *endpoint) func() int {
			body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"streams","arguments":{},"_meta":{"progressToken":"p"}}}`
			return e.stream(t, e.request(t, "POST", body, inSession("alice-token", e.open(t, "alice-token"))))
		},
		"call with a stream, modern": func(t *testing.T, e *endpoint) func() int {
			body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"streams","arguments":{},` + meta + `}}`
			return e.stream(t, e.request(t, "POST", body, modern("tools/call", "streams")))
		},
		"stream of a session": func(t *testing.T, e *endpoint) func() int {
			return e.stream(t, e.request(t, "GET", "", inSession("alice-token", e.open(t, "alice-token"))))
		},
		"subscription": func(t *testing.T, e *endpoint) func() int {
			body := `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},` + meta + `}}`
			return e.stream(t, e.request(t, "POST", body, modern("subscriptions/listen", "")))
		},
	}
}

// stream opens an event stream and reads its beginning; cut waits until it has been read to its end.
func (e *endpoint) stream(t *testing.T, r *http.Request) (cut func() int) {
	t.Helper()
	response, err := e.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	events := bufio.NewReader(response.Body)
	line, err := events.ReadString('\n')
	if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d, read %q, %v", response.StatusCode, line, err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, events)
		ended <- err
	}()
	return func() int {
		if err := <-ended; err != nil {
			t.Errorf("the stream's end: %v", err)
		}
		return response.StatusCode
	}
}

// TestRevokedWhileItLasts cuts each: at once if the revocation is told, and soon if it is not.
func TestRevokedWhileItLasts(t *testing.T) {
	for name, begin := range lasting() {
		for _, how := range []struct {
			name   string
			within time.Duration
			status int
			revoke func(*endpoint)
		}{
			{"told", 0, 401, func(e *endpoint) {
				e.revoke()
				e.word.Tell(auth.Change{User: "alice"})
			}},
			{"not told", watchEvery, 401, func(e *endpoint) { e.revoke() }},
			{"store hangs", watchEvery + lookTimeout, 503, (*endpoint).hang},
		} {
			t.Run(name+", "+how.name, func(t *testing.T) {
				inBubble(t, func(t *testing.T, e *endpoint) {
					cut := begin(t, e)
					began := time.Now()
					how.revoke(e)
					if got := cut(); got != how.status && got != http.StatusOK || got == http.StatusOK && name == "call" {
						t.Errorf("got %d, want %d", got, how.status)
					}
					if took := time.Since(began); took > how.within+acknowledgement {
						t.Errorf("cut after %v, want at most %v", took, how.within)
					}
				})
			})
		}
	}
	if worst := watchEvery + lookTimeout + max(cutTimeout, acknowledgement); worst > 5*time.Second {
		t.Errorf("%v until a stream is cut at the latest, want at most 5 s", worst)
	}
}

func TestWordOfWhatDoesNotEndIt(t *testing.T) {
	for name, begin := range lasting() {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, e *endpoint) {
				cut := begin(t, e)
				began := time.Now()
				e.word.Tell(auth.Change{})
				e.word.Tell(auth.Change{User: "bob"})
				time.Sleep(time.Minute)
				synctest.Wait()
				e.revoke()
				e.word.Tell(auth.Change{ClientID: "claude"})
				cut()
				if lasted := time.Since(began); lasted < time.Minute || lasted > time.Minute+acknowledgement {
					t.Errorf("lasted %v, want a minute", lasted)
				}
			})
		})
	}
}

func TestRevokedWhileNobodyReads(t *testing.T) {
	inBubble(t, func(t *testing.T, e *endpoint) {
		response, err := e.client.Do(e.request(t, "GET", "", inSession("alice-token", e.open(t, "alice-token"))))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		time.Sleep(2 * watchEvery) // until a comment is stuck, but not yet given up
		e.revoke()
		e.word.Tell(auth.Change{User: "alice"})
		time.Sleep(cutTimeout)
		synctest.Wait()
		if text, err := io.ReadAll(response.Body); err == nil {
			t.Errorf("read %q and a proper end after the stream should have been cut", text)
		}
	})
}

func TestWatchEndsWithItsRequest(t *testing.T) {
	inBubble(t, func(t *testing.T, e *endpoint) {
		for range 3 {
			e.post(t, callTool("who"), nil)
		}
		for range 10 { // word after the end finds nobody
			e.word.Tell(auth.Change{User: "alice"})
		}
	})
}
