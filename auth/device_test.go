package auth_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"switchboard/auth"
)

const grantDevice = "urn:ietf:params:oauth:grant-type:device_code"

// device is an app on a machine without a browser, after it has asked for a code.
type device struct {
	*app
	code     string // the device's
	userCode string
}

// deviceApp registers as a command line tool would.
func (s *server) deviceApp(t *testing.T) *app {
	t.Helper()
	answer := s.tryRegister(t, map[string]any{
		"client_name": "switchboard-cli", "token_endpoint_auth_method": "none", "grant_types": []string{grantDevice, "refresh_token"},
	})
	if answer.status != http.StatusCreated {
		t.Fatalf("register: %d %s", answer.status, answer.body)
	}
	return &app{s: s, id: answer.json(t)["client_id"].(string)}
}

func (a *app) askDevice(t *testing.T, change url.Values) page {
	t.Helper()
	form := url.Values{"client_id": {a.id}, "scope": {"sessions:read sessions:write"}, "resource": {a.s.oauth.Resource()}}
	return a.s.browser(t, nil).post(a.s.url+auth.DeviceAuthorizationPath, changed(form, change))
}

func (a *app) device(t *testing.T, change url.Values) device {
	t.Helper()
	answer := a.askDevice(t, change)
	if answer.status != http.StatusOK {
		t.Fatalf("device authorization: %d %s", answer.status, answer.body)
	}
	m := answer.json(t)
	return device{app: a, code: m["device_code"].(string), userCode: m["user_code"].(string)}
}

func (d device) form(change url.Values) url.Values {
	return changed(url.Values{"grant_type": {grantDevice}, "device_code": {d.code}, "client_id": {d.id}}, change)
}

func (d device) poll(t *testing.T) page {
	t.Helper()
	return d.token(t, d.form(nil))
}

// wants polls once the device may, and checks which error it is told.
func (d device) wants(t *testing.T, code string) {
	t.Helper()
	if answer := d.poll(t); answer.status != http.StatusBadRequest || answer.errorCode(t) != code {
		t.Errorf("poll: %d %s, want %s", answer.status, answer.body, code)
	}
}

func (s *server) decide(t *testing.T, login auth.Login, userCode string, allow bool) {
	t.Helper()
	if _, err := s.oauth.DecideDevice(t.Context(), s.caller(t, login), userCode, allow, ""); err != nil {
		t.Fatal(err)
	}
}

func TestDeviceAuthorizationAnswer(t *testing.T) {
	s := newServer(t)
	answer := s.deviceApp(t).askDevice(t, nil)
	m := answer.json(t)
	userCode, _ := m["user_code"].(string)
	if _, ok := auth.ParseUserCode(userCode); !ok || len(userCode) != 9 || userCode[4] != '-' {
		t.Errorf("user_code %q", userCode)
	}
	if m["verification_uri"] != s.url+"/device" || m["verification_uri_complete"] != s.url+"/device?user_code="+userCode ||
		m["expires_in"] != 600.0 || m["interval"] != 5.0 || answer.header.Get("Cache-Control") != "no-store" {
		t.Errorf("answer %v %v", answer.header, m)
	}
	metadata := s.browser(t, nil).get(s.url + auth.ServerMetadataPath)
	if got := metadata.json(t)["device_authorization_endpoint"]; got != s.url+auth.DeviceAuthorizationPath || !strings.Contains(metadata.body, grantDevice) {
		t.Errorf("metadata %s", metadata.body)
	}
	for _, secret := range []string{m["device_code"].(string), userCode} {
		if strings.Contains(s.logs.String(), secret) {
			t.Errorf("%.10s… is in the log", secret)
		}
	}
}

