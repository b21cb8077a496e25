package link_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"switchboard/controlplane/dispatch"
	"switchboard/controlplane/embedded"
	"switchboard/hostagent/link"
	"switchboard/hostagent/protocol"
)

// plane is the part of a control plane that hosts talk to, with real NATS and TLS. What it commits it keeps in
// memory, as far as this test's questions go.
type plane struct {
	dir   string
	keys  embedded.Keys
	https *httptest.Server

	mu        sync.Mutex
	handler   http.Handler
	hosts     map[string]protocol.HostID // by nkey
	committed map[protocol.SessionID][]protocol.Event
	doubled   int
	segments  []protocol.StoreSegmentRequest
	refusing  bool          // events are not committed
	ahead     time.Duration // of this machine's clock; 0: the time is not told
	older     bool          // it does not know the report of adopted sessions
	adopted   map[protocol.SessionID]int
	hellos    int
	greeted   map[protocol.HostID]bool
	left      []protocol.HostID
	away      []protocol.HostID
	changed   chan struct{} // closed and replaced at each change of the above

	conn        *nats.Conn
	stop        func()
	stopReports func()
}

func newPlane(t *testing.T) *plane {
	p := &plane{dir: t.TempDir(), hosts: map[string]protocol.HostID{}, greeted: map[protocol.HostID]bool{},
		committed: map[protocol.SessionID][]protocol.Event{}, adopted: map[protocol.SessionID]int{}, changed: make(chan struct{})}
	var err error
	if p.keys, err = embedded.LoadKeys(p.dir); err != nil {
		t.Fatal(err)
	}
	p.https = httptest.NewTLSServer(p)
	t.Cleanup(p.https.Close)
	p.start(t)
	t.Cleanup(func() { p.stop() })
	return p
}

func (p *plane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	handler := p.handler
	p.mu.Unlock()
	handler.ServeHTTP(w, r)
}

