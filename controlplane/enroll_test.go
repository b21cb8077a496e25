package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nkeys"

	"switchboard/controlplane/embedded/pgtest"
	"switchboard/controlplane/fleet"
	"switchboard/controlplane/postgres"
	"switchboard/hostagent/protocol"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func newEnrolment(t *testing.T) *enrolment {
	t.Helper()
	db, err := postgres.Open(t.Context(), pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	quiet := slog.New(slog.DiscardHandler)
	f := &fleet.Fleet{Store: db, Audit: db.Append, PublicURL: "https://switchboard.test", Log: quiet, Now: time.Now}
	return &enrolment{Fleet: f, Audience: "test", Log: quiet}
}

func (e *enrolment) post(t *testing.T, body string) (status int, answer string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, protocol.EnrolPath, strings.NewReader(body))
	r.RemoteAddr = "192.0.2.1" // as clientAddr leaves it
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func newNKey(t *testing.T) string {
	t.Helper()
	key, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return public
}

func TestEnrol(t *testing.T) {
	e := newEnrolment(t)
	token, err := e.Fleet.NewLocalJoinToken(t.Context(), "studio")
	if err != nil {
		t.Fatal(err)
	}
	nkey := newNKey(t)
	request := func(version int, token, nkey string) string {
		return fmt.Sprintf(`{"version":%d,"token":%q,"nkey":%q}`, version, token, nkey)
	}
	for _, test := range []struct {
		name   string
		body   string
		status int
		reason protocol.Reason
	}{
		{"empty", "", 400, protocol.ReasonRequest},
		{"not JSON", "token=x", 400, protocol.ReasonRequest},
		{"unknown field", `{"version":1,"host_id":"mine"}`, 400, protocol.ReasonRequest},
		{"wrong type", `{"version":1,"token":7}`, 400, protocol.ReasonRequest},
		{"goes on", request(1, "x", nkey) + "{}", 400, protocol.ReasonRequest},
		{"huge", `{"version":1,"token":"` + strings.Repeat("x", 20<<10) + `"}`, 400, protocol.ReasonRequest},
		{"old version", request(-5, token.Token, nkey), 400, protocol.ReasonVersion},
		{"no key", request(1, token.Token, "U"), 400, protocol.ReasonRequest},
		{"a seed for a key", request(1, token.Token, "SUA"+strings.Repeat("A", 55)), 400, protocol.ReasonRequest},
		{"unknown token", request(1, "swj_unknown", nkey), 403, protocol.ReasonToken},
		{"good", request(1, token.Token, nkey), 200, ""},
		{"token used by another", request(1, token.Token, newNKey(t)), 403, protocol.ReasonToken},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, answer := e.post(t, test.body)
			var refused protocol.Refusal
			if err := json.Unmarshal([]byte(answer), &refused); err != nil {
				t.Fatalf("%s: %v", answer, err)
			}
			if status != test.status || refused.Code != test.reason {
				t.Errorf("answer %d %s, want %d %s", status, answer, test.status, test.reason)
			}
		})
	}
	host, err := e.Fleet.HostByKey(context.WithoutCancel(t.Context()), nkey)
	if err != nil || host.Name != "studio" {
		t.Errorf("host %+v, %v", host, err)
	}
}

func TestEnrolIsLimited(t *testing.T) {
	e := newEnrolment(t)
	for range enrolsAtOnce {
		if status, answer := e.post(t, "{}"); status == http.StatusTooManyRequests {
			t.Fatalf("limited too early: %s", answer)
		}
	}
	// The limit refills while the loop runs, so more than one attempt may be needed to meet it.
	for range 10 * enrolsAtOnce {
		if status, _ := e.post(t, "{}"); status == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("never limited")
}
