package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"switchboard/auth"
)

// askDevice has a device ask for a code, and returns its two codes.
func (s *site) askDevice(t *testing.T, form url.Values) (deviceCode, userCode string) {
	t.Helper()
	answer := s.browser(t, nil).post(auth.DeviceAuthorizationPath, form)
	var told struct {
		DeviceCode string `json:"device_code"`
		UserCode   string `json:"user_code"`
	}
	if err := json.Unmarshal([]byte(answer.text), &told); err != nil || told.UserCode == "" {
		t.Fatalf("device authorization: %d %s", answer.status, answer.text)
	}
	return told.DeviceCode, told.UserCode
}

// deviceClient registers one, and returns what it asks with.
func (s *site) deviceClient(t *testing.T, name string) url.Values {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"client_name": name, "token_endpoint_auth_method": "none", "client_uri": "https://cli.example/about",
		"grant_types": []string{"urn:ietf:params:oauth:grant-type:device_code"},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := s.browser(t, nil)
	r := b.request(http.MethodPost, auth.RegisterPath, nil)
	r, err = http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL.String(), strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer := b.do(r)
	var client struct {
		ID string `json:"client_id"`
	}
	if err := json.Unmarshal([]byte(answer.text), &client); err != nil || client.ID == "" {
		t.Fatalf("register: %d %s", answer.status, answer.text)
	}
	return url.Values{"client_id": {client.ID}, "scope": {"sessions:read"}}
}

// poll asks for the device's tokens once.
func (s *site) poll(t *testing.T, asked url.Values, deviceCode string) (token, problem string) {
	t.Helper()
	answer := s.browser(t, nil).post(auth.TokenPath, url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {deviceCode}, "client_id": asked["client_id"],
	})
	var told struct {
		AccessToken string `json:"access_token"`
		Error       string `json:"error"`
	}
	if err := json.Unmarshal([]byte(answer.text), &told); err != nil {
		t.Fatalf("token: %d %s", answer.status, answer.text)
	}
	return told.AccessToken, told.Error
}

func TestDevicePages(t *testing.T) {
	s := newSite(t)
	client := s.deviceClient(t, "CLI <b>tool</b>")
	deviceCode, userCode := s.askDevice(t, client)

	stranger := s.browser(t, nil)
	back := stranger.get("/device?user_code=" + userCode).leads("/login?return_to=")
	entered := stranger.submit(stranger.get(back), "/login", url.Values{"name": {"ada"}, "password": {password}}).wants(http.StatusOK)
	filled := strings.TrimPrefix(entered.header.Get("Refresh"), "0; url=")
	if filled != "/device?user_code="+userCode {
		t.Errorf("the login leads to %q", filled)
	}
	page := stranger.get(filled).wants(http.StatusOK, "Only continue if you started this just now").lacks("CLI")
	if form, _ := page.form("/device"); form.Get("user_code") != userCode {
		t.Errorf("the code is not filled in: %v", form)
	}
	page.checkInert(filled)
	stranger.submit(page, "/device", url.Values{"user_code": {"BBBBBBB"}}).wants(http.StatusBadRequest, "Code must have 8 letters")
	stranger.submit(page, "/device", url.Values{"user_code": {"BBBB-BBBB"}}).wants(http.StatusBadRequest, "is not one that a device is waiting with")

	ask := stranger.submit(page, "/device", url.Values{"user_code": {strings.ToLower(userCode)}}).wants(http.StatusOK,
		"CLI <b>tool</b>", "cli.example", userCode, "127.0.0.1", "ada", auth.ScopeSessionsRead.Words(),
		"the device shows the same code", "Whoever is at that device will have these rights of yours")
	ask.checkInert("/device")
	form, action := ask.form("/device/decide")
	stranger.post(action, url.Values{"user_code": form["user_code"], "decision": {"allow"}}).wants(http.StatusForbidden)
	stranger.submit(ask, "/device/decide", url.Values{"decision": {"maybe"}}).wants(http.StatusBadRequest, "Choose to allow or to deny")
	if _, problem := s.poll(t, client, deviceCode); problem != "authorization_pending" {
		t.Errorf("before the decision: %s", problem)
	}
	stranger.submit(ask, "/device/decide", url.Values{"decision": {"allow"}}).wants(http.StatusOK, "Allowed", "goes on by itself")
	stranger.submit(ask, "/device/decide", url.Values{"decision": {"allow"}}).wants(http.StatusBadRequest, "is not one that a device is waiting with")

	denied, userCode := s.askDevice(t, client)
	ask = stranger.submit(page, "/device", url.Values{"user_code": {userCode}}).wants(http.StatusOK)
	stranger.submit(ask, "/device/decide", url.Values{"decision": {"deny"}}).wants(http.StatusOK, "Denied", "was given nothing")
	if _, problem := s.poll(t, client, denied); problem != "access_denied" {
		t.Errorf("after the denial: %s", problem)
	}
}

func TestDevicePageForAHost(t *testing.T) {
	s := newSite(t)
	s.newHost(t, s.admin) // named studio
	b := s.browser(t, &s.admin)
	asked := url.Values{"client_id": {"hostagent"}, "host_name": {"studio"}, "host_user": {"<i>bob</i>"}}
	deviceCode, userCode := s.askDevice(t, asked)
	ask := b.submit(b.get("/device"), "/device", url.Values{"user_code": {userCode}}).wants(http.StatusOK,
		"Make this machine a host of yours?", "becomes a host of yours: sessions started there run commands with the rights of", "<i>bob</i>")
	ask.checkInert("/device")
	taken := b.submit(ask, "/device/decide", url.Values{"decision": {"allow"}}).wants(http.StatusBadRequest, "There is a host named studio already")
	b.submit(taken, "/device/decide", url.Values{"decision": {"allow"}, "name": {"a/b"}}).wants(http.StatusBadRequest, "Host name")
	nameless, _ := ask.form("/device/decide")
	nameless.Del("name")
	nameless.Set("decision", "allow")
	b.post("/device/decide", nameless).wants(http.StatusBadRequest, "Name is missing")
	b.submit(taken, "/device/decide", url.Values{"decision": {"allow"}, "name": {"Desk 2"}}).wants(http.StatusOK, "Allowed", "waiting for the host")
	token, problem := s.poll(t, asked, deviceCode)
	if problem != "" {
		t.Fatal(problem)
	}
	if _, name, err := s.pages.OAuth.Enrolling(t.Context(), auth.Secret(token), ""); err != nil || name != "Desk 2" {
		t.Errorf("the machine is called %q, %v", name, err)
	}
}

func TestDeviceCodesAreThrottledOnThePage(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, &s.admin)
	page := b.get("/device")
	for range 10 {
		b.submit(page, "/device", url.Values{"user_code": {"BBBB-BBBB"}}).wants(http.StatusBadRequest)
	}
	refused := b.submit(page, "/device", url.Values{"user_code": {"BBBB-BBBB"}}).wants(http.StatusTooManyRequests, "Too many failed attempts")
	if refused.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	b.get("/audit").wants(http.StatusOK, "oauth.device")
}