// start starts all but the HTTPS port; stop ends it, as a restart does.
func (p *plane) start(t *testing.T) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	server, err := embedded.StartNATS(t.Context(), embedded.NATSConfig{Dir: p.dir + "/nats", Keys: p.keys, Log: log})
	must(t, err)
	conn, err := server.Connect("test", log)
	must(t, err)
	p.conn = conn
	ctx, cancel := context.WithCancel(context.Background())
	callout := &dispatch.Callout{Conn: conn, Issuer: p.keys.Issuer, Seal: p.keys.Seal, Account: embedded.Account,
		HostByKey: p.hostByKey, Log: log, Now: time.Now}
	stopCallout, err := callout.Serve(ctx)
	must(t, err)
	audience, err := p.keys.Audience()
	must(t, err)
	bridge := &dispatch.Bridge{Conn: conn, Dial: server.Dial, HostByKey: p.hostByKey, Away: p.recordAway, Log: log,
		Proofs: &dispatch.Proofs{Audience: audience, Now: time.Now}}
	stopBridge, err := bridge.Listen()
	must(t, err)
	stopHello, err := dispatch.On(ctx, conn, log, protocol.Hello, p.recordHello)
	must(t, err)
	stopEvents, err := dispatch.On(ctx, conn, log, protocol.Events, p.recordEvents)
	must(t, err)
	stopLeaving, err := dispatch.On(ctx, conn, log, protocol.Leaving, p.recordLeaving)
	must(t, err)
	stopSegments, err := dispatch.On(ctx, conn, log, protocol.StoreSegment, p.storeSegment)
	must(t, err)
	stopAdoptions := func() {}
	if !p.older {
		stopAdoptions, err = dispatch.On(ctx, conn, log, protocol.AdoptSession, p.recordAdoption)
		must(t, err)
	}
	p.mu.Lock()
	p.handler = bridge
	p.mu.Unlock()
	p.stopReports = func() {
		stopLeaving()
		stopAdoptions()
		stopSegments()
		stopEvents()
		stopHello()
	}
	p.stop = sync.OnceFunc(func() {
		stopBridge()
		p.stopReports()
		stopCallout()
		cancel()
		conn.Close()
		server.Stop()
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// update changes the plane's memory and wakes who waits for it.
func (p *plane) update(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.changed)
	p.changed = make(chan struct{})
}

// await returns when done is true of the plane's memory; the test's own deadline is the limit.
func (p *plane) await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for {
		p.mu.Lock()
		ok, changed := done(), p.changed
		p.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-time.After(30 * time.Second):
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func (p *plane) hostByKey(_ context.Context, nkey string) (protocol.HostID, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	host, ok := p.hosts[nkey]
	if !ok {
		return "", dispatch.ErrUnknownKey
	}
	return host, nil
}

func (p *plane) recordAway(_ context.Context, host protocol.HostID) {
	p.update(func() { p.away = append(p.away, host) })
}

func (p *plane) recordLeaving(_ context.Context, host protocol.HostID, _ protocol.Nothing) (protocol.Nothing, error) {
	p.update(func() { p.left = append(p.left, host) })
	return protocol.Nothing{}, nil
}

func (p *plane) recordHello(_ context.Context, host protocol.HostID, r protocol.HelloRequest) (protocol.HelloReply, error) {
	last := map[protocol.SessionID]uint64{}
	var now time.Time
	p.update(func() {
		if p.ahead != 0 {
			now = time.Now().Add(p.ahead)
		}
		p.hellos++
		p.greeted[host] = true
		for _, session := range r.Sessions {
			if session.Adopted && p.adopted[session.ID] == 0 {
				continue
			}
			last[session.ID] = uint64(len(p.committed[session.ID]))
		}
	})
	return protocol.HelloReply{LastSeq: last, Now: now}, nil
}

func (p *plane) recordAdoption(_ context.Context, _ protocol.HostID, r protocol.AdoptSessionRequest) (protocol.Nothing, error) {
	p.update(func() { p.adopted[r.Session.ID]++ })
	return protocol.Nothing{}, nil
}

func (p *plane) recordEvents(_ context.Context, _ protocol.HostID, r protocol.EventsRequest) (protocol.EventsReply, error) {
	var reply protocol.EventsReply
	refused := false
	p.update(func() {
		if refused = p.refusing; refused {
			return
		}
		for _, event := range r.Events {
			last := uint64(len(p.committed[r.Session]))
			if event.Seq <= last {
				p.doubled++
			}
			if event.Seq == last+1 {
				p.committed[r.Session] = append(p.committed[r.Session], event)
			}
		}
		reply.LastSeq = uint64(len(p.committed[r.Session]))
	})
	if refused {
		return reply, protocol.Errorf(protocol.CodeUnavailable, "not committed; try again")
	}
	return reply, nil
}

// enrol makes a key and a host that has it.
func (p *plane) enrol(t *testing.T, host protocol.HostID) nkeys.KeyPair {
	t.Helper()
	key, err := nkeys.CreateUser()
	must(t, err)
	public, err := key.PublicKey()
	must(t, err)
	p.update(func() { p.hosts[public] = host })
	return key
}

// link makes a host's link, not yet running.
func (p *plane) link(t *testing.T, host protocol.HostID, key nkeys.KeyPair, source link.Source) *link.Link {
	t.Helper()
	audience, err := p.keys.Audience()
	must(t, err)
	return &link.Link{URL: p.https.URL, Host: host, Audience: audience, Key: key, Agent: "test", Source: source,
		Transport: p.transport(), Log: slog.New(slog.DiscardHandler)}
}

func (p *plane) transport() *http.Transport {
	transport := link.NewTransport()
	transport.TLSClientConfig = &tls.Config{RootCAs: p.https.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	return transport
}

// running runs the link; stop ends it and returns what Run returned.
func running(t *testing.T, l *link.Link) (stop func() error, ended <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { cancel() })
	return stop, done
}

// script is a source whose sessions' events the test writes.
type script struct {
	mu           sync.Mutex
	events       map[protocol.SessionID][]protocol.Event
	adopted      protocol.SessionID // one that was; empty: none
	acknowledged chan protocol.SessionID
	changed      chan struct{}
}

func newScript() *script {
	return &script{
		events:       map[protocol.SessionID][]protocol.Event{},
		acknowledged: make(chan protocol.SessionID, 100),
		changed:      make(chan struct{}, 1),
	}
}

func (s *script) add(id protocol.SessionID, text string) {
	s.mu.Lock()
	event := protocol.NewEvent(time.Unix(1, 0).UTC(), protocol.EventEntry, protocol.Entry{Role: protocol.RoleAssistant, Text: text})
	event.Seq = uint64(len(s.events[id]) + 1)
	s.events[id] = append(s.events[id], event)
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *script) Sessions() []protocol.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sessions []protocol.Session
	for id, events := range s.events {
		sessions = append(sessions, protocol.Session{ID: id, State: protocol.StateIdle, LastSeq: uint64(len(events)), Adopted: id == s.adopted})
	}
	return sessions
}

func (s *script) Events(id protocol.SessionID, after uint64, limit int) ([]protocol.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := s.events[id][min(after, uint64(len(s.events[id]))):]
	return events[:min(limit, len(events))], nil
}

func (s *script) Changed() <-chan struct{} { return s.changed }

func (s *script) Acknowledged(id protocol.SessionID, _ uint64) {
	select {
	case s.acknowledged <- id:
	default: // the test does not listen
	}
}

// has waits for the next session of which the source is told that the control plane has events.
func (s *script) has(t *testing.T) protocol.SessionID {
	t.Helper()
	select {
	case id := <-s.acknowledged:
		return id
	case <-time.After(30 * time.Second):
		t.Fatal("nothing is acknowledged")
		return ""
	}
}

func (s *script) Describe() (kinds []protocol.Kind, roots, modes []string) {
	return []protocol.Kind{{Name: "claude", Version: "2.1.329"}}, []string{"/home/dev"}, []string{"manual"}
}
