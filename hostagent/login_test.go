package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/hostagent/protocol"
)

// loginPlane is a control plane that lets a machine log in. Its answers are changed by the tests.
type loginPlane struct {
	*httptest.Server

	mu       sync.Mutex // guards what follows
	metadata map[string]any
	device   map[string]any
	polls    []string // the answers to one poll after the other: an error, or a token that begins with sb_
	enrols   []any    // the same for the enrolment: a protocol.Refusal, a status, or a reply
	asked    url.Values
	enrolled []protocol.EnrolRequest
}

func newLoginPlane(t *testing.T) *loginPlane {
	p := &loginPlane{}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	p.metadata = map[string]any{
		"issuer": p.URL, "device_authorization_endpoint": p.URL + "/device_authorization", "token_endpoint": p.URL + "/token",
	}
	p.device = map[string]any{
		"device_code": "sb_device_x", "user_code": "BCDF-GHJK", "verification_uri": p.URL + "/device",
		"verification_uri_complete": p.URL + "/device?user_code=BCDF-GHJK", "expires_in": 600, "interval": 1,
	}
	p.polls = []string{"sb_access_x"}
	p.enrols = []any{protocol.EnrolReply{Host: "studio-1", Name: "studio", Audience: "test"}}
	return p
}

func (p *loginPlane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	status, answer := http.StatusNotFound, any(map[string]string{})
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	switch r.Method + " " + r.URL.Path {
	case "GET /.well-known/oauth-authorization-server":
		status, answer = http.StatusOK, p.metadata
	case "POST /device_authorization":
		p.asked = form
		status, answer = http.StatusOK, p.device
	case "POST /token":
		status, answer = p.poll(form)
	case "POST /enroll":
		var request protocol.EnrolRequest
		_ = json.Unmarshal(body, &request)
		p.enrolled = append(p.enrolled, request)
		status, answer = p.enrol()
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

func (p *loginPlane) poll(form url.Values) (int, any) {
	next := p.polls[0]
	if len(p.polls) > 1 {
		p.polls = p.polls[1:]
	}
	switch {
	case form.Get("device_code") != "sb_device_x" || form.Get("client_id") != "hostagent" || form.Get("grant_type") != grantDevice:
		return http.StatusBadRequest, map[string]string{"error": "invalid_request"}
	case next == "503":
		return http.StatusServiceUnavailable, map[string]string{"error": "temporarily_unavailable"}
	case !strings.HasPrefix(next, "sb_"):
		return http.StatusBadRequest, map[string]string{"error": next, "error_description": "why"}
	}
	return http.StatusOK, map[string]string{"access_token": next}
}

func (p *loginPlane) enrol() (int, any) {
	next := p.enrols[0]
	if len(p.enrols) > 1 {
		p.enrols = p.enrols[1:]
	}
	switch next := next.(type) {
	case int:
		return next, "not JSON of ours"
	case protocol.Refusal:
		return http.StatusConflict, next
	}
	return http.StatusOK, next
}

func TestLogin(t *testing.T) {
	plane := newLoginPlane(t)
	plane.polls = []string{"authorization_pending", "sb_access_x"}
	dir := filepath.Join(t.TempDir(), "host")
	stdout, stderr, err := hostagent(t, dir, "login", "--name", "desk", plane.URL+"/")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{plane.URL + "/device?user_code=BCDF-GHJK", "shows the code BCDF-GHJK", "is now the host studio", "hostagent install"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("lacks %q:\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout+stderr, "sb_") {
		t.Errorf("a secret is printed:\n%s%s", stdout, stderr)
	}
	config, err := hostDir(dir).load()
	if err != nil {
		t.Fatal(err)
	}
	want := []protocol.EnrolRequest{{Version: protocol.Version, Token: "sb_access_x", NKey: config.NKey}}
	if diff := cmp.Diff(want, plane.enrolled); diff != "" || config.URL != plane.URL {
		t.Errorf("enrolled at %s (-want +got):\n%s", config.URL, diff)
	}
	if plane.asked.Get("host_name") != "desk" || plane.asked.Get("host_user") == "" || plane.asked.Get("scope") != protocol.LoginScope {
		t.Errorf("asked with %v", plane.asked)
	}
	onlyOurs(t, dir)
	if _, _, err := hostagent(t, dir, "login", plane.URL); err == nil || !strings.Contains(err.Error(), "--replace") {
		t.Errorf("once more: %v, want advice to --replace", err)
	}
	if _, _, err := hostagent(t, dir, "login", "--replace", plane.URL); err != nil {
		t.Error(err)
	}
	if name := plane.asked.Get("host_name"); name != machineName() {
		t.Errorf("without --name it is called %q", name)
	}
}

func TestLoginIsRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(p *loginPlane)
		want   string
	}{
		{"older control plane", func(p *loginPlane) { delete(p.metadata, "device_authorization_endpoint") }, "upgrade it, or make a join token"},
		{"something else", func(p *loginPlane) { p.metadata = nil }, "is that a Switchboard control plane?"},
		{"another name", func(p *loginPlane) { p.metadata["issuer"] = "https://other.example" }, `calls itself "https://other.example"`},
		{"elsewhere", func(p *loginPlane) { p.metadata["token_endpoint"] = "https://evil.example/token" }, "not followed"},
		{"elsewhere by prefix", func(p *loginPlane) { p.metadata["token_endpoint"] = p.URL + ".evil.example/token" }, "not followed"},
		{"page elsewhere", func(p *loginPlane) { p.device["verification_uri_complete"] = "https://evil.example/" }, "no code that could be shown"},
		{"code with an escape", func(p *loginPlane) { p.device["user_code"] = "BC\x1b[2J" }, "no code that could be shown"},
		{"no code", func(p *loginPlane) { p.device = map[string]any{} }, "no code that could be shown"},
		{"denied", func(p *loginPlane) { p.polls = []string{"access_denied"} }, "it was denied"},
		{"expired", func(p *loginPlane) { p.polls = []string{"expired_token"} }, "nobody allowed it in time"},
		{"expired here", func(p *loginPlane) { p.device["expires_in"] = 1 }, "nobody allowed it in time"},
		{"unknown", func(p *loginPlane) { p.polls = []string{"invalid_\x1b[2J"} }, `invalid_\x1b[2J`},
		{"name taken meanwhile", func(p *loginPlane) {
			p.enrols = []any{protocol.Refusal{Code: protocol.ReasonRequest, Message: "there is a host named studio already"}}
		}, "there is a host named studio already"},
	} {
		t.Run(test.name, func(t *testing.T) {
			plane := newLoginPlane(t)
			test.change(plane)
			dir := filepath.Join(t.TempDir(), "host")
			_, _, err := hostagent(t, dir, "login", plane.URL)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if _, err := hostDir(dir).load(); !errors.Is(err, errNotEnrolled) {
				t.Errorf("it left a host: %v", err)
			}
		})
	}
	for _, address := range []string{"http://switchboard.example.com", "https://x/y", "x"} {
		if _, _, err := hostagent(t, t.TempDir(), "login", address); err == nil || !strings.Contains(err.Error(), "want") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestLoginEnrolsThroughTrouble: nobody can type the token in again, so a lost answer must not end the login.
func TestLoginEnrolsThroughTrouble(t *testing.T) {
	plane := newLoginPlane(t)
	plane.enrols = append([]any{http.StatusBadGateway}, plane.enrols...)
	dir := filepath.Join(t.TempDir(), "host")
	if _, _, err := hostagent(t, dir, "login", plane.URL); err != nil {
		t.Fatal(err)
	}
	if len(plane.enrolled) != 2 || plane.enrolled[0] != plane.enrolled[1] {
		t.Errorf("enrolled with %v", plane.enrolled)
	}
}

func TestLoginLeavesAKeyThatIsKnown(t *testing.T) {
	plane := newLoginPlane(t)
	plane.enrols = []any{protocol.Refusal{Code: protocol.ReasonKey, Message: "this machine's key belongs to a host already"}}
	dir := filepath.Join(t.TempDir(), "host")
	_, _, err := hostagent(t, dir, "login", plane.URL)
	if err == nil || !strings.Contains(err.Error(), "run `hostagent login` again") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(hostDir(dir).pendingKey()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the key is still there: %v", err)
	}
}

func TestLoginEndsAtOnce(t *testing.T) {
	plane := newLoginPlane(t)
	plane.polls, plane.device["interval"] = []string{"authorization_pending"}, 300
	ctx, stop := context.WithCancel(t.Context())
	shown := writerFunc(func(text []byte) (int, error) {
		if bytes.Contains(text, []byte("Ctrl-C")) {
			stop()
		}
		return len(text), nil
	})
	dir := filepath.Join(t.TempDir(), "host")
	getenv := func(name string) string { return map[string]string{"SWITCHBOARD_HOST_DIR": dir}[name] }
	err := run(ctx, []string{"login", plane.URL}, getenv, strings.NewReader(""), shown, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "given up; nothing has changed") {
		t.Errorf("got %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.nkey")); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// straight answers requests without a network, so that time can be the test's.
type straight struct{ http.Handler }

func (s straight) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result(), nil
}

func TestLoginPollsAsItIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		polls []string
		want  time.Duration
	}{
		"at once":               {[]string{"sb_access_x"}, 5 * time.Second},
		"pending":               {[]string{"authorization_pending", "authorization_pending", "sb_access_x"}, 15 * time.Second},
		"slowed down":           {[]string{"slow_down", "authorization_pending", "slow_down", "sb_access_x"}, (5 + 10 + 10 + 15) * time.Second},
		"out of reach":          {[]string{"503", "503", "sb_access_x"}, (5 + 10 + 20) * time.Second},
		"the code's whole life": {[]string{"authorization_pending"}, 595 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				plane := &loginPlane{polls: test.polls}
				flow := &deviceFlow{address: "https://plane.test", token: "https://plane.test/token", client: &http.Client{Transport: straight{plane}}}
				begin := time.Now()
				token, err := flow.wait(t.Context(), asked{DeviceCode: "sb_device_x", ends: begin.Add(10 * time.Minute)})
				if (err == nil) != (token == "sb_access_x") {
					t.Errorf("got %q, %v", token, err)
				}
				if took := time.Since(begin); took != test.want {
					t.Errorf("took %s, want %s", took, test.want)
				}
			})
		})
	}
}

func TestMachineNameIsOneThatIsAdmitted(t *testing.T) {
	if name := machineName(); fmt.Sprintf("%q", name) != `"`+name+`"` || len(name) > maxMachineName || strings.ContainsAny(name, ". /") {
		t.Errorf("machine name %q", name)
	}
}
