package mcphttp

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/server"
)

// pipes is a network inside a synctest bubble, where hours pass at once.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return pipeAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p.conns <- pipeConn{far}
	return near, nil
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "tcp" }
func (pipeAddr) String() string  { return "127.0.0.1:80" }

type pipeConn struct{ net.Conn }

func (pipeConn) RemoteAddr() net.Addr { return pipeAddr{} }

// inBubble runs a test whose clock runs by itself.
func inBubble(t *testing.T, test func(*testing.T, *endpoint)) {
	synctest.Test(t, func(t *testing.T) {
		network := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		client := &http.Client{Transport: &http.Transport{DialContext: network.dial}}
		test(t, serve(t, network, client, newMemory(), nil))
	})
}

func TestStoreAwayWhileItLasts(t *testing.T) {
	inBubble(t, func(t *testing.T, e *endpoint) {
		answers := make(chan reply)
		go func() { answers <- e.post(t, callTool("wait"), nil) }()
		<-e.calls
		e.setDown(true)
		if got := <-answers; got.status != 503 {
			t.Errorf("got %d %s, want 503: whether the token still counts cannot be told", got.status, got.body)
		}
	})
}

// Without a session, mcp-go would let anybody cancel request 1 of anybody.
func TestNobodyCancelsForAnother(t *testing.T) {
	inBubble(t, func(t *testing.T, e *endpoint) {
		answers := make(chan reply, 1)
		go func() { answers <- e.post(t, callTool("wait"), nil) }()
		<-e.calls
		cancel := `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`
		for _, version := range []string{"2025-11-25", "2026-07-28"} {
			got := e.post(t, cancel, func(r *http.Request) {
				bearer("bob-token")(r)
				r.Header.Set("Mcp-Protocol-Version", version)
			})
			if got.status != 202 {
				t.Errorf("notification: %d %s", got.status, got.body)
			}
		}
		synctest.Wait()
		select {
		case got := <-answers:
			t.Errorf("the call was cancelled: %s", got.body)
		default:
		}
		e.revoke() // lets it end
		<-answers
	})
}

func TestStream(t *testing.T) {
	inBubble(t, func(t *testing.T, e *endpoint) {
		id := e.open(t, "alice-token")
		response, err := e.client.Do(e.request(t, "GET", "", inSession("alice-token", id)))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		for name, want := range map[string]string{
			"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", "Cache-Control": "no-store",
		} {
			if got := response.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		stream := bufio.NewReader(response.Body)
		for range 4 { // the event that a client comes back by
			if _, err := stream.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		if line, err := stream.ReadString('\n'); err != nil || line != ": alive\n" {
			t.Errorf("read %q, %v, want a comment that keeps the stream alive", line, err)
		}
		e.send(t, e.request(t, "DELETE", "", inSession("alice-token", id)))
		if _, err := io.ReadAll(stream); err != nil {
			t.Errorf("the stream of an ended session: %v, want its end", err)
		}
	})
}

func TestSlowBody(t *testing.T) {
	inBubble(t, func(t *testing.T, e *endpoint) {
		slow, feed := io.Pipe()
		defer func() { _ = feed.Close() }() // never fails
		r := e.request(t, "POST", "", nil)
		r.Body, r.ContentLength = slow, -1
		go func() { _, _ = feed.Write([]byte("{")) }() // and no more
		if got := e.send(t, r); got.status != 408 {
			t.Errorf("got %d %s, want 408", got.status, got.body)
		}
	})
}

func TestIdleSessionExpires(t *testing.T) {
	inBubble(t, func(t *testing.T, e *endpoint) {
		id := e.open(t, "alice-token")
		time.Sleep(idleExpiry / 2)
		if got := e.post(t, callTool("who"), inSession("alice-token", id)); got.status != 200 {
			t.Errorf("a session in use: %d", got.status)
		}
		time.Sleep(2 * idleExpiry)
		if got := e.post(t, callTool("who"), inSession("alice-token", id)); got.status != 404 {
			t.Errorf("a session that was left: %d, want 404", got.status)
		}
	})
}

// A call that takes long becomes a stream, so that no proxy takes its connection for dead.
func TestSilentCallBecomesStream(t *testing.T) {
	for name, change := range map[string]func(*testing.T, *endpoint, *http.Request){
		"without a session": func(*testing.T, *endpoint, *http.Request) {},
		"in a session": func(t *testing.T, e *endpoint, r *http.Request) {
			inSession("alice-token", e.open(t, "alice-token"))(r)
			r.Header.Set("Mcp-Protocol-Version", "2025-11-25")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, e *endpoint) {
				began := time.Now()
				r := e.request(t, "POST", callTool("counts"), nil)
				change(t, e, r)
				response, err := e.client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				if took := time.Since(began); took > 15*time.Second || response.Header.Get("Content-Type") != eventStream || response.Header.Get("X-Accel-Buffering") != "no" {
					t.Errorf("after %v: %d %v", took, response.StatusCode, response.Header)
				}
				stream := bufio.NewReader(response.Body)
				for alive := 0; alive < 4; {
					line, err := stream.ReadString('\n')
					if err != nil {
						t.Fatal(err)
					}
					if line == ": alive\n" {
						alive++
					}
				}
				if took := time.Since(began); took > 30*time.Second {
					t.Errorf("four comments took %v", took)
				}
				close(e.counts)
				if rest, err := io.ReadAll(stream); err != nil || strings.Count(string(rest), eventPrefix+`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"counted"}]}}`+"\n\n") != 1 {
					t.Errorf("then came %s %v", rest, err)
				}
			})
		})
	}
}

// A client that goes away ends its call where the answer could not reach it any more.
func TestClientGoes(t *testing.T) {
	inBubble(t, func(t *testing.T, e *endpoint) {
		r := e.request(t, "POST", callTool("wait"), inSession("alice-token", e.open(t, "alice-token")))
		ctx, cut := context.WithCancel(t.Context())
		answers := make(chan error)
		go func() {
			response, err := e.client.Do(r.WithContext(ctx))
			if err == nil {
				err = response.Body.Close()
			}
			answers <- err
		}()
		<-e.calls
		cut()
		if err := <-answers; err == nil { // and the bubble sees that nothing is left over
			t.Error("an answer came all the same")
		}
	})
}

// A session in use costs no write per call.
func TestTouchedOnceAMinute(t *testing.T) {
	inBubble(t, func(t *testing.T, e *endpoint) {
		id := e.open(t, "alice-token")
		for range 60 {
			time.Sleep(5 * time.Second)
			if got := e.post(t, callTool("who"), inSession("alice-token", id)); got.status != 200 {
				t.Errorf("got %d", got.status)
			}
			<-e.calls
		}
		if db, ok := e.db.(*memory); !ok || db.touches > 5 {
			t.Errorf("%d writes in five minutes", db.touches)
		}
	})
}

// A client that only listens hears what comes after hours, too.
func TestListeningSessionStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		client := &http.Client{Transport: &http.Transport{DialContext: network.dial}}
		var s *server.MCPServer
		e := serve(t, network, client, newMemory(), func(c *Config) { s = c.MCP })
		id := e.open(t, "alice-token")
		response, err := e.client.Do(e.request(t, "GET", "", inSession("alice-token", id)))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		go func() {
			time.Sleep(3 * idleExpiry)
			if err := s.SendNotificationToSpecificClient(id, "notifications/late", nil); err != nil {
				t.Error(err)
			}
		}()
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if strings.Contains(lines.Text(), "notifications/late") {
				return
			}
		}
		t.Error("the stream ended before")
	})
}