func TestDeviceAuthorizationIsChecked(t *testing.T) {
	s := newServer(t)
	app := s.deviceApp(t)
	for _, test := range []struct {
		name   string
		change url.Values
		status int
		code   string
	}{
		{"no client", url.Values{"client_id": nil}, 401, "invalid_client"},
		{"unknown client", url.Values{"client_id": {"x"}}, 401, "invalid_client"},
		{"client without the grant", url.Values{"client_id": {s.register(t, nil).id}}, 400, "unauthorized_client"},
		{"personal tokens' client", url.Values{"client_id": {"personal-token"}}, 400, "unauthorized_client"},
		{"unknown scope", url.Values{"scope": {"root"}}, 400, "invalid_scope"},
		{"manage", url.Values{"scope": {"manage"}}, 400, "invalid_scope"},
		{"another's scope", url.Values{"scope": {"hosts:enroll"}}, 400, "invalid_scope"},
		{"other resource", url.Values{"resource": {"https://other.example/mcp"}}, 400, "invalid_target"},
		{"enrolment's resource", url.Values{"resource": {s.url + "/enroll"}}, 400, "invalid_target"},
		{"scope twice", url.Values{"scope": {"sessions:read", "sessions:write"}}, 400, "invalid_request"},
		{"host agent's other scope", url.Values{"client_id": {"hostagent"}}, 400, "invalid_scope"},
		{"host agent at the resource", url.Values{"client_id": {"hostagent"}, "scope": nil}, 400, "invalid_target"},
		{"host with a long name", url.Values{"client_id": {"hostagent"}, "scope": nil, "resource": nil, "host_name": {strings.Repeat("x", 65)}}, 400, "invalid_request"},
		{"host with a bad name", url.Values{"client_id": {"hostagent"}, "scope": nil, "resource": nil, "host_name": {"a\x00b"}}, 400, "invalid_request"},
		{"host with a bad user", url.Values{"client_id": {"hostagent"}, "scope": nil, "resource": nil, "host_user": {"a\u202eb"}}, 400, "invalid_request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if answer := app.askDevice(t, test.change); answer.status != test.status || answer.errorCode(t) != test.code {
				t.Errorf("%d %s, want %d %s", answer.status, answer.body, test.status, test.code)
			}
		})
	}
	endpoint := s.url + auth.DeviceAuthorizationPath
	if got := s.browser(t, nil).get(endpoint); got.status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", got.status)
	}
	if got := s.postBody(t, auth.DeviceAuthorizationPath, "application/json", `{}`); got.status != http.StatusUnsupportedMediaType {
		t.Errorf("JSON: %d", got.status)
	}
}

func TestDeviceAuthorizationIsLimited(t *testing.T) {
	app := newServer(t).deviceApp(t)
	for n := range 40 {
		if answer := app.askDevice(t, nil); answer.status == http.StatusTooManyRequests {
			if n < 20 || answer.header.Get("Retry-After") == "" {
				t.Errorf("limited after %d: %v", n, answer.header)
			}
			return
		}
	}
	t.Error("never limited")
}

