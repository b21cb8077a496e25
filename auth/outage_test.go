package auth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"switchboard/auth"
	"switchboard/controlplane/embedded/pgtest"
)

// wire stands between a server and its database, and can be cut.
type wire struct {
	url      string
	socket   string
	listener net.Listener

	frozen sync.RWMutex // held while nothing passes, though nothing is closed

	mu    sync.Mutex // guards what follows
	cut   bool
	conns []net.Conn
}

// newWire leads to the database at a URL that names a Unix socket.
func newWire(t *testing.T, database string) *wire {
	t.Helper()
	config, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{
		url: (&url.URL{
			Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Host: listener.Addr().String(),
			Path: "/" + config.Database, RawQuery: "sslmode=disable",
		}).String(),
		socket:   filepath.Join(config.Host, fmt.Sprintf(".s.PGSQL.%d", config.Port)),
		listener: listener,
	}
	var done sync.WaitGroup
	done.Go(func() { w.accept(context.WithoutCancel(t.Context())) })
	t.Cleanup(func() {
		listener.Close()
		w.set(true)
		done.Wait()
	})
	return w
}

func (w *wire) accept(ctx context.Context) {
	var copies sync.WaitGroup
	defer copies.Wait()
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return
		}
		server, err := (&net.Dialer{}).DialContext(ctx, "unix", w.socket)
		if err != nil || !w.add(client, server) {
			client.Close()
			continue
		}
		for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
			copies.Go(func() {
				_, _ = io.Copy(passing{w, pair[0]}, pair[1]) // ends when either side does
				pair[0].Close()
				pair[1].Close()
			})
		}
	}
}

// passing is a connection that what is frozen does not reach.
type passing struct {
	wire *wire
	net.Conn
}

func (p passing) Write(b []byte) (int, error) {
	p.wire.frozen.RLock()
	defer p.wire.frozen.RUnlock()
	return p.Conn.Write(b)
}

// add keeps connections until the wire is cut, and reports false if it is.
func (w *wire) add(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		for _, conn := range conns {
			conn.Close()
		}
		return false
	}
	w.conns = append(w.conns, conns...)
	return true
}

// set cuts the wire or mends it.
func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	for _, conn := range w.conns {
		conn.Close()
	}
	w.conns = nil
}

func TestDatabaseAway(t *testing.T) {
	database := pgtest.New(t)
	wire := newWire(t, database)
	s := startServer(t, wire.url, "", newClock())
	login := s.admin(t)
	b := s.browser(t, &login)
	app := s.register(t, nil)
	got := app.connect(b)
	consent := app.authorize(b, nil)
	device := s.deviceApp(t).device(t, nil)
	s.decide(t, login, device.userCode, true)
	personal, _ := s.personal(t, login, ci())
	admin := s.caller(t, login)

	wire.set(true)
	for name, answer := range map[string]page{
		"authorize": app.authorize(b, nil),
		"consent":   app.decide(b, consent, "allow"),
		"code":      app.token(t, app.redemption("x", nil)),
		"refresh":   app.token(t, app.refreshing(got.refresh, nil)),
		"revoke":    b.post(s.url+auth.RevokePath, url.Values{"token": {got.refresh}, "client_id": {app.id}}),
		"device":    device.askDevice(t, nil),
		"poll":      device.poll(t),
		"end":       b.post(s.url+auth.RevokePath, url.Values{"token": {personal}}),
		"register":  s.tryRegister(t, map[string]any{"redirect_uris": []string{webRedirect}}),
	} {
		if answer.status != http.StatusServiceUnavailable || answer.header.Get("Retry-After") == "" || answer.location != nil {
			t.Errorf("%s: %d, Retry-After %q: %s", name, answer.status, answer.header.Get("Retry-After"), answer.body)
		}
		if answer.header.Get("Content-Type") == "application/json" && answer.errorCode(t) != "temporarily_unavailable" {
			t.Errorf("%s: %s", name, answer.body)
		}
	}
	if _, err := s.oauth.Check(t.Context(), auth.Secret(got.access), ""); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("an access token: %v", err)
	}
	if _, err := s.oauth.Check(t.Context(), auth.Secret(personal), ""); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("a personal token: %v", err)
	}
	if _, _, err := s.oauth.CreatePersonalToken(t.Context(), admin, ci()); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("a new personal token: %v", err)
	}
	if _, err := s.oauth.Device(t.Context(), admin, device.userCode); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("a user code: %v", err)
	}
	if _, _, err := s.oauth.Enrolling(t.Context(), auth.Secret(got.access), ""); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("an enrolment: %v", err)
	}
	if _, err := s.accounts.LogIn(t.Context(), adminName, password, auth.Browser{}); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("a login: %v", err)
	}
	if _, _, err := s.accounts.Caller(t.Context(), login.Token, ""); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("a cookie: %v", err)
	}

	wire.set(false)
	readTokens(t, device.poll(t)) // nothing was spent
	readTokens(t, app.token(t, app.refreshing(got.refresh, nil)))
	if answer := app.decide(b, consent, "allow"); answer.status != http.StatusSeeOther {
		t.Errorf("consent afterwards: %d %s", answer.status, answer.body)
	}
}
