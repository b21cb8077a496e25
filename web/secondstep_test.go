package web_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"switchboard/auth"
)

// totp is what an authenticator app shows now, or so many steps from now.
func totp(t *testing.T, key string, apart int64) string {
	t.Helper()
	secret, err := base32.StdEncoding.DecodeString(strings.ReplaceAll(key, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()/30+apart)))
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&0xf:])&0x7fffffff%1_000_000)
}

// codes is the text of each <code> on the page.
func (p page) codes() []string {
	var found []string
	for _, node := range p.all("code") {
		found = append(found, node.FirstChild.Data)
	}
	return found
}

func TestAuthenticatorAppFromTheAccountPage(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, &s.admin)
	b.get("/account").wants(http.StatusOK, "Authenticator app", "Set up")
	setUp := b.get("/account/authenticator").wants(http.StatusOK, "Scan this")
	key := setUp.codes()[0]
	image := b.get("/account/authenticator/image").wants(http.StatusOK)
	if _, err := png.Decode(bytes.NewReader([]byte(image.text))); err != nil || image.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the image: %v, %v", err, image.header)
	}
	b.submit(setUp, "/account/authenticator", url.Values{"code": {"000000"}}).wants(http.StatusBadRequest, "Code is wrong")
	kept := b.submit(setUp, "/account/authenticator", url.Values{"code": {totp(t, key, -1)}}).wants(http.StatusOK, "I have kept them")
	codes := kept.codes()
	if len(codes) != 10 {
		t.Errorf("recovery codes %v", codes)
	}
	b.get("/account").wants(http.StatusOK, "10 of your recovery codes are left").lacks(key, codes[0])
	b.get("/account/authenticator").wants(http.StatusBadRequest, "is set up already")
	b.get("/account/authenticator/image").wants(http.StatusBadRequest).lacks(key)

	other := s.browser(t, nil)
	other.get("/login/code?return_to=/hosts").leads("/login?return_to=%2Fhosts")
	login := other.get("/login?return_to=/hosts")
	next := other.submit(login, "/login", url.Values{"name": {"ada"}, "password": {password}}).leads("/login/code")
	for _, path := range []string{"/sessions", "/account", "/users", "/second-factor", "/account/authenticator"} {
		other.get(path).leads("/login") // half a login is none
	}
	step := other.get(next).wants(http.StatusOK, "Second step")
	other.submit(step, "/login/code", url.Values{"code": {"000000"}}).wants(http.StatusUnauthorized, "Code is wrong or was used before.")
	strange := s.browser(t, nil)
	strange.get("/login")
	form, _ := strange.get("/login").form("/login")
	strange.post("/login/code", url.Values{"csrf": form["csrf"], "code": {totp(t, key, 0)}}).wants(http.StatusUnauthorized, "begin again")
	entered := other.submit(step, "/login/code", url.Values{"code": {totp(t, key, 0)}}).wants(http.StatusOK)
	if got := entered.header.Get("Refresh"); got != "0; url=/hosts" {
		t.Errorf("Refresh = %q", got)
	}
	other.get("/sessions").wants(http.StatusOK)

	off := other.get("/account/authenticator/off").wants(http.StatusOK)
	other.submit(off, "/off", url.Values{"password": {"wrong"}, "code": {codes[0]}}).wants(http.StatusUnauthorized, "The password is wrong.")
	other.submit(off, "/off", url.Values{"password": {password}, "code": {"x"}}).wants(http.StatusUnauthorized, "Code is wrong")
	done := other.submit(off, "/off", url.Values{"password": {password}, "code": {codes[0]}}).leads("/account")
	other.get(done).wants(http.StatusOK, "is turned off", "Set up")
}

func TestWhoMustHaveASecondFactorIsLedToIt(t *testing.T) {
	s := newSite(t)
	s.pages.Accounts.SecondFactor = auth.SecondFactorEveryone
	b := s.browser(t, nil)
	login := b.get("/login?return_to=/hosts")
	b.submit(login, "/login", url.Values{"name": {"ada"}, "password": {password}}).wants(http.StatusOK)
	for path, want := range map[string]string{
		"/hosts": "/second-factor?return_to=%2Fhosts", "/account": "/second-factor", "/users": "/second-factor", "/audit": "/second-factor",
		"/login?return_to=/hosts": "/second-factor?return_to=%2Fhosts",
		"/authorize?client_id=x":  "", "/account/authenticator/off": "/second-factor",
	} {
		if want == "" {
			b.get(path).wants(http.StatusBadRequest)
			continue
		}
		b.get(path).leads(want)
	}
	b.get("/events").wants(http.StatusUnauthorized)
	at := b.get("/second-factor?return_to=/hosts").wants(http.StatusOK, "it is not enough here")
	csrf, _ := at.form("/logout")
	for _, path := range []string{"/users", "/account", "/hosts", "/account/recovery-codes", "/account/logins/end"} {
		b.post(path, url.Values{"csrf": csrf["csrf"], "role": {"admin"}, "name": {"x"}}).leads("/second-factor")
	}
	setUp := b.get("/account/authenticator?return_to=/hosts").wants(http.StatusOK)
	kept := b.submit(setUp, "/account/authenticator", url.Values{"code": {totp(t, setUp.codes()[0], 0)}}).wants(http.StatusOK)
	if !strings.Contains(kept.text, `href="/hosts"`) {
		t.Errorf("does not go on to where he wanted: %s", kept.text)
	}
	b.get("/hosts").wants(http.StatusOK)
	b.get("/second-factor?return_to=/hosts").leads("/hosts")
}

func TestProveAgainBeforeAChange(t *testing.T) {
	s := newSite(t)
	moved := time.Duration(0)
	s.pages.Accounts.Now = func() time.Time { return time.Now().Add(moved) }
	b := s.browser(t, &s.admin)
	grace := s.member(t, "grace", "Grace")
	b.get("/account/authenticator").wants(http.StatusOK)
	moved = 11 * time.Minute
	ask := b.get(b.get("/account/authenticator").leads("/account/prove?return_to=%2Faccount%2Fauthenticator")).wants(http.StatusOK, "Is it you?")
	b.submit(ask, "/account/prove", url.Values{"password": {"wrong"}}).wants(http.StatusUnauthorized, "The password is wrong.")
	b.get(b.submit(ask, "/account/prove", url.Values{"password": {password}}).leads("/account/authenticator")).wants(http.StatusOK)
	b.submit(ask, "/account/prove", url.Values{"password": {password}}).wants(http.StatusForbidden, "out of date") // that login is renewed
	moved = 22 * time.Minute
	b.submit(b.get("/users"), "/factors/reset", nil).leads("/account/prove?return_to=%2Fusers")
	s.browser(t, &grace).get("/sessions").wants(http.StatusOK)
	b.submit(b.get("/users"), "/users", url.Values{"role": {"admin"}}).leads("/account/prove?return_to=%2Fusers")
	token := url.Values{"name": {"ci"}, "days": {"30"}, "scope": {"sessions:read"}}
	b.submit(b.get("/tokens"), "/tokens", token).leads("/account/prove?return_to=%2Ftokens")
	client := url.Values{"name": {"x"}, "redirects": {"https://x.example/cb"}, "kind": {"secret"}}
	b.submit(b.get("/clients/registered"), "/clients/registered", client).leads("/account/prove?return_to=%2Fclients%2Fregistered")
}
