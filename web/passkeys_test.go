package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"switchboard/auth"
)

// giveAuthenticator lets the browser behave as a telephone whose owner puts his finger on it
// (https://chromedevtools.github.io/devtools-protocol/tot/WebAuthn/). It returns the authenticator's id.
func (c *chromium) giveAuthenticator() string {
	c.t.Helper()
	c.call("WebAuthn.enable", nil, nil)
	var added struct {
		ID string `json:"authenticatorId"`
	}
	c.call("WebAuthn.addVirtualAuthenticator", map[string]any{"options": map[string]any{
		"protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
		"isUserVerified": true, "automaticPresenceSimulation": true,
	}}, &added)
	return added.ID
}

func (c *chromium) logIn(name string) {
	c.t.Helper()
	c.write("input[name=name]", name)
	c.write("input[name=password]", password)
	c.click("form[action='/login'] button")
}

func (c *chromium) at(path string) {
	c.t.Helper()
	c.until("location.pathname === " + quote(path) + " && document.readyState === 'complete'")
}

// TestPasskeyInARealBrowser registers a passkey, logs in with it and nothing else, and removes it.
func TestPasskeyInARealBrowser(t *testing.T) {
	c := newChromium(t, 390, 844)
	s := newSiteAt(t, "localhost")
	authenticator := c.giveAuthenticator()
	c.open(s.url + "/login")
	c.picture("login")
	c.logIn("ada")
	c.at("/sessions")
	c.open(s.url + "/account")
	c.picture("account-before")
	c.write("form[data-passkey] input[name=name]", "Ada's telephone")
	c.click("form[data-passkey] button")
	c.until("location.search === '?done=passkey' && document.body.innerText.includes(\"Ada's telephone\")")
	c.picture("account-passkey")
	var held struct {
		Credentials []struct {
			Resident   bool   `json:"isResidentCredential"`
			RpID       string `json:"rpId"`
			UserHandle string `json:"userHandle"`
		} `json:"credentials"`
	}
	c.call("WebAuthn.getCredentials", map[string]any{"authenticatorId": authenticator}, &held)
	if len(held.Credentials) != 1 || !held.Credentials[0].Resident || held.Credentials[0].RpID != "localhost" {
		t.Fatalf("the authenticator holds %+v", held)
	}
	c.click("form[data-passkey] button") // the same device again
	c.until("document.body.innerText.includes('This device has a passkey for your account already.')")

	s.member(t, "grace", "Grace Hopper")
	c.open(s.url + "/users")
	c.picture("users")
	c.run("document.querySelector('[action=\"/logout\"]').submit()")
	c.at("/login")
	link := s.register(t, "Local", "http://127.0.0.1:1/callback")
	c.open(s.url + link)
	c.at("/login")
	c.click("form[data-passkey] button")
	c.at("/authorize") // the way to a client goes on
	c.open(s.url + "/account")
	c.until("document.body.innerText.includes('last used')")

	c.click("form[action$='/remove'] button")
	c.until("document.body.innerText.includes('The passkey is removed.')")
	c.run("document.querySelector('[action=\"/logout\"]').submit()")
	c.at("/login")
	c.click("form[data-passkey] button")
	c.until("document.body.innerText.includes('That passkey does not let you in here.')")
	if strings.Contains(s.logs.String(), "page failed") {
		t.Errorf("a page failed:\n%s", s.logs)
	}
}