// TestDeviceFlow goes through every answer of RFC 8628 section 3.5.
func TestDeviceFlow(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	d := s.deviceApp(t).device(t, nil)
	d.wants(t, "authorization_pending")
	d.wants(t, "slow_down") // at once: from now on ten seconds
	s.Advance(6 * time.Second)
	d.wants(t, "slow_down") // fifteen
	s.Advance(15 * time.Second)
	d.wants(t, "authorization_pending")

	request, err := s.oauth.Device(t.Context(), s.caller(t, login), strings.ToLower(strings.Replace(d.userCode, "-", " ", 1)))
	if err != nil || request.Client != "switchboard-cli" || request.Addr != "127.0.0.1" || request.Code() != d.userCode {
		t.Fatalf("request %+v, %v", request, err)
	}
	s.decide(t, login, d.userCode, true)
	d.wants(t, "slow_down")
	s.Advance(20 * time.Second)
	got := readTokens(t, d.poll(t))
	caller, err := s.oauth.Check(t.Context(), auth.Secret(got.access), "10.0.0.1")
	if err != nil || caller.User != login.User.ID || caller.ClientID != d.id || caller.Scopes.String() != "sessions:read sessions:write offline_access" {
		t.Errorf("caller %+v, %v", caller, err)
	}
	d.wants(t, "invalid_grant") // fetched once
	if !s.works(t, got.access) {
		t.Error("a second poll ended the tokens")
	}
	next := readTokens(t, d.token(t, d.refreshing(got.refresh, nil)))
	if !s.works(t, next.access) || next.refresh == got.refresh {
		t.Error("the refresh token does not do")
	}
	grants, err := s.oauth.Grants(t.Context(), s.caller(t, login), auth.GrantFilter{})
	if err != nil || len(grants) != 1 || grants[0].Origin != auth.OriginDevice || grants[0].LastAddr == "" {
		t.Errorf("grants %+v, %v", grants, err)
	}
	if err := s.oauth.RevokeGrant(t.Context(), s.caller(t, login), caller.Grant); err != nil {
		t.Fatal(err)
	}
	if s.works(t, next.access) {
		t.Error("works after it was revoked")
	}
	acts := map[string]int{}
	for _, event := range s.actions(t) {
		acts[event.Action]++
	}
	if acts["oauth.consent"] != 1 || acts["oauth.token"] != 1 {
		t.Errorf("audit %v", acts)
	}
}

func TestDeviceIsRefused(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	d := s.deviceApp(t).device(t, nil)
	s.decide(t, login, d.userCode, false)
	d.wants(t, "access_denied")
	if _, err := s.oauth.DecideDevice(t.Context(), s.caller(t, login), d.userCode, true, ""); !errors.Is(err, auth.ErrNoDevice) {
		t.Errorf("allowed after it was denied: %v", err)
	}

	late := s.deviceApp(t).device(t, nil)
	approvedLate := s.deviceApp(t).device(t, nil)
	s.decide(t, login, approvedLate.userCode, true)
	s.Advance(10 * time.Minute)
	late.wants(t, "expired_token")
	approvedLate.wants(t, "expired_token")
	if _, err := s.oauth.DecideDevice(t.Context(), s.caller(t, login), late.userCode, true, ""); !errors.Is(err, auth.ErrNoDevice) {
		t.Errorf("allowed after its end: %v", err)
	}

	d = s.deviceApp(t).device(t, nil)
	s.decide(t, login, d.userCode, true)
	for name, test := range map[string]struct {
		change url.Values
		code   string
	}{
		"no device code":      {url.Values{"device_code": nil}, "invalid_request"},
		"forged device code":  {url.Values{"device_code": {d.code + "x"}}, "invalid_grant"},
		"another's code":      {url.Values{"client_id": {s.deviceApp(t).id}}, "invalid_grant"},
		"client without":      {url.Values{"client_id": {s.register(t, nil).id}}, "unauthorized_client"},
		"another resource":    {url.Values{"resource": {"https://other.example/mcp"}}, "invalid_target"},
		"the user code":       {url.Values{"device_code": {d.userCode}}, "invalid_grant"},
		"as an ordinary code": {url.Values{"grant_type": {"authorization_code"}, "code": {d.code}}, "unauthorized_client"},
		"as a refresh token":  {url.Values{"grant_type": {"refresh_token"}, "refresh_token": {d.code}}, "invalid_grant"},
	} {
		if answer := d.token(t, d.form(test.change)); answer.errorCode(t) != test.code {
			t.Errorf("%s: %d %s, want %s", name, answer.status, answer.body, test.code)
		}
	}
	if got := readTokens(t, d.token(t, d.form(url.Values{"resource": {s.oauth.Resource()}}))); !s.works(t, got.access) {
		t.Error("the right request does not do")
	}
	if s.works(t, d.code) {
		t.Error("a device code opens the resource")
	}
}

