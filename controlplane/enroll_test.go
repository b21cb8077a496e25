package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nkeys"

	"switchboard/auth"
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
	oauth := &auth.OAuth{
		Store: db, Accounts: &auth.Accounts{Store: db, Audit: db, PublicURL: f.PublicURL, Now: time.Now, Log: quiet},
		Audit: db, PublicURL: f.PublicURL, Now: time.Now, Log: quiet, Secret: bytes.Repeat([]byte("k"), 32),
	}
	return &enrolment{Fleet: f, OAuth: oauth, Audience: "test", Log: quiet}
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

// hostToken has a person allow the host agent a machine of that name.
func (e *enrolment) hostToken(t *testing.T, name string) string {
	t.Helper()
	accounts := e.OAuth.Accounts
	link, _, err := accounts.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	account := auth.NewAccount{Name: "ada", Password: "correct horse battery staple"}
	login, err := accounts.Accept(t.Context(), auth.Secret(link[strings.LastIndex(link, "/")+1:]), account, auth.Browser{Addr: "192.0.2.2"})
	if err != nil {
		t.Fatal(err)
	}
	caller, _, err := accounts.Caller(t.Context(), login.Token, "192.0.2.2")
	if err != nil {
		t.Fatal(err)
	}
	var told map[string]any
	e.form(t, e.OAuth.DeviceAuthorization, "client_id=hostagent", &told)
	if _, err := e.OAuth.DecideDevice(t.Context(), caller, told["user_code"].(string), true, name); err != nil {
		t.Fatal(err)
	}
	form := "client_id=hostagent&grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=" + told["device_code"].(string)
	e.form(t, e.OAuth.Token, form, &told)
	return told["access_token"].(string)
}

func (e *enrolment) form(t *testing.T, handler http.HandlerFunc, form string, answer any) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	handler(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), answer); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
}

// TestEnrolWithAccessToken trades what `hostagent login` got: once, for one key, and the grant is over.
func TestEnrolWithAccessToken(t *testing.T) {
	e := newEnrolment(t)
	token := e.hostToken(t, "desk")
	body := func(nkey string) string { return fmt.Sprintf(`{"version":1,"token":%q,"nkey":%q}`, token, nkey) }
	keys := make([]string, 16)
	for i := range keys {
		keys[i] = newNKey(t)
	}
	statuses := make([]int, len(keys))
	var group sync.WaitGroup
	for i, nkey := range keys {
		group.Go(func() { statuses[i], _ = e.post(t, body(nkey)) })
	}
	group.Wait()
	winner := slices.Index(statuses, http.StatusOK)
	for i, status := range statuses {
		if i != winner && status != http.StatusForbidden {
			t.Errorf("a loser got %d", status)
		}
	}
	if winner < 0 || slices.Contains(statuses[winner+1:], http.StatusOK) {
		t.Fatalf("statuses %v, want one 200", statuses)
	}
	if _, _, err := e.OAuth.Enrolling(t.Context(), auth.Secret(token), ""); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("the grant lives on: %v", err)
	}
	// The answer may have been lost: the same key finds its host, another does not.
	if status, answer := e.post(t, body(keys[winner])); status != http.StatusOK || !strings.Contains(answer, "desk") {
		t.Errorf("repeat: %d %s", status, answer)
	}
	if status, answer := e.post(t, body(newNKey(t))); status != http.StatusForbidden {
		t.Errorf("second machine: %d %s", status, answer)
	}
	host, err := e.Fleet.HostByKey(t.Context(), keys[winner])
	if err != nil || host.Name != "desk" || host.OwnerName != "ada" {
		t.Errorf("host %+v, %v", host, err)
	}
}

// TestLoginIsOneContract: both sides name the same endpoint, client and scope.
func TestLoginIsOneContract(t *testing.T) {
	for name, pair := range map[string][2]string{
		"path":  {auth.EnrolPath, protocol.EnrolPath},
		"scope": {string(auth.ScopeHostsEnroll), protocol.LoginScope},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %q and %q", name, pair[0], pair[1])
		}
	}
	e := newEnrolment(t)
	var told map[string]any
	form := url.Values{
		"client_id": {protocol.LoginClient}, protocol.LoginHostName: {strings.Repeat("x", protocol.MaxLoginHostIs)}, protocol.LoginHostUser: {"ada"},
	}
	e.form(t, e.OAuth.DeviceAuthorization, form.Encode(), &told)
}

// TestRevokedTokenEnrolsNothing: a machine whose first try failed holds a token that was seen; when the person takes the
// grant back, it is worth nothing.
func TestRevokedTokenEnrolsNothing(t *testing.T) {
	e := newEnrolment(t)
	token := e.hostToken(t, "desk")
	other, err := e.Fleet.NewLocalJoinToken(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	taken := newNKey(t)
	if _, err := e.Fleet.Enrol(t.Context(), fleet.Enrolment{Token: other.Token, NKey: taken}, ""); err != nil {
		t.Fatal(err)
	}
	body := func(nkey string) string { return fmt.Sprintf(`{"version":1,"token":%q,"nkey":%q}`, token, nkey) }
	if status, answer := e.post(t, body(taken)); status != http.StatusConflict {
		t.Fatalf("with a key that is known: %d %s", status, answer)
	}
	caller, _, err := e.OAuth.Enrolling(t.Context(), auth.Secret(token), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.OAuth.Store.RevokeGrant(t.Context(), caller.Grant, "by its person", time.Now()); err != nil {
		t.Fatal(err)
	}
	if status, answer := e.post(t, body(newNKey(t))); status != http.StatusForbidden {
		t.Errorf("after the grant was revoked: %d %s", status, answer)
	}
}
