package fleet_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/auth/outbound"
	"switchboard/auth/outbound/outboundtest"
	"switchboard/auth/seal"
	"switchboard/controlplane/fleet"
	"switchboard/controlplane/notify"
	"switchboard/hostagent/protocol"
)

const (
	webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	newSecret     = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

// endpoint is a webhook of a client's, somewhere on the internet.
type endpoint struct {
	t       *testing.T
	address string
	client  *outbound.Client

	mu     sync.Mutex // guards what follows
	got    []posted
	status func(attempt int) int // of the answer to a notice
	echo   bool
	asked  int // how often it was verified
}

// posted is a notice as it came.
type posted struct {
	header http.Header
	body   []byte
	id     string
	name   string
	data   fleet.NoticeData
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{t: t, echo: true, status: func(int) int { return http.StatusNoContent }, address: "https://hooks.example/1"}
	internet := outboundtest.New(t, "hooks.example")
	internet.Put(e.address, e.ServeHTTP)
	e.client = &outbound.Client{}
	internet.Reach(e.client)
	return e
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		e.t.Error(err)
	}
	var said struct {
		Type, Challenge string
		EventID, Name   string
		Data            fleet.NoticeData
	}
	if err := json.Unmarshal(body, &said); err != nil {
		e.t.Error(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if said.Type == "verification" {
		e.asked++
		if e.echo {
			_ = json.NewEncoder(w).Encode(map[string]string{"challenge": said.Challenge})
		}
		return
	}
	e.got = append(e.got, posted{r.Header, body, said.EventID, said.Name, said.Data})
	status := e.status(len(e.got))
	if status == http.StatusFound {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(status)
}

// wait returns what came, once there are n.
func (e *endpoint) wait(n int) []posted {
	e.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		e.mu.Lock()
		got := slices.Clone(e.got)
		e.mu.Unlock()
		if len(got) == n {
			return got
		}
		if len(got) > n || time.Now().After(end) {
			e.t.Fatalf("%d notices came, want %d", len(got), n)
		}
	}
}

// signed verifies as Standard Webhooks has it, without our own code.
func (p posted) signed(secret string) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(p.header.Get("webhook-id") + "." + p.header.Get("webhook-timestamp") + "."))
	mac.Write(p.body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return slices.Contains(strings.Fields(p.header.Get("webhook-signature")), want)
}

// subscriptions gives a world what subscriptions need, and a clock that can be put forward.
func (w *world) subscriptions(e *endpoint) (forward func(time.Duration)) {
	w.t.Helper()
	var ahead atomic.Int64
	w.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	w.Webhooks = &notify.Webhooks{Client: e.client, Now: w.Now}
	w.Seal = must(seal.New("webhooks", bytes.Repeat([]byte{7}, 32)))(w.t)
	return func(d time.Duration) { ahead.Add(int64(d)) }
}

// deliver tells notices until the test ends.
func (w *world) deliver() {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.DeliverNotices(ctx) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
}

// client makes a grant to a client, through which the person asks.
func (w *world) client(c auth.Caller, id string) auth.Caller {
	w.t.Helper()
	c.ClientID, c.Client, c.Grant = id, id, auth.GrantID("g-"+id+"-"+c.UserName)
	must(w.sql.Exec(w.t.Context(), `
		INSERT INTO oauth_clients (id, name, redirect_uris, auth_method, metadata) VALUES ($1, $1, '{}', 'none', '{}')
		ON CONFLICT DO NOTHING`, id))(w.t)
	must(w.sql.Exec(w.t.Context(), `
		INSERT INTO oauth_grants (id, user_id, client_id, scopes, resource) VALUES ($1, $2, $3, '', '')`,
		c.Grant, c.User, id))(w.t)
	return c
}

func (e *endpoint) wants(kind fleet.NoticeKind) fleet.Subscribe {
	return fleet.Subscribe{Kind: kind, URL: e.address, Secret: webhookSecret}
}

func (w *world) subscribe(c auth.Caller, wants fleet.Subscribe) fleet.Subscription {
	w.t.Helper()
	return must(w.Subscribe(w.t.Context(), c, wants))(w.t)
}

func TestNoticesAreTold(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	w.subscriptions(e)
	w.deliver()
	alice := w.client(w.person("alice", auth.RoleMember), "chatgpt")
	h := w.newHost(alice, "mac")
	s := w.session(alice, h, "web-app")
	asks := w.subscribe(alice, e.wants(fleet.NoticeNeedsAnswer))
	done := w.subscribe(alice, e.wants(fleet.NoticeFinished))
	w.subscribe(alice, e.wants(fleet.NoticeEnded))

	h.is(s.ID, protocol.StateIdle) // ready: nothing is finished
	h.is(s.ID, protocol.StateWorking)
	prompt := h.asks(s.ID)
	got := e.wait(1)[0]
	want := fleet.NoticeData{
		SessionID: s.Handle, Name: "web-app", Host: "mac", URL: "https://switchboard.example/sessions/" + string(s.ID),
		PromptID: string(prompt.ID), Asks: "permission",
	}
	if got.name != "session.needs_answer" || got.data != want {
		t.Errorf("told %s %+v, want %+v", got.name, got.data, want)
	}
	if got.header.Get("X-MCP-Subscription-Id") != asks.ID || got.header.Get("webhook-id") != got.id || got.id == "" {
		t.Errorf("header %v for event %q of subscription %s", got.header, got.id, asks.ID)
	}
	if !got.signed(webhookSecret) || got.signed(newSecret) {
		t.Errorf("signature %q", got.header.Get("webhook-signature"))
	}
	if bytes.Contains(got.body, []byte("make test")) {
		t.Errorf("what the agent wrote is told: %s", got.body)
	}
	h.say(s.ID, protocol.EventSettlement, protocol.Settlement{Prompt: prompt.ID, Outcome: protocol.OutcomeAllowed, At: time.Now()})
	h.is(s.ID, protocol.StateIdle)
	if got := e.wait(2)[1]; got.name != "session.finished" || got.header.Get("X-MCP-Subscription-Id") != done.ID {
		t.Errorf("told %s to %s", got.name, got.header.Get("X-MCP-Subscription-Id"))
	}
	h.is(s.ID, protocol.StateIdle) // the same again is no news
	h.is(s.ID, protocol.StateExited)
	h.is(s.ID, protocol.StateExited)
	if got := e.wait(3)[2]; got.name != "session.ended" {
		t.Errorf("told %s", got.name)
	}
	if e.asked != 1 {
		t.Errorf("the endpoint was verified %d times for one address", e.asked)
	}
	if allowed, _ := w.audited("subscription.begin"); allowed != 3 {
		t.Errorf("%d of 3 subscriptions are in the audit chain", allowed)
	}
}

func TestNoticesAreToldToWhoMayHearThem(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(w *world, alice, bob auth.Caller, h *host, s fleet.Session, p protocol.Prompt)
		before bool // the change comes before the event
	}{
		{name: "not shared", before: true, change: func(w *world, alice, bob auth.Caller, h *host, _ fleet.Session, _ protocol.Prompt) {
			must(w.sql.Exec(w.t.Context(), `DELETE FROM host_shares`))(w.t)
		}},
		{name: "share withdrawn", change: func(w *world, alice, bob auth.Caller, h *host, _ fleet.Session, _ protocol.Prompt) {
			must(w.sql.Exec(w.t.Context(), `DELETE FROM host_shares`))(w.t)
		}},
		{name: "grant revoked", change: func(w *world, alice, bob auth.Caller, _ *host, _ fleet.Session, _ protocol.Prompt) {
			must(w.sql.Exec(w.t.Context(), `UPDATE oauth_grants SET revoked_at = now() WHERE id = $1`, bob.Grant))(w.t)
		}},
		{name: "person suspended", change: func(w *world, alice, bob auth.Caller, _ *host, _ fleet.Session, _ protocol.Prompt) {
			must(w.sql.Exec(w.t.Context(), `UPDATE users SET suspended_at = now() WHERE id = $1`, bob.User))(w.t)
		}},
		{name: "client disabled", change: func(w *world, alice, bob auth.Caller, _ *host, _ fleet.Session, _ protocol.Prompt) {
			must(w.sql.Exec(w.t.Context(), `UPDATE oauth_clients SET disabled_at = now() WHERE id = $1`, bob.ClientID))(w.t)
		}},
		{name: "host removed", change: func(w *world, alice, bob auth.Caller, h *host, _ fleet.Session, _ protocol.Prompt) {
			must(w.sql.Exec(w.t.Context(), `UPDATE hosts SET removed_at = now()`))(w.t)
		}},
		{name: "answered meanwhile", change: func(w *world, _, _ auth.Caller, h *host, s fleet.Session, p protocol.Prompt) {
			h.say(s.ID, protocol.EventSettlement, protocol.Settlement{Prompt: p.ID, Outcome: protocol.OutcomeDenied, At: time.Now()})
		}},
		{name: "unsubscribed", change: func(w *world, alice, bob auth.Caller, _ *host, _ fleet.Session, _ protocol.Prompt) {
			if err := w.Unsubscribe(w.t.Context(), bob, fleet.Subscribe{Kind: fleet.NoticeNeedsAnswer, URL: bobsURL(w)}); err != nil {
				w.t.Fatal(err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, e := newWorld(t), newEndpoint(t)
			w.subscriptions(e)
			alice := w.client(w.person("alice", auth.RoleMember), "chatgpt")
			bob := w.client(w.person("bob", auth.RoleMember), "claude")
			h := w.newHost(alice, "mac")
			s := w.session(alice, h, "web-app")
			if err := w.ShareHost(t.Context(), alice, string(h.ID), bob.User, fleet.AccessViewer); err != nil {
				t.Fatal(err)
			}
			w.subscribe(bob, e.wants(fleet.NoticeNeedsAnswer))
			if test.before {
				test.change(w, alice, bob, h, s, protocol.Prompt{})
			}
			prompt := h.asks(s.ID)
			if !test.before {
				test.change(w, alice, bob, h, s, prompt)
			}
			// Alice's own comes after bob's would have: then bob's is not late, but never.
			w.subscribe(alice, e.wants(fleet.NoticeFinished))
			w.deliver()
			h.is(s.ID, protocol.StateWorking)
			if test.name != "host removed" {
				h.is(s.ID, protocol.StateIdle)
				if got := e.wait(1)[0]; got.name != "session.finished" {
					t.Errorf("bob was told %s", got.name)
				}
				return
			}
			time.Sleep(300 * time.Millisecond) // nothing more can be awaited: the session is nobody's
			e.wait(0)
		})
	}
}

func bobsURL(w *world) string {
	w.t.Helper()
	var url string
	if err := w.sql.QueryRow(w.t.Context(), `SELECT url FROM subscriptions WHERE user_id = 'u-bob'`).Scan(&url); err != nil {
		w.t.Fatal(err)
	}
	return url
}

func TestNoticesThatFail(t *testing.T) {
	for _, test := range []struct {
		name    string
		status  []int // of the answers, in turn
		forward time.Duration
		ids     []int // which notice is told each time
		ends    bool  // the subscription
		reason  string
	}{
		{name: "retried", status: []int{500, 204, 204}, forward: 6 * time.Second, ids: []int{0, 0, 1}},
		{name: "a redirect is not followed", status: []int{302, 204, 204}, forward: 6 * time.Second, ids: []int{0, 0, 1}},
		{name: "too early", status: []int{425, 204, 204}, forward: 6 * time.Second, ids: []int{0, 0, 1}},
		{name: "too large: not sent again", status: []int{413, 204}, ids: []int{0, 1}},
		{name: "gone: ends", status: []int{410}, ids: []int{0}, ends: true},
		{name: "waits before it tries again", status: []int{503}, ids: []int{0}, reason: "http_5xx"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, e := newWorld(t), newEndpoint(t)
			forward := w.subscriptions(e)
			e.status = func(attempt int) int { return test.status[min(attempt, len(test.status))-1] }
			alice := w.client(w.person("alice", auth.RoleMember), "chatgpt")
			h := w.newHost(alice, "mac")
			s := w.session(alice, h, "web-app")
			sub := w.subscribe(alice, e.wants(fleet.NoticeNeedsAnswer))
			prompts := []string{string(h.asks(s.ID).ID), string(h.asks(s.ID).ID)}
			w.deliver()
			if test.forward > 0 {
				e.wait(1)
				w.failedOnce(sub.ID)
				forward(test.forward)
				w.Changes.Publish(h.ID, s.ID)
			}
			got := e.wait(len(test.ids))
			for i, which := range test.ids {
				if got[i].data.PromptID != prompts[which] {
					t.Errorf("attempt %d tells of prompt %s, want %s", i, got[i].data.PromptID, prompts[which])
				}
			}
			if len(got) == 3 && got[0].id != got[1].id {
				t.Errorf("the same notice is %s and then %s", got[0].id, got[1].id)
			}
			again, err := w.Subscribe(t.Context(), alice, e.wants(fleet.NoticeNeedsAnswer))
			if err != nil || again.ID != sub.ID {
				t.Fatalf("renewed as %s of %s: %v", again.ID, sub.ID, err)
			}
			if e.asked != 1 && !test.ends {
				t.Errorf("verified %d times", e.asked)
			}
			if test.ends && e.asked != 2 {
				t.Errorf("an endpoint that was gone is not asked again")
			}
			if test.reason != "" && (again.LastError != test.reason || again.FailedSince == nil) {
				t.Errorf("status %+v, want %s", again, test.reason)
			}
		})
	}
}

func (w *world) failedOnce(id string) {
	w.t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var failures int
		if err := w.sql.QueryRow(w.t.Context(), `SELECT failures FROM subscriptions WHERE id = $1`, id).Scan(&failures); err != nil {
			w.t.Fatal(err)
		}
		if failures > 0 {
			return
		}
		if time.Now().After(end) {
			w.t.Fatal("the failure was never counted")
		}
	}
}

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

