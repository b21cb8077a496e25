package mcphttp

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/server"

	"switchboard/controlplane/mcpsession"
)

// After a restart a client comes back with all that it had open at once: each request finds the whole session.
func TestAdoptionIsWaitedFor(t *testing.T) {
	db := database(t)
	one, two := startOn(t, db, nil), startOn(t, db, nil)
	for range 20 {
		id := one.open(t, "alice-token")
		var wait sync.WaitGroup
		ctx, leave := context.WithCancel(t.Context())
		wait.Go(func() {
			r := two.request(t, "GET", "", inSession("alice-token", id)).WithContext(ctx)
			if got, err := two.client.Do(r); err == nil {
				<-ctx.Done()
				_ = got.Body.Close() // it is cut
			}
		})
		var calls sync.WaitGroup
		for range 4 {
			calls.Go(func() {
				got := two.post(t, callTool("client"), inSession("alice-token", id))
				if got.status != 200 || !strings.Contains(got.body, `"text":"test"`) {
					t.Errorf("got %d %s, want what the client said when it initialized", got.status, got.body)
				}
			})
		}
		calls.Wait()
		leave()
		wait.Wait()
		if got := two.post(t, callTool("client"), inSession("alice-token", id)); !strings.Contains(got.body, `"text":"test"`) {
			t.Errorf("afterwards: %d %s", got.status, got.body)
		}
	}
}

// leaving is a store that finds a session only when whoever asks has gone, once.
type leaving struct {
	mcpsession.Store
	asked chan struct{}
	once  sync.Once
}

func (l *leaving) MCPSession(ctx context.Context, id string) (mcpsession.Session, error) {
	s, err := l.Store.MCPSession(ctx, id)
	l.once.Do(func() {
		close(l.asked)
		<-ctx.Done()
	})
	return s, err
}

// A request that is given up while its session is adopted leaves it whole to the next one.
func TestAdoptionOutlivesItsRequest(t *testing.T) {
	db := database(t)
	id := startOn(t, db, nil).open(t, "alice-token")
	store := &leaving{Store: db, asked: make(chan struct{})}
	e := startOn(t, store, nil)
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-store.asked
		leave()
	}()
	if got, err := e.client.Do(e.request(t, "POST", callTool("client"), inSession("alice-token", id)).WithContext(ctx)); err == nil {
		_ = got.Body.Close() // only that it was answered counts
		t.Fatal("the request was answered")
	}
	if got := e.post(t, callTool("client"), inSession("alice-token", id)); !strings.Contains(got.body, `"text":"test"`) {
		t.Errorf("got %d %s, want what the client said when it initialized", got.status, got.body)
	}
}

// However many sessions a client opens, or uses here that it opened elsewhere, mcp-go holds no more than it may have.
func TestMcpGoHoldsNoMoreThanMaxSessions(t *testing.T) {
	t.Parallel()
	db := database(t)
	var held atomic.Int32
	count := func(c *Config) {
		hooks := &server.Hooks{}
		hooks.AddOnRegisterSession(func(context.Context, server.ClientSession) { held.Add(1) })
		hooks.AddOnUnregisterSession(func(context.Context, server.ClientSession) { held.Add(-1) })
		server.WithHooks(hooks)(c.MCP)
	}
	one, two := startOn(t, db, nil), startOn(t, db, count)
	bobs := two.open(t, "bob-token")
	for range maxSessions + 5 {
		two.open(t, "alice-token")
	}
	for range maxSessions + 5 {
		two.post(t, callTool("who"), inSession("alice-token", one.open(t, "alice-token")))
	}
	if got := held.Load(); got != maxSessions+1 {
		t.Errorf("mcp-go holds %d sessions, want alice's %d and bob's", got, maxSessions)
	}
	if got := two.post(t, callTool("client"), inSession("bob-token", bobs)); !strings.Contains(got.body, `"text":"test"`) {
		t.Errorf("bob's: %d %s", got.status, got.body)
	}
}

// hanging is a store that does not find sessions any more.
type hanging struct {
	mcpsession.Store
	hangs atomic.Bool
}

func (h *hanging) MCPSession(ctx context.Context, id string) (mcpsession.Session, error) {
	if h.hangs.Load() {
		<-ctx.Done()
		return mcpsession.Session{}, ctx.Err()
	}
	return h.Store.MCPSession(ctx, id)
}

// That nobody can say whether the session lives keeps no stream of a revoked token open.
func TestRevokedWhileSessionsHang(t *testing.T) {
	t.Parallel()
	store := &hanging{Store: database(t)}
	e := startOn(t, store, nil)
	id := e.open(t, "alice-token")
	s := e.streaming(t, e.request(t, "GET", "", inSession("alice-token", id)))
	store.hangs.Store(true)
	e.revoke()
	cut := make(chan struct{})
	go func() {
		defer close(cut)
		for _, more := s.next(); more; _, more = s.next() {
		}
	}()
	select {
	case <-cut:
	case <-time.After(watchEvery + lookTimeout + cutTimeout + time.Second):
		t.Error("the stream is still open")
	}
}

// What waits in the database for whoever asked is as short as an answer is.
func TestLongAnswer(t *testing.T) {
	db := database(t)
	e := startOn(t, db, nil)
	id := e.open(t, "alice-token")
	now := time.Now()
	if err := db.InsertMCPStream(t.Context(), mcpsession.Stream{Session: id, ID: "asks", BegunAt: now, AliveAt: now}, now); err != nil {
		t.Fatal(err)
	}
	for length, want := range map[int]int{1000: http.StatusAccepted, maxAnswer: http.StatusBadRequest} {
		answer := `{"jsonrpc":"2.0","id":"asks.1","result":{"content":"` + strings.Repeat("a", length) + `"}}`
		if got := e.post(t, answer, inSession("alice-token", id)); got.status != want {
			t.Errorf("%d characters: %d %s, want %d", length, got.status, got.body, want)
		}
	}
}