func TestDeviceEndsWithItsPerson(t *testing.T) {
	s := newServer(t)
	admin := s.admin(t)
	bob := s.member(t, admin)
	revoked, suspended := s.deviceApp(t).device(t, nil), s.deviceApp(t).device(t, nil)
	s.decide(t, bob, revoked.userCode, true)
	if err := s.oauth.RevokeUser(t.Context(), s.caller(t, admin), bob.User.ID); err != nil {
		t.Fatal(err)
	}
	revoked.wants(t, "access_denied")
	s.decide(t, bob, suspended.userCode, true)
	if err := s.accounts.Suspend(t.Context(), s.caller(t, admin), bob.User.ID, true); err != nil {
		t.Fatal(err)
	}
	suspended.wants(t, "access_denied")
}

// TestDeviceActsForWhoAllows: a code is nobody's until somebody types it.
func TestDeviceActsForWhoAllows(t *testing.T) {
	s := newServer(t)
	bob := s.member(t, s.admin(t))
	d := s.deviceApp(t).device(t, nil)
	s.decide(t, bob, d.userCode, true)
	got := readTokens(t, d.poll(t))
	if caller, err := s.oauth.Check(t.Context(), auth.Secret(got.access), ""); err != nil || caller.User != bob.User.ID {
		t.Errorf("caller %+v, %v", caller, err)
	}
	client, err := s.oauth.Check(t.Context(), auth.Secret(got.access), "")
	if err != nil {
		t.Fatal(err)
	}
	next := s.deviceApp(t).device(t, nil)
	if _, err := s.oauth.DecideDevice(t.Context(), client, next.userCode, true, ""); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a client allows another: %v", err)
	}
}

