package web_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"switchboard/hostagent/protocol"
)

// stream is an event stream that is being read.
type stream struct {
	status int
	header http.Header
	lines  *bufio.Scanner
}

// follow opens an event stream and reads its first line, after which nothing is missed.
func (b *browser) follow(ctx context.Context, query string) stream {
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
	return stream{answer.StatusCode, answer.Header, lines}
}

// event reads on to the next event's name; empty: the stream has ended.
func (s stream) event() string {
	for s.lines.Scan() {
		if name, ok := strings.CutPrefix(s.lines.Text(), "event: "); ok {
			return name
		}
	}
	return ""
}

func TestEventsTellOfChangesAndOfTheLoginsEnd(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	session := h.start(t, s.admin)
	b := s.browser(t, &s.admin)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	one := b.follow(ctx, "?session="+string(session.ID))
	if got := one.header.Get("Content-Type"); !strings.HasPrefix(got, "text/event-stream") {
		t.Errorf("Content-Type %q", got)
	}
	all := b.follow(ctx, "")

	h.tell(t, session.ID, protocol.EventEntry, protocol.Entry{Role: protocol.RoleAssistant, Text: "hello"})
	if got := one.event(); got != "change" {
		t.Errorf("event %q after an entry", got)
	}
	h.ask(t, permission(session.ID))
	if got := one.event(); got != "change" {
		t.Errorf("event %q after a prompt", got)
	}
	if got := all.event(); got != "change" {
		t.Errorf("event %q of all after a prompt", got)
	}

	home := b.get("/sessions")
	b.submit(home, "/logout", nil).leads("/login")
	h.tell(t, session.ID, protocol.EventEntry, protocol.Entry{Role: protocol.RoleAssistant, Text: "secret"})
	for _, followed := range []stream{one, all} {
		if got := followed.event(); got != "ended" {
			t.Errorf("event %q after the login's end", got)
		}
		if got := followed.event(); got != "" {
			t.Errorf("event %q after the stream's end", got)
		}
	}
	if got := b.follow(t.Context(), ""); got.status != http.StatusUnauthorized {
		t.Errorf("status %d without a login", got.status)
	}
}

func TestEventsEndWithTheLogin(t *testing.T) {
	for _, test := range []struct {
		name   string
		within time.Duration
		end    string
	}{
		{"suspended", 2 * time.Second, `UPDATE users SET suspended_at = now() WHERE name = 'grace'`},
		{"logged out elsewhere", 2 * time.Second, `DELETE FROM web_sessions WHERE user_id = (SELECT id FROM users WHERE name = 'grace')`},
		{"suspended, and not told", 5 * time.Second, `
			ALTER TABLE users DISABLE TRIGGER users_changed;
			UPDATE users SET suspended_at = now() WHERE name = 'grace'`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t)
			grace := s.browser(t, ptr(s.member(t, "grace", "Grace"))).follow(t.Context(), "")
			ended := make(chan string)
			go func() { ended <- grace.event() + grace.event() }()
			s.execute(t, test.end)
			began := time.Now()
			if got := <-ended; got != "ended" {
				t.Errorf("events %q, want only the end", got)
			}
			if took := time.Since(began); took > test.within {
				t.Errorf("ended after %v, want at most %v", took, test.within)
			}
		})
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
	if got := b.follow(ctx, ""); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("status %d for one stream too many", got.status)
	}
	if got := grace.follow(ctx, ""); got.status != http.StatusOK {
		t.Errorf("status %d for someone else", got.status)
	}
	cancel()
	b.client.CloseIdleConnections()
	grace.client.CloseIdleConnections()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	b.follow(t.Context(), "") // there is room again
}
