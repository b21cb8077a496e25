package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"switchboard/auth"
	"switchboard/controlplane/e2e/idp"
)

// company gives the site a login provider, at which grace is logged in.
func (s *site) company(t *testing.T) *idp.Provider {
	t.Helper()
	var provider *idp.Provider
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { provider.ServeHTTP(w, r) }))
	t.Cleanup(listener.Close)
	provider = idp.New(listener.URL, s.url+auth.OIDCCallbackPath)
	provider.LogIn(grace(nil))
	s.pages.OIDC = &auth.OIDC{Accounts: s.pages.Accounts, Store: s.db, Provider: auth.ProviderConfig{
		Issuer: provider.Issuer, ClientID: provider.ClientID, ClientSecret: auth.Secret(provider.ClientSecret),
		Name: "Example Login", GroupsClaim: "groups", MemberGroups: []string{"staff"},
	}}
	return provider
}

func grace(groups []string) idp.Person {
	if groups == nil {
		groups = []string{"staff"}
	}
	return idp.Person{Claims: map[string]any{
		"sub": "g1", "email": "grace@example.com", "email_verified": true, "preferred_username": "grace", "name": "Grace Hopper",
		"groups": groups,
	}}
}

// viaProvider follows the page that leads to the provider, and comes back.
func (b *browser) viaProvider(leaving page) page {
	b.t.Helper()
	address, ok := strings.CutPrefix(leaving.wants(http.StatusOK).header.Get("Refresh"), "0; url=")
	if !ok {
		b.t.Fatalf("leads nowhere:\n%s", leaving.words())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	back := b.do(r)
	return b.get(strings.TrimPrefix(back.leads(b.site+auth.OIDCCallbackPath), b.site))
}

func (b *browser) logInByProvider(path string) page {
	b.t.Helper()
	login := b.get(path).wants(http.StatusOK, "Log in with Example Login")
	return b.viaProvider(b.submit(login, auth.OIDCBeginPath, nil))
}

func TestCompanyLogin(t *testing.T) {
	s := newSite(t)
	provider := s.company(t)
	address := s.register(t, "Chat", "https://chatgpt.example/callback")
	b := s.browser(t, nil)
	entered := b.logInByProvider(b.get(address).leads("/login?return_to="))
	to, _ := strings.CutPrefix(entered.wants(http.StatusOK, "Go on").header.Get("Refresh"), "0; url=")
	if to != address {
		t.Errorf("leads to %s, want %s", to, address)
	}
	for _, c := range entered.header.Values("Set-Cookie") {
		if strings.Contains(c, "-login-") && !strings.Contains(c, "Max-Age=0") {
			t.Errorf("the login's cookie stays: %s", c)
		}
	}
	b.get(to).wants(http.StatusOK, "Chat", "grace")
	account := b.get("/account").wants(http.StatusOK, "Example Login", "grace@example.com", "connected")
	account.lacks("Change your password", "Authenticator", "Disconnect")

	people := s.browser(t, &s.admin).get("/users").wants(http.StatusOK, "Grace Hopper", "Example Login as", "grace@example.com", "password")
	people.checkInert("/users")

	provider.LogIn(grace([]string{"guests"}))
	refused := s.browser(t, nil).logInByProvider("/login")
	refused.wants(http.StatusForbidden, "is in no group that may log in here", "Log in with Example Login").checkInert("/login/oidc/callback")
	b.get("/account").leads("/login")
	s.browser(t, &s.admin).get("/users").wants(http.StatusOK, "no longer admitted by Example Login")
}

func TestCompanyLoginGoesWrong(t *testing.T) {
	for _, test := range []struct {
		fault  idp.Fault
		status int
		words  string
	}{
		{idp.WrongNonce, http.StatusUnauthorized, "could not be verified"},
		{idp.AlgNone, http.StatusUnauthorized, "could not be verified"},
		{idp.WrongIss, http.StatusUnauthorized, "could not be verified"},
		{idp.Denied, http.StatusForbidden, "Example Login did not let you in."},
		{idp.BrokenAt + "/token", http.StatusServiceUnavailable, "cannot be reached"},
	} {
		t.Run(string(test.fault), func(t *testing.T) {
			s := newSite(t)
			s.company(t).Misbehave(test.fault)
			b := s.browser(t, nil)
			b.logInByProvider("/login").wants(test.status, test.words, "Log in with Example Login").checkInert("callback")
			b.get("/sessions").leads("/login")
			if strings.Contains(s.logs.String(), "page failed") {
				t.Errorf("logged as a failure of ours:\n%s", s.logs)
			}
		})
	}
}

func TestCompanyLoginAway(t *testing.T) {
	s := newSite(t)
	s.company(t).Misbehave(idp.BrokenAt + "/.well-known/openid-configuration")
	b := s.browser(t, nil)
	login := b.get("/login").wants(http.StatusOK, "Example Login cannot be reached at the moment")
	login.lacks("Log in with Example Login")
	b.submit(login, "/login", url.Values{"name": {"ada"}, "password": {password}}).wants(http.StatusOK, "Go on")
	form, _ := login.form("/login")
	s.browser(t, nil).post(auth.OIDCBeginPath, form).wants(http.StatusForbidden)
	out := s.browser(t, nil)
	form, _ = out.get("/login").form("/login")
	out.post(auth.OIDCBeginPath, form).wants(http.StatusServiceUnavailable, "cannot be reached")
}

func TestCompanyLoginOnly(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, nil)
	form, _ := b.get("/login").form("/login")
	s.company(t)
	s.pages.Accounts.ProviderOnly = true
	b.get("/login").wants(http.StatusOK, "Log in with Example Login").lacks(`type="password"`)
	form.Set("name", "ada")
	form.Set("password", password)
	b.post("/login", form).wants(http.StatusUnauthorized, "company's login")
	b.logInByProvider("/login").wants(http.StatusOK, "Go on")
}

