package auth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"switchboard/auth"
	"switchboard/controlplane/e2e/idp"
)

// company is a server whose people log in by a provider.
type company struct {
	*server
	oidc *auth.OIDC
	idp  *idp.Provider
	held chan chan struct{} // takes the provider's answers on the way to us; each goes on when its channel is closed
}

const issuerName = "Example Login"

var lovelace = idp.Person{Claims: map[string]any{
	"sub": "0001", "email": "ada.lovelace@example.com", "email_verified": true, "preferred_username": "ada.lovelace",
	"name": "Ada Lovelace", "groups": []string{"everybody", "switchboard"},
}}

// with changes a person's claims; nil removes one.
func with(p idp.Person, change map[string]any) idp.Person {
	claims := map[string]any{}
	for name, value := range p.Claims {
		claims[name] = value
	}
	for name, value := range change {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	return idp.Person{Claims: claims, Info: p.Info}
}

// newCompany lets in whoever has an address at example.com, changed by change.
func newCompany(t *testing.T, change func(*auth.ProviderConfig)) *company {
	t.Helper()
	c := &company{server: newServer(t), held: make(chan chan struct{})}
	listener := httptest.NewServer(http.HandlerFunc(c.serveProvider))
	t.Cleanup(listener.Close)
	c.idp = idp.New(listener.URL, c.url+auth.OIDCCallbackPath)
	c.idp.Now = c.Now
	c.idp.LogIn(lovelace)
	config := auth.ProviderConfig{
		Issuer: c.idp.Issuer, ClientID: c.idp.ClientID, ClientSecret: auth.Secret(c.idp.ClientSecret), Name: issuerName,
		AllowedDomains: []string{"example.com"}, GroupsClaim: "groups",
	}
	if change != nil {
		change(&config)
	}
	c.use(config)
	return c
}

// serveProvider is the provider, with a slow way to us for its keys while somebody reads held.
func (c *company) serveProvider(w http.ResponseWriter, r *http.Request) {
	c.idp.ServeHTTP(w, r)
	if r.URL.Path != "/keys" {
		return
	}
	goOn := make(chan struct{})
	select {
	case c.held <- goOn:
		<-goOn
	default:
	}
}

// use begins anew with the provider, as after a restart.
func (c *company) use(config auth.ProviderConfig) {
	c.oidc = &auth.OIDC{Provider: config, Accounts: c.accounts, Store: c.db}
}

// groups lets in the members of groups, whatever their addresses.
func groups(c *auth.ProviderConfig) {
	c.AllowedDomains, c.MemberGroups, c.AdminGroup = nil, []string{"switchboard"}, "admins"
}

// errand is one browser's way to the provider and back.
type errand struct {
	cookies []*http.Cookie
	to      string // the provider's address
	back    string // ours, with the provider's answer
}

// leave begins a login.
func (c *company) leave(t *testing.T) errand {
	t.Helper()
	departure, err := c.oidc.Begin(t.Context(), "/hosts", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return c.visit(t, departure)
}

// visit goes to the provider, which sends the browser back at once.
func (c *company) visit(t *testing.T, d auth.Departure) errand {
	t.Helper()
	answer := c.browser(t, nil).get(d.Address)
	if answer.status != http.StatusSeeOther {
		t.Fatalf("the provider answered %d %s", answer.status, answer.body)
	}
	return errand{cookies: []*http.Cookie{d.Cookie}, to: d.Address, back: answer.location.String()}
}

// request is the browser's when it has come back.
func (e errand) request(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.back, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "127.0.0.1:9"
	for _, cookie := range e.cookies {
		r.AddCookie(cookie)
	}
	return r
}

// change replaces parameters of the provider's answer; nil removes one.
func (e errand) change(t *testing.T, parameters url.Values) errand {
	t.Helper()
	u, err := url.Parse(e.back)
	if err != nil {
		t.Fatal(err)
	}
	u.RawQuery = changed(u.Query(), parameters).Encode()
	e.back = u.String()
	return e
}

func (c *company) finish(t *testing.T, e errand) (auth.Arrival, error) {
	t.Helper()
	return c.oidc.Finish(t.Context(), e.request(t))
}

// logIn goes the whole way, not so fast that it would be held up.
func (c *company) logIn(t *testing.T) (auth.Arrival, error) {
	t.Helper()
	c.Advance(time.Second)
	return c.finish(t, c.leave(t))
}

func (c *company) mustLogIn(t *testing.T) auth.User {
	t.Helper()
	arrival, err := c.logIn(t)
	if err != nil {
		t.Fatal(err)
	}
	return arrival.Login.User
}

// wantNobody checks that the provider's answer lets nobody in, for this reason.
func (c *company) wantNobody(t *testing.T, got auth.Arrival, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || got.Login.Token != "" || got.Connected {
		t.Errorf("got %+v, %v; want %v", got.Login.User, err, want)
	}
}

func TestProviderLogin(t *testing.T) {
	c := newCompany(t, nil)
	e := c.leave(t)
	arrival, err := c.finish(t, e)
	if err != nil {
		t.Fatal(err)
	}
	user := arrival.Login.User
	if user.Name != "ada.lovelace" || user.DisplayName != "Ada Lovelace" || user.Role != auth.RoleMember || arrival.ReturnTo != "/hosts" {
		t.Errorf("got %+v, back to %s", user, arrival.ReturnTo)
	}
	if caller := c.caller(t, arrival.Login); caller.User != user.ID {
		t.Errorf("the browser is %+v", caller)
	}
	if life := arrival.Login.ExpiresAt.Sub(c.Now()); life > 24*time.Hour {
		t.Errorf("the browser stays in for %s without the provider", life)
	}
	asked := c.idp.Asked()
	if got := strings.Join(asked, " "); got != "/.well-known/openid-configuration /authorize /token /keys" {
		t.Errorf("the provider was asked %s", got)
	}
	if again := c.mustLogIn(t); again.ID != user.ID {
		t.Errorf("the second login made %+v", again)
	}
	if strings.Contains(c.logs.String(), c.idp.ClientSecret) {
		t.Error("the client secret is in the log")
	}
	for _, part := range []string{"code_challenge_method=S256", "state=", "nonce=", "response_type=code"} {
		if !strings.Contains(e.to, part) {
			t.Errorf("address %s lacks %s", e.to, part)
		}
	}
}

func TestProviderTokenMustHold(t *testing.T) {
	c := newCompany(t, nil)
	for _, fault := range idp.TokenFaults() {
		t.Run(string(fault), func(t *testing.T) {
			c.idp.Misbehave(fault)
			got, err := c.logIn(t)
			c.wantNobody(t, got, err, auth.ErrNotVerified)
			c.idp.Misbehave("")
			c.mustLogIn(t) // it was the fault, and nothing else
		})
	}
}

func TestProviderKeysRotate(t *testing.T) {
	c := newCompany(t, nil)
	first := c.mustLogIn(t)
	for _, alg := range []string{"RS256", "ES256", "RS256"} {
		c.idp.Rotate(alg)
		if user := c.mustLogIn(t); user.ID != first.ID {
			t.Errorf("after a new %s key: %+v", alg, user)
		}
	}
}

// TestProviderKeyRotatesMeanwhile: the provider's keys are on their way to one login when it changes them and another
// begins.
func TestProviderKeyRotatesMeanwhile(t *testing.T) {
	c := newCompany(t, nil)
	c.mustLogIn(t)
	c.idp.Rotate("RS256")
	first, second := c.leave(t), c.leave(t)
	var logins errgroup.Group
	logins.Go(func() error { _, err := c.finish(t, first); return err })
	answer := <-c.held
	c.idp.Rotate("ES256")
	c.idp.Asked()
	logins.Go(func() error { _, err := c.finish(t, second); return err })
	for !slices.Contains(c.idp.Asked(), "/token") {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // the second waits for the same keys, or for its own
	close(answer)
	if err := logins.Wait(); err != nil {
		t.Error(err)
	}
}

func TestProviderAnswerIsBoundToItsBrowser(t *testing.T) {
	c := newCompany(t, nil)
	t.Run("login CSRF: another's answer in my browser", func(t *testing.T) {
		mallory, mine := c.leave(t), c.leave(t)
		got, err := c.finish(t, errand{cookies: mine.cookies, back: mallory.back})
		c.wantNobody(t, got, err, auth.ErrStaleLogin)
		got, err = c.finish(t, errand{back: mallory.back})
		c.wantNobody(t, got, err, auth.ErrStaleLogin)
		if _, err := c.finish(t, mine); err != nil {
			t.Errorf("my own answer afterwards: %v", err)
		}
	})
	t.Run("a planted cookie of another value", func(t *testing.T) {
		e := c.leave(t)
		planted := *e.cookies[0]
		planted.Value = strings.Repeat("A", len(planted.Value))
		got, err := c.finish(t, errand{cookies: []*http.Cookie{&planted}, back: e.back})
		c.wantNobody(t, got, err, auth.ErrStaleLogin)
		if _, err := c.finish(t, e); err != nil {
			t.Errorf("the right one afterwards: %v", err)
		}
	})
	t.Run("replayed", func(t *testing.T) {
		e := c.leave(t)
		if _, err := c.finish(t, e); err != nil {
			t.Fatal(err)
		}
		got, err := c.finish(t, e)
		c.wantNobody(t, got, err, auth.ErrStaleLogin)
	})
	t.Run("too late", func(t *testing.T) {
		e := c.leave(t)
		c.Advance(11 * time.Minute)
		got, err := c.finish(t, e)
		c.wantNobody(t, got, err, auth.ErrStaleLogin)
	})
	t.Run("code injection: another's code under my state", func(t *testing.T) {
		victim, mine := c.leave(t), c.leave(t)
		u, err := url.Parse(victim.back)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.finish(t, mine.change(t, url.Values{"code": {u.Query().Get("code")}}))
		c.wantNobody(t, got, err, auth.ErrNotVerified)
	})
	t.Run("mix-up: the answer of another provider", func(t *testing.T) {
		c.idp.Misbehave(idp.WrongIss)
		got, err := c.logIn(t)
		c.wantNobody(t, got, err, auth.ErrNotVerified)
		c.idp.Asked()
		c.idp.Misbehave(idp.NoIss)
		got, err = c.logIn(t)
		c.wantNobody(t, got, err, auth.ErrNotVerified)
		if asked := strings.Join(c.idp.Asked(), " "); strings.Contains(asked, "/token") {
			t.Errorf("the code was sent on: %s", asked)
		}
		c.idp.Misbehave("")
	})
	for name, parameters := range map[string]url.Values{
		"two states":      {"state": {"a", "b"}},
		"no state":        {"state": nil},
		"unknown state":   {"state": {"unknown"}},
		"endless state":   {"state": {strings.Repeat("x", 10_000)}},
		"two codes":       {"code": {"a", "b"}},
		"hostile state":   {"state": {"\x00;\r\nSet-Cookie: a=b"}},
		"state not utf-8": {"state": {"\xff\xfe"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.finish(t, c.leave(t).change(t, parameters))
			c.wantNobody(t, got, err, auth.ErrStaleLogin)
		})
	}
	t.Run("no code", func(t *testing.T) {
		got, err := c.finish(t, c.leave(t).change(t, url.Values{"code": nil}))
		c.wantNobody(t, got, err, auth.ErrNotVerified)
	})
	t.Run("denied", func(t *testing.T) {
		c.idp.Misbehave(idp.Denied)
		got, err := c.logIn(t)
		c.wantNobody(t, got, err, auth.ErrNotAdmitted)
		c.idp.Misbehave("")
	})
}

// Parallel answers under one state: one gets in.
func TestProviderAnswerCountsOnce(t *testing.T) {
	c := newCompany(t, nil)
	e := c.leave(t)
	results := make(chan error)
	for range 16 {
		r := e.request(t)
		go func() {
			_, err := c.oidc.Finish(r.Context(), r)
			results <- err
		}()
	}
	entered := 0
	for range 16 {
		switch err := <-results; {
		case err == nil:
			entered++
		case !errors.Is(err, auth.ErrStaleLogin):
			t.Errorf("got %v", err)
		}
	}
	if entered != 1 {
		t.Errorf("%d got in", entered)
	}
}

func TestProviderReturnTo(t *testing.T) {
	c := newCompany(t, nil)
	for wish, want := range map[string]string{
		"/authorize?client_id=a&state=%2F": "/authorize?client_id=a&state=%2F",
		"https://evil.example/":            "/",
		"//evil.example":                   "/",
		`/\evil.example`:                   "/",
		"/login/oidc/callback?state=x":     "/",
	} {
		departure, err := c.oidc.Begin(t.Context(), wish, "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		arrival, err := c.finish(t, c.visit(t, departure))
		if err != nil || arrival.ReturnTo != want {
			t.Errorf("return_to %q leads to %q, %v; want %q", wish, arrival.ReturnTo, err, want)
		}
	}
}

func TestProviderLoginIsThrottled(t *testing.T) {
	c := newCompany(t, nil)
	e := c.leave(t)
	for range 50 {
		got, err := c.finish(t, e.change(t, url.Values{"state": {"guess"}}))
		c.wantNobody(t, got, err, auth.ErrStaleLogin)
	}
	got, err := c.finish(t, e)
	c.wantNobody(t, got, err, auth.ErrThrottled)
	for range 31 {
		_, err = c.oidc.Begin(t.Context(), "/", "127.0.0.2")
	}
	if !errors.Is(err, auth.ErrThrottled) {
		t.Errorf("logins begun without an end: %v", err)
	}
}

func TestProviderAway(t *testing.T) {
	c := newCompany(t, nil)
	c.admin(t)
	for _, test := range []struct {
		fault idp.Fault
		begin bool // it already shows when a login begins
	}{
		{idp.BrokenAt + "/.well-known/openid-configuration", true},
		{idp.SlowAt + "/.well-known/openid-configuration", true},
		{idp.LongAt + "/.well-known/openid-configuration", true},
		{idp.MovedAt + "/.well-known/openid-configuration", true},
		{idp.DiscoveryOtherIssuer, true},
		{idp.DiscoveryPlain, true},
		{idp.BrokenAt + "/token", false},
		{idp.LongAt + "/token", false},
		{idp.MovedAt + "/token", false},
		{idp.BrokenAt + "/userinfo", false},
	} {
		t.Run(string(test.fault), func(t *testing.T) {
			c.use(c.oidc.Provider)
			c.idp.LogIn(with(lovelace, map[string]any{"email": nil}))
			c.idp.Misbehave(test.fault)
			if test.begin {
				if _, err := c.oidc.Begin(t.Context(), "/", "127.0.0.1"); !errors.Is(err, auth.ErrProviderAway) {
					t.Fatalf("got %v", err)
				}
			} else {
				got, err := c.logIn(t)
				c.wantNobody(t, got, err, auth.ErrProviderAway)
			}
			if _, err := c.accounts.LogIn(t.Context(), adminName, password, auth.Browser{Addr: "127.0.0.1"}); err != nil {
				t.Errorf("login with a password: %v", err)
			}
			c.idp.Misbehave("")
			c.idp.LogIn(lovelace)
			c.Advance(11 * time.Second)
			c.mustLogIn(t)
		})
	}
}
