package mcphttp

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestForeignSessionsLookAbsent compares, to the header, what somebody gets in another's session, with and without an
// event of its stream, and in one that there never was.
func TestForeignSessionsLookAbsent(t *testing.T) {
	e := start(t, nil)
	close(e.counts)
	hers, his := e.open(t, "alice-token"), e.open(t, "bob-token")
	told := e.post(t, strings.Replace(callTool("notifies"), `"arguments":{}`, `"arguments":{},"_meta":{"progressToken":1}`, 1), func(r *http.Request) {
		inSession("alice-token", hers)(r)
		r.Header.Set("Mcp-Protocol-Version", "2025-11-25")
	})
	_, line, _ := strings.Cut(told.body, "id: ")
	event, _, _ := strings.Cut(line, "\n")
	like := func(id string) string { // of the same form, and nobody's
		return strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' {
				return 'Z' - (r - 'A')
			}
			return r
		}, id)
	}
	if event == "" || like(event) == event || like(hers) == hers {
		t.Fatalf("session %q, event %q: nobody's would be the same", hers, event)
	}
	answer := func(method, session, last string) reply {
		body := map[string]string{http.MethodPost: callTool("who")}[method]
		got := e.send(t, e.request(t, method, body, func(r *http.Request) {
			inSession("bob-token", session)(r)
			r.Header.Set("Mcp-Protocol-Version", "2025-11-25")
			if last != "" {
				r.Header.Set("Last-Event-ID", last)
			}
		}))
		got.header.Del("Date")
		return got
	}
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
		for _, last := range []string{"", event} {
			theirs, none := answer(method, hers, last), answer(method, like(hers), last)
			if theirs.status != http.StatusNotFound || theirs.status != none.status || theirs.body != none.body {
				t.Errorf("%s: hers %d %s, nobody's %d %s", method, theirs.status, theirs.body, none.status, none.body)
			}
			if diff := cmp.Diff(none.header, theirs.header); diff != "" {
				t.Errorf("%s: the headers differ: %s", method, diff)
			}
		}
	}
	theirs, none := answer(http.MethodGet, his, event), answer(http.MethodGet, his, like(event))
	if theirs.status != none.status || theirs.body != none.body || theirs.status == http.StatusOK {
		t.Errorf("her event in his session: %d %s, nobody's %d %s", theirs.status, theirs.body, none.status, none.body)
	}
	if got := e.post(t, callTool("who"), inSession("alice-token", hers)); got.status != http.StatusOK {
		t.Errorf("her own session: %d %s", got.status, got.body)
	}
}
