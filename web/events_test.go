package web_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"switchboard/hostagent/protocol"
)

// follow opens an event stream and reads its first line, after which nothing is missed.
func (b *browser) follow(ctx context.Context, query string) (*http.Response, *bufio.Scanner) {
	b.t.Helper()
	r := b.request(http.MethodGet, "/events"+query, nil).WithContext(ctx)
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { answer.Body.Close() })
	lines := bufio.NewScanner(answer.Body)
	if answer.StatusCode == http.StatusOK && (!lines.Scan() || !strings.HasPrefix(lines.Text(), "retry:")) {
		b.t.Fatalf("stream begins with %q", lines.Text())
	}
	return answer, lines
}

// event reads on to the next event's name; empty: the stream has ended.
func event(lines *bufio.Scanner) string {
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			return name
		}
	}
	return ""
}

func TestEventsTellOfChangesAndOfTheLoginsEnd(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin, "studio")
	session := h.start(t, s.admin, "web-app")
	b := s.browser(t, &s.admin)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	one, news := b.follow(ctx, "?session="+string(session.ID))
	if got := one.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/event-stream") {
		t.Errorf("Content-Type %q", got)
	}
	_, all := b.follow(ctx, "")

	h.tell(t, session.ID, protocol.EventEntry, protocol.Entry{Role: protocol.RoleAssistant, Text: "hello"})
	if got := event(news); got != "change" {
		t.Errorf("event %q after an entry", got)
	}
	h.ask(t, permission(session.ID))
	if got := event(news); got != "change" {
		t.Errorf("event %q after a prompt", got)
	}
	if got := event(all); got != "change" {
		t.Errorf("event %q of all after a prompt", got)
	}

	home := b.get("/sessions")
	b.submit(home, "/logout", nil).leads("/login")
	h.tell(t, session.ID, protocol.EventEntry, protocol.Entry{Role: protocol.RoleAssistant, Text: "secret"})
	for _, stream := range []*bufio.Scanner{news, all} {
		if got := event(stream); got != "ended" {
			t.Errorf("event %q after the login's end", got)
		}
		if got := event(stream); got != "" {
			t.Errorf("event %q after the stream's end", got)
		}
	}
	if got, _ := b.follow(t.Context(), ""); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d without a login", got.StatusCode)
	}
}

func TestEventStreamsAreBoundedAndLeaveNothing(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, &s.admin)
	grace := s.browser(t, ptr(s.member(t, "grace", "Grace")))
	ctx, cancel := context.WithCancel(t.Context())
	before := goleak.IgnoreCurrent()
	for range 24 {
		b.follow(ctx, "")
	}
	if got, _ := b.follow(ctx, ""); got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" {
		t.Errorf("status %d for one stream too many", got.StatusCode)
	}
	if got, _ := grace.follow(ctx, ""); got.StatusCode != http.StatusOK {
		t.Errorf("status %d for someone else", got.StatusCode)
	}
	cancel()
	b.client.CloseIdleConnections()
	grace.client.CloseIdleConnections()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	b.follow(t.Context(), "") // there is room again
}
