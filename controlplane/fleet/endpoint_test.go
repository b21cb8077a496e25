package fleet_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/auth/outbound"
	"switchboard/auth/outbound/outboundtest"
	"switchboard/auth/seal"
	"switchboard/controlplane/fleet"
	"switchboard/controlplane/notify"
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
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
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

// released waits until nobody serves a subscription.
func (w *world) released() {
	w.t.Helper()
	for served := true; served; {
		err := w.sql.QueryRow(w.t.Context(), `SELECT EXISTS (SELECT FROM subscriptions WHERE next_at > now() + interval '1 second')`).Scan(&served)
		if err != nil {
			w.t.Fatal(err)
		}
	}
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
	must(w.sql.Exec(w.t.Context(), `
		INSERT INTO oauth_tokens (kind, signature, grant_id, scopes, created_at, expires_at)
		VALUES ('refresh', $1, $1, '', now(), now() + interval '90 days')`, c.Grant))(w.t)
	return c
}

func (e *endpoint) wants(kind fleet.NoticeKind) fleet.Subscribe {
	return fleet.Subscribe{Kind: kind, URL: e.address, Secret: webhookSecret}
}

func (w *world) subscribe(c auth.Caller, wants fleet.Subscribe) fleet.Subscription {
	w.t.Helper()
	return must(w.Subscribe(w.t.Context(), c, wants))(w.t)
}