// TestSecondStepInARealBrowser goes the whole way with an app: on, log in, a fresh proof, off.
func TestSecondStepInARealBrowser(t *testing.T) {
	c := newChromium(t, 390, 844)
	s := newSiteAt(t, "localhost")
	s.pages.Accounts.SecondFactor = auth.SecondFactorAdmins
	c.giveAuthenticator()
	c.open(s.url + "/login?return_to=/hosts")
	c.logIn("ada")
	c.at("/second-factor")
	c.picture("second-factor")
	c.click("a.button.first")
	c.at("/account/authenticator")
	c.until("document.querySelector('img.code').naturalWidth > 100")
	c.picture("authenticator")
	key, _ := c.run("document.getElementById('key').textContent").(string)
	c.write("input[name=code]", totp(t, key, -1))
	c.click("main form button.first")
	c.until("document.querySelectorAll('.recovery li').length === 10")
	c.picture("recovery-codes")
	c.click("a.button.first")
	c.at("/hosts")
	c.open(s.url + "/account")
	c.picture("account")
	c.run("scrollTo(0, 700)")
	c.picture("account-below")
	c.run("document.querySelector('[action=\"/logout\"]').submit()")
	c.at("/login")
	c.logIn("ada")
	c.at("/login/code")
	c.picture("second-step")
	c.write("input[name=code]", "000000")
	c.click("form[action='/login/code'] button")
	c.until("document.body.innerText.includes('Code is wrong or was used before.')")
	c.write("input[name=code]", totp(t, key, 0))
	c.click("form[action='/login/code'] button")
	c.at("/sessions")
	c.open(s.url + "/account/prove?return_to=/account")
	c.picture("prove")
	login, err := s.pages.Accounts.LogIn(t.Context(), "ada", password, auth.Browser{})
	if login.Token != "" || err == nil {
		t.Errorf("the password alone: %v", err)
	}
}

// TestPasskeysAtAnAddressWithoutAName: browsers refuse a number as a relying party, so nothing is offered there.
func TestPasskeysAtAnAddressWithoutAName(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, &s.admin)
	b.get("/account").wants(http.StatusOK, "Passkeys belong to a name", "--public-url http://localhost:").lacks("data-passkey")
	s.browser(t, nil).get("/login").wants(http.StatusOK).lacks("Use a passkey")
	csrf, _ := b.get("/account").form("/account")
	b.post("/account/passkeys/options", csrf).wants(http.StatusBadRequest, "cannot be used at this address")
}

// TestPasskeyAtTheWrongAddress has the real browser ask at this machine's number for a passkey of its name, and
// answers the server with what a browser would say of another site.
func TestPasskeyAtTheWrongAddress(t *testing.T) {
	c := newChromium(t, 390, 844)
	s := newSiteAt(t, "localhost")
	c.giveAuthenticator()
	c.open(strings.Replace(s.url, "localhost", "127.0.0.1", 1) + "/login")
	c.click("form[data-passkey] button")
	c.until("!document.querySelector('form[data-passkey] [role=alert]').hidden")
	if got := c.run("document.querySelector('form[data-passkey] [role=alert]').textContent"); got != "Passkeys do not work at this address." {
		t.Errorf("the browser says %q", got)
	}
}

func TestPasskeyForms(t *testing.T) {
	s := newSiteAt(t, "localhost")
	b := s.browser(t, nil)
	login, _ := b.get("/login?return_to=/hosts").form("/login/passkey")
	options := b.post("/login/passkey/options", url.Values{"csrf": login["csrf"]}).wants(http.StatusOK)
	var asked struct {
		PublicKey struct{ RpID, UserVerification string }
	}
	if err := json.Unmarshal([]byte(options.text), &asked); err != nil || asked.PublicKey.RpID != "localhost" || asked.PublicKey.UserVerification != "required" {
		t.Errorf("asked %s, %v", options.text, err)
	}
	var cookie *http.Cookie
	for _, set := range options.cookies() {
		if strings.HasSuffix(set.Name, "-passkey") {
			cookie = set
		}
	}
	if cookie == nil || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
		t.Errorf("cookie %v", cookie)
	}
	for _, answer := range []string{"", "{}", "null", strings.Repeat("[", 50_000), hostile} {
		b.post("/login/passkey/options", url.Values{"csrf": login["csrf"]}).wants(http.StatusOK)
		refused := b.post("/login/passkey", url.Values{"csrf": login["csrf"], "return_to": {"/hosts"}, "credential": {answer}})
		refused.wants(http.StatusUnauthorized, "That passkey does not let you in here.").checkInert("/login/passkey")
	}
	b.post("/login/passkey", login).wants(http.StatusUnauthorized, "That took too long; try again.")
	b.get("/sessions").leads("/login")

	ada := s.browser(t, &s.admin)
	account := ada.get("/account").wants(http.StatusOK, "Add a passkey")
	ada.submit(account, "/account/passkeys", url.Values{"credential": {"{}"}}).wants(http.StatusBadRequest, "was not made in time")
	ada.submit(account, "/account/passkeys", url.Values{"name": {strings.Repeat("x", 100)}}).wants(http.StatusBadRequest, "at most 60")
}