func TestUserCodesAreNotGuessed(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	caller := s.caller(t, login)
	d := s.deviceApp(t).device(t, nil)
	servers := []*server{s, s.replica(t)}
	looked := 0
	for _, err := range race(servers, func(on *server) error {
		_, err := on.oauth.Device(t.Context(), caller, "BBBB-BBBB")
		return err
	}) {
		switch {
		case errors.Is(err, auth.ErrNoDevice):
			looked++
		case !errors.Is(err, auth.ErrThrottled):
			t.Error(err)
		}
	}
	for range 10 { // those in parallel may all have been refused
		if _, err := s.oauth.Device(t.Context(), caller, "BBBB-BBBB"); errors.Is(err, auth.ErrNoDevice) {
			looked++
		}
	}
	if looked != 10 {
		t.Errorf("%d codes were tried, want 10", looked)
	}
	if _, err := s.oauth.Device(t.Context(), caller, d.userCode); !errors.Is(err, auth.ErrThrottled) {
		t.Errorf("the right code after too many wrong ones: %v", err)
	}
	s.Advance(16 * time.Minute)
	d = s.deviceApp(t).device(t, nil)
	for range 30 { // right ones do not count
		if _, err := s.oauth.Device(t.Context(), caller, d.userCode); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOneDeviceCodePolledAtOnce(t *testing.T) {
	s := newServer(t)
	servers := []*server{s, s.replica(t)}
	d := s.deviceApp(t).device(t, nil)
	s.decide(t, s.admin(t), d.userCode, true)
	var won []tokens
	for _, answer := range race(servers, func(on *server) page {
		return on.browser(t, nil).post(on.url+auth.TokenPath, d.form(nil))
	}) {
		if answer.status == http.StatusOK {
			won = append(won, readTokens(t, answer))
			continue
		}
		if answer.status != http.StatusBadRequest || answer.errorCode(t) != "invalid_grant" {
			t.Errorf("a loser got %d %s", answer.status, answer.body)
		}
	}
	if len(won) != 1 || !s.works(t, won[0].access) {
		t.Errorf("%d of %d polls got tokens, want exactly one that work", len(won), racers)
	}
}

// TestPollsAtOnceAreSlowedDown: the interval holds on every replica.
func TestPollsAtOnceAreSlowedDown(t *testing.T) {
	s := newServer(t)
	servers := []*server{s, s.replica(t)}
	d := s.deviceApp(t).device(t, nil)
	told := map[string]int{}
	for _, answer := range race(servers, func(on *server) page {
		return on.browser(t, nil).post(on.url+auth.TokenPath, d.form(nil))
	}) {
		told[answer.errorCode(t)]++
	}
	if told["authorization_pending"] != 1 || told["slow_down"] != racers-1 {
		t.Errorf("answers %v", told)
	}
}

func TestOneUserCodeDecidedAtOnce(t *testing.T) {
	s := newServer(t)
	admin := s.admin(t)
	ada, bob := s.caller(t, admin), s.caller(t, s.member(t, admin))
	d := s.deviceApp(t).device(t, nil)
	turns := make(chan int, racers)
	for i := range racers {
		turns <- i
	}
	won := 0
	for _, err := range race([]*server{s, s.replica(t)}, func(on *server) error {
		turn := <-turns
		if turn >= 20 {
			return auth.ErrNoDevice // more at once would be taken for guesses
		}
		_, err := on.oauth.DecideDevice(t.Context(), []auth.Caller{ada, bob}[turn%2], d.userCode, turn%3 > 0, "")
		return err
	}) {
		if err == nil {
			won++
		} else if !errors.Is(err, auth.ErrNoDevice) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d decisions, want one", won)
	}
}

// TestEnrolmentTokenOpensNothingElse: the host agent's token is for one act at one place.
func TestEnrolmentTokenOpensNothingElse(t *testing.T) {
	s := newServer(t)
	login := s.admin(t)
	agent := &app{s: s, id: "hostagent"}
	ask := url.Values{"scope": {"hosts:enroll"}, "resource": nil, "host_name": {"studio"}, "host_user": {"ada"}}
	d := agent.device(t, ask)
	request, err := s.oauth.Device(t.Context(), s.caller(t, login), d.userCode)
	if err != nil || !request.Enrols() || request.HostName != "studio" || request.HostUser != "ada" {
		t.Fatalf("request %+v, %v", request, err)
	}
	if _, err := s.oauth.DecideDevice(t.Context(), s.caller(t, login), d.userCode, true, "desk"); err != nil {
		t.Fatal(err)
	}
	got := readTokens(t, d.poll(t))
	if got.refresh != "" || got.scope != "hosts:enroll" {
		t.Errorf("tokens %+v", got)
	}
	if s.works(t, got.access) {
		t.Error("the token opens the MCP endpoint")
	}
	caller, name, err := s.oauth.Enrolling(t.Context(), auth.Secret(got.access), "10.0.0.1")
	if err != nil || name != "desk" || caller.User != login.User.ID || caller.ClientID != "hostagent" {
		t.Fatalf("caller %+v, %q, %v", caller, name, err)
	}
	if err := s.oauth.Enrolled(t.Context(), caller); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.oauth.Enrolling(t.Context(), auth.Secret(got.access), ""); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("after its use: %v", err)
	}
	web := s.register(t, nil).connect(s.browser(t, &login))
	personal, _ := s.personal(t, login, ci())
	for name, token := range map[string]string{"access token": web.access, "personal token": personal, "refresh token": web.refresh, "none": ""} {
		if _, _, err := s.oauth.Enrolling(t.Context(), auth.Secret(token), ""); !errors.Is(err, auth.ErrInvalidToken) {
			t.Errorf("%s enrols a host: %v", name, err)
		}
	}
	query := s.register(t, nil).request(url.Values{"scope": {"hosts:enroll"}})
	refused := s.browser(t, &login).get(s.url + auth.AuthorizePath + "?" + query.Encode())
	if refused.location == nil || refused.location.Query().Get("error") != "invalid_scope" {
		t.Errorf("a client may ask for hosts:enroll: %d %v", refused.status, refused.location)
	}
}