// Each notice comes once, from whichever replica has it.
func TestReplicasShareNotices(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	w.subscriptions(e)
	alice := w.client(w.person("alice", auth.RoleMember), "chatgpt")
	h := w.newHost(alice, "mac")
	s := w.session(alice, h, "web-app")
	w.subscribe(alice, e.wants(fleet.NoticeNeedsAnswer))
	w.deliver()
	w.deliver()
	const many = 40
	for range many {
		h.asks(s.ID)
	}
	seen := map[string]bool{}
	for _, got := range e.wait(many) {
		if seen[got.id] {
			t.Errorf("%s came twice", got.id)
		}
		seen[got.id] = true
	}
}

// A replica that dies with a subscription in hand loses nothing: another one goes on when the lease is over.
func TestDeadReplica(t *testing.T) {
	w, e := newWorld(t), newEndpoint(t)
	forward := w.subscriptions(e)
	alice := w.client(w.person("alice", auth.RoleMember), "chatgpt")
	h := w.newHost(alice, "mac")
	s := w.session(alice, h, "web-app")
	w.subscribe(alice, e.wants(fleet.NoticeNeedsAnswer))
	h.asks(s.ID)
	now := w.Now()
	if due := must(w.db.ClaimSubscriptions(t.Context(), now, now.Add(time.Minute), 16))(t); len(due) != 1 {
		t.Fatalf("%d subscriptions are due", len(due))
	}
	if due := must(w.db.ClaimSubscriptions(t.Context(), now, now.Add(time.Minute), 16))(t); len(due) != 0 {
		t.Fatal("another replica claims what is in hand")
	}
	forward(2 * time.Minute)
	w.deliver()
	e.wait(1)
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
