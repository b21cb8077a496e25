package fleet_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/controlplane/notify"
)

func TestSubscribeRefuses(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	w.subscriptions(e)
	web := w.person("alice", auth.RoleMember)
	alice := w.client(web, "chatgpt")
	bob := w.client(w.person("bob", auth.RoleMember), "chatgpt")
	s := w.session(alice, w.newHost(alice, "mac"), "web-app")
	blind := alice
	blind.Scopes = auth.Scopes{auth.ScopeHostsRead}
	ok := e.wants(fleet.NoticeFinished)
	with := func(change func(*fleet.Subscribe)) fleet.Subscribe {
		wants := ok
		change(&wants)
		return wants
	}
	for _, test := range []struct {
		name   string
		caller auth.Caller
		wants  fleet.Subscribe
		err    error
	}{
		{"no such event", alice, with(func(s *fleet.Subscribe) { s.Kind = "session.deleted" }), auth.ErrNotFound},
		{"plain http", alice, with(func(s *fleet.Subscribe) { s.URL = "http://example.com/hook" }), fleet.ErrInvalid},
		{"credentials", alice, with(func(s *fleet.Subscribe) { s.URL = "https://a:b@example.com/hook" }), fleet.ErrInvalid},
		{"fragment", alice, with(func(s *fleet.Subscribe) { s.URL = "https://example.com/hook#a" }), fleet.ErrInvalid},
		{"control character", alice, with(func(s *fleet.Subscribe) { s.URL = "https://example.com/a\r\nb" }), fleet.ErrInvalid},
		{"long", alice, with(func(s *fleet.Subscribe) { s.URL = "https://example.com/" + strings.Repeat("a", 3000) }), fleet.ErrInvalid},
		{"a service's port", alice, with(func(s *fleet.Subscribe) { s.URL = "https://example.com:22/" }), fleet.ErrInvalid},
		{"secret without prefix", alice, with(func(s *fleet.Subscribe) { s.Secret = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }), fleet.ErrInvalid},
		{"short secret", alice, with(func(s *fleet.Subscribe) { s.Secret = "whsec_AAAA" }), fleet.ErrInvalid},
		{"bob for alice's session", bob, with(func(w *fleet.Subscribe) { w.Session = s.Handle }), auth.ErrNotFound},
		{"bob for no session", bob, with(func(s *fleet.Subscribe) { s.Session = "web-app_none" }), auth.ErrNotFound},
		{"bob for alice's host", bob, with(func(s *fleet.Subscribe) { s.Host = "mac" }), auth.ErrNotFound},
		{"without the scope", blind, ok, auth.ErrForbidden},
		{"not a client", web, ok, auth.ErrForbidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := w.Subscribe(t.Context(), test.caller, test.wants); !errors.Is(err, test.err) {
				t.Errorf("got %v, want %v", err, test.err)
			}
		})
	}
	if e.asked != 0 {
		t.Errorf("the endpoint was asked %d times for what was refused", e.asked)
	}
	if err := w.Unsubscribe(t.Context(), alice, ok); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("ending what never began: %v", err)
	}
	w.subscribe(alice, ok)
	if err := w.Unsubscribe(t.Context(), bob, ok); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("bob ends alice's: %v", err)
	}
}

func TestEndpointIsVerified(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*endpoint)
		reason notify.Reason
	}{
		{"does not echo", func(e *endpoint) { e.echo = false }, notify.ReasonChallenge},
		{"private address", func(e *endpoint) {
			e.client.Resolve = func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, nil
			}
		}, notify.ReasonRefused},
		{"not certified", func(e *endpoint) { e.client.Roots = x509.NewCertPool() }, notify.ReasonTLS},
		{"not there", func(e *endpoint) {
			e.client.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
		}, notify.ReasonRefused},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, e := newWorld(t), newEndpoint(t)
			w.subscriptions(e)
			test.change(e)
			alice := w.client(w.person("alice", auth.RoleMember), "chatgpt")
			_, err := w.Subscribe(t.Context(), alice, e.wants(fleet.NoticeFinished))
			var failed *notify.CallbackError
			if !errors.As(err, &failed) || failed.Reason != test.reason {
				t.Errorf("got %v (%+v), want %s", err, failed, test.reason)
			}
			if strings.Contains(err.Error(), "10.0.0.1") {
				t.Errorf("the error tells where it went: %v", err)
			}
		})
	}
}

func TestSecretIsReplaced(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	forward := w.subscriptions(e)
	w.deliver()
	alice := w.client(w.person("alice", auth.RoleMember), "chatgpt")
	h := w.newHost(alice, "mac")
	s := w.session(alice, h, "web-app")
	w.subscribe(alice, e.wants(fleet.NoticeNeedsAnswer))
	renewed := e.wants(fleet.NoticeNeedsAnswer)
	renewed.Secret = newSecret
	w.subscribe(alice, renewed)
	w.subscribe(alice, renewed) // which does not push the old one out
	h.asks(s.ID)
	if got := e.wait(1)[0]; !got.signed(webhookSecret) || !got.signed(newSecret) {
		t.Errorf("right after the change: %q", got.header.Get("webhook-signature"))
	}
	w.released() // whoever serves it knows the secrets of when he began
	forward(2 * time.Hour)
	h.asks(s.ID)
	if got := e.wait(2)[1]; got.signed(webhookSecret) || !got.signed(newSecret) {
		t.Errorf("hours after the change: %q", got.header.Get("webhook-signature"))
	}
	var clear bool
	err := w.sql.QueryRow(t.Context(), `SELECT bool_or(sub::text LIKE '%whsec_%') FROM subscriptions sub`).Scan(&clear)
	if err != nil || clear {
		t.Errorf("a secret stands in the database: %v", err)
	}
}

func TestTooManySubscriptions(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	w.subscriptions(e)
	alice := w.client(w.person("alice", auth.RoleMember), "chatgpt")
	w.subscribe(alice, e.wants(fleet.NoticeFinished))
	must(w.sql.Exec(t.Context(), `
		INSERT INTO subscriptions (id, user_id, client_id, grant_id, kind, url, secret, created_at, expires_at, next_at)
		SELECT 'other-' || n, user_id, client_id, grant_id, kind, url || n, secret, created_at, expires_at, next_at
		FROM subscriptions, generate_series(1, 99) n`))(t)
	if _, err := w.Subscribe(t.Context(), alice, e.wants(fleet.NoticeEnded)); !errors.Is(err, fleet.ErrTooMany) {
		t.Errorf("the 101st: %v", err)
	}
	w.subscribe(alice, e.wants(fleet.NoticeFinished)) // renewing is not one more
	if err := w.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
}