func TestConnectTheCompanysLogin(t *testing.T) {
	s := newSite(t)
	provider := s.company(t)
	b := s.browser(t, &s.admin)
	account := b.get("/account").wants(http.StatusOK, "Connect Example Login", "Change your password")
	back := b.viaProvider(b.submit(account, "/account/oidc", nil))
	account = b.get(back.leads("/account?done=connected")).wants(http.StatusOK, "is connected", "grace@example.com")

	other := s.browser(t, nil)
	other.logInByProvider("/login").wants(http.StatusOK, "Go on")
	other.get("/account").wants(http.StatusOK, "an administrator", "ada")

	b.submit(account, "/account/oidc/disconnect", nil).leads("/account?done=disconnected")
	s.browser(t, nil).logInByProvider("/login").wants(http.StatusOK, "Go on")
	account = b.get("/account").wants(http.StatusOK, "Connect Example Login")
	b.viaProvider(b.submit(account, "/account/oidc", nil)).wants(http.StatusBadRequest, "already connected to an account")
	provider.Misbehave(idp.Denied)
	b.viaProvider(b.submit(account, "/account/oidc", nil)).wants(http.StatusForbidden, "did not let you in", "Change your password")
}

// Whoever has no password proves again who he is at the provider.
func TestProveAgainAtTheCompany(t *testing.T) {
	s := newSite(t)
	s.company(t)
	b := s.browser(t, nil)
	b.logInByProvider("/login").wants(http.StatusOK)
	prove := b.get("/account/prove?return_to=/account").wants(http.StatusOK, "Log in with Example Login")
	prove.lacks(`type="password"`)
	leaving := b.submit(prove, auth.OIDCBeginPath, nil)
	if address := leaving.header.Get("Refresh"); !strings.Contains(address, "prompt=login") {
		t.Errorf("the provider need not ask: %s", address)
	}
	if got := b.viaProvider(leaving).wants(http.StatusOK).header.Get("Refresh"); got != "0; url=/account" {
		t.Errorf("Refresh = %q", got)
	}
}

func TestWithoutACompany(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, &s.admin)
	csrf, _ := b.get("/account").lacks("/account/oidc").form("/account")
	for _, path := range []string{auth.OIDCBeginPath, "/account/oidc", "/account/oidc/disconnect"} {
		b.post(path, csrf).wants(http.StatusNotFound)
	}
	b.get(auth.OIDCCallbackPath + "?code=a&state=b").wants(http.StatusNotFound)
}

func TestCompanyFormsNeedTheirOwnPage(t *testing.T) {
	s := newSite(t)
	s.company(t)
	b := s.browser(t, &s.admin)
	for _, path := range []string{auth.OIDCBeginPath, "/account/oidc", "/account/oidc/disconnect"} {
		b.post(path, url.Values{"csrf": {"wrong"}}).wants(http.StatusForbidden)
		r := b.request(http.MethodPost, path, url.Values{})
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		b.do(r).wants(http.StatusForbidden, "another site")
	}
}

// TestCompanyLoginInARealBrowser is sent by a client on a telephone, logs in at the provider, allows the client what
// it asks and arrives there with a code: three origins, each with its own policy.
func TestCompanyLoginInARealBrowser(t *testing.T) {
	c := newChromium(t, 390, 844)
	s := newSite(t)
	s.company(t).Ask()
	client := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "connected")
	}))
	t.Cleanup(client.Close)
	c.open(s.url + s.register(t, "Chat", client.URL+"/callback"))
	c.until("location.pathname === '/login' && document.querySelector('.company button')")
	if c.run("document.documentElement.scrollWidth <= innerWidth") != true {
		t.Error("the login page is wider than the telephone")
	}
	c.picture("company-login")
	c.click(".company button")
	c.until("document.title === 'Provider' && document.querySelector('#continue')")
	c.click("#continue")
	c.until("location.pathname === '/authorize' && document.querySelector('button[value=allow]')")
	c.picture("company-consent")
	c.click("button[value=allow]")
	c.until("location.href.startsWith(" + quote(client.URL+"/callback?code=") + ") && document.body.innerText === 'connected'")
	c.open(s.url + "/account")
	c.until("document.body.innerText.includes('grace@example.com')")
	if c.run("document.documentElement.scrollWidth <= innerWidth") != true {
		t.Error("the account page is wider than the telephone")
	}
	c.picture("company-account")
}
