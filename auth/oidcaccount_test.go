package auth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"switchboard/auth"
)

// connectTo connects whoever is logged in at the provider to an account here.
func (c *company) connectTo(t *testing.T, login auth.Login) {
	t.Helper()
	if err := c.tryConnect(t, login, login); err != nil {
		t.Fatal(err)
	}
}

// tryConnect begins in one person's browser and ends with the login of another.
func (c *company) tryConnect(t *testing.T, begins, ends auth.Login) error {
	t.Helper()
	departure, err := c.oidc.BeginConnect(t.Context(), c.caller(t, begins), begins.Token)
	if err != nil {
		t.Fatal(err)
	}
	e := c.visit(t, departure)
	if ends.Token != "" {
		e.cookies = append(e.cookies, c.accounts.Cookie(ends))
	}
	arrival, err := c.finish(t, e)
	if err == nil && (!arrival.Connected || arrival.Login.Token != "" || arrival.ReturnTo != "/account") {
		t.Errorf("got %+v", arrival)
	}
	return err
}

func TestConnectIdentity(t *testing.T) {
	c := newCompany(t, nil)
	ada := c.admin(t)
	bob := c.member(t, ada)
	if err := c.tryConnect(t, ada, bob); !errors.Is(err, auth.ErrStaleLogin) {
		t.Errorf("begun by one, ended by another: %v", err)
	}
	if err := c.tryConnect(t, ada, auth.Login{}); !errors.Is(err, auth.ErrStaleLogin) {
		t.Errorf("logged out meanwhile: %v", err)
	}
	c.connectTo(t, ada)
	if err := c.tryConnect(t, bob, bob); !errors.Is(err, auth.ErrIdentityTaken) {
		t.Errorf("somebody else's identity: %v", err)
	}
	c.idp.LogIn(with(lovelace, map[string]any{"sub": "0002"}))
	if err := c.tryConnect(t, ada, ada); !errors.Is(err, auth.ErrIdentityTaken) {
		t.Errorf("a second identity: %v", err)
	}
	c.idp.LogIn(with(lovelace, map[string]any{"sub": "0003", "email": "ada@evil.example"}))
	if err := c.tryConnect(t, bob, bob); !errors.Is(err, auth.ErrNotAdmitted) {
		t.Errorf("an identity that may not log in: %v", err)
	}
	c.idp.LogIn(lovelace)
	if user := c.mustLogIn(t); user.ID != ada.User.ID {
		t.Errorf("the provider lets in %+v", user)
	}
	way, err := c.oidc.WayIn(t.Context(), c.caller(t, ada))
	if err != nil || !way.Password || way.Identity != "ada.lovelace@example.com" || way.LastLogin == nil {
		t.Errorf("connected %+v, %v", way, err)
	}
	if err := c.oidc.Disconnect(t.Context(), c.caller(t, ada), ada.Token); err != nil {
		t.Errorf("disconnect: %v", err)
	}
	if way, err := c.oidc.WayIn(t.Context(), c.caller(t, ada)); err != nil || way.Identity != "" {
		t.Errorf("still connected: %+v, %v", way, err)
	}
	c.idp.LogIn(with(lovelace, map[string]any{"auth_time": c.Now().Unix()}))
	arrival, err := c.logIn(t)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.oidc.Disconnect(t.Context(), c.caller(t, arrival.Login), arrival.Login.Token); !errors.Is(err, auth.ErrOnlyWayIn) {
		t.Errorf("somebody without a password: %v", err)
	}
	client := c.caller(t, ada)
	client.Scopes = auth.AllScopes()
	if _, err := c.oidc.BeginConnect(t.Context(), client, ada.Token); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a client connects: %v", err)
	}
	c.Advance(11 * time.Minute)
	if _, err := c.oidc.BeginConnect(t.Context(), c.caller(t, ada), ada.Token); !errors.Is(err, auth.ErrProveAgain) {
		t.Errorf("connect in a browser that was left open: %v", err)
	}
	if err := c.oidc.Disconnect(t.Context(), c.caller(t, ada), ada.Token); !errors.Is(err, auth.ErrProveAgain) {
		t.Errorf("disconnect in a browser that was left open: %v", err)
	}
}

func TestWithoutPassword(t *testing.T) {
	c := newCompany(t, nil)
	user := c.mustLogIn(t)
	for _, guess := range []auth.Secret{"", password} {
		if _, err := c.accounts.LogIn(t.Context(), user.Name, guess, auth.Browser{Addr: "127.0.0.1"}); !errors.Is(err, auth.ErrWrongPassword) {
			t.Errorf("password %q: %v", string(guess), err)
		}
	}
	ada := c.admin(t)
	c.accounts.ProviderOnly = true
	if _, err := c.accounts.LogIn(t.Context(), adminName, password, auth.Browser{Addr: "127.0.0.1"}); !errors.Is(err, auth.ErrProviderOnly) {
		t.Errorf("passwords are closed: %v", err)
	}
	if err := c.oidc.Disconnect(t.Context(), c.caller(t, ada), ada.Token); !errors.Is(err, auth.ErrOnlyWayIn) {
		t.Errorf("disconnect while passwords are closed: %v", err)
	}
}

func TestWaysIn(t *testing.T) {
	c := newCompany(t, nil)
	ada := c.admin(t)
	user := c.mustLogIn(t)
	ways, err := c.oidc.WaysIn(t.Context(), c.caller(t, ada))
	if err != nil || !ways[ada.User.ID].Password || ways[ada.User.ID].Identity != "" ||
		ways[user.ID].Password || ways[user.ID].Identity != "ada.lovelace@example.com" {
		t.Errorf("got %+v, %v", ways, err)
	}
	bob := c.member(t, ada)
	if _, err := c.oidc.WaysIn(t.Context(), c.caller(t, bob)); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a member: %v", err)
	}
}

// A session that is planted in the browser before the login is worth nothing after it.
func TestProviderLoginMakesANewSession(t *testing.T) {
	c := newCompany(t, nil)
	e := c.leave(t)
	planted := c.accounts.Cookie(auth.Login{Token: "planted", ExpiresAt: c.Now().AddDate(1, 0, 0)})
	e.cookies = append(e.cookies, planted)
	arrival, err := c.finish(t, e)
	if err != nil || arrival.Login.Token == "planted" {
		t.Errorf("got %v", err)
	}
	if _, _, err := c.accounts.Caller(t.Context(), "planted", ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("the planted one: %v", err)
	}
}

func TestProviderCookie(t *testing.T) {
	c := newCompany(t, nil)
	c.accounts.PublicURL = "https://switchboard.example"
	departure, err := c.oidc.Begin(t.Context(), "/", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	cookie := departure.Cookie
	if !strings.HasPrefix(cookie.Name, "__Host-") || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" ||
		cookie.Domain != "" || cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge > 600 {
		t.Errorf("got %+v", cookie)
	}
	conn := connect(t, c.database)
	var rows string
	err = conn.QueryRow(t.Context(), `SELECT json_agg(l)::text FROM provider_logins l`).Scan(&rows)
	if err != nil || strings.Contains(rows, cookie.Value) {
		t.Errorf("the store holds the cookie: %s, %v", rows, err)
	}
}

func TestProviderIsAudited(t *testing.T) {
	c := newCompany(t, groups)
	c.admin(t)
	c.mustLogIn(t)
	c.idp.LogIn(with(lovelace, map[string]any{"groups": []string{"admins"}}))
	c.mustLogIn(t)
	c.idp.LogIn(with(lovelace, map[string]any{"groups": []string{"x"}}))
	if _, err := c.logIn(t); err == nil {
		t.Fatal("let in")
	}
	c.idp.LogIn(lovelace)
	c.mustLogIn(t)
	conn := connect(t, c.database)
	rows, err := conn.Query(t.Context(), `
		SELECT action || ' ' || allowed || ' ' || coalesce(detail->>'why', '') || coalesce(detail->>'to', '')
		FROM audit_events WHERE detail ? 'provider' ORDER BY seq`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		got = append(got, line)
	}
	why := "Your account at " + issuerName + " is in no group that may log in here."
	want := []string{
		"account.create true ", "login true ", "account.role true admin", "login true ",
		"account.suspend true " + why, "login false " + why,
		"account.readmit true ", "account.role true member", "login true ",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || rows.Err() != nil {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestComingBackProvesNothing: a provider at which somebody is logged in sends whoever is at that browser back without a
// question. Only when it asked does the login count as a proof.
func TestComingBackProvesNothing(t *testing.T) {
	c := newCompany(t, nil)
	ada := c.admin(t)
	c.connectTo(t, ada)
	bob := c.member(t, ada)
	for name, test := range map[string]struct {
		again    bool
		authTime any // nil: the provider does not say
		want     error
	}{
		"login":                                   {false, nil, auth.ErrProveAgain},
		"login, asked just now":                   {false, c.Now().Unix(), nil},
		"login, asked a while ago":                {false, c.Now().Add(-11 * time.Minute).Unix(), auth.ErrProveAgain},
		"login, asked by a clock that is ahead":   {false, c.Now().Add(2 * time.Minute).Unix(), nil},
		"login, asked at a date":                  {false, "2026-11-21T05:00:00Z", auth.ErrProveAgain},
		"proof":                                   {true, nil, nil},
		"proof, asked just now":                   {true, c.Now().Unix(), nil},
		"proof that the provider did not ask for": {true, c.Now().Add(-11 * time.Minute).Unix(), auth.ErrProveAgain},
	} {
		t.Run(name, func(t *testing.T) {
			c.idp.LogIn(with(lovelace, map[string]any{"auth_time": test.authTime}))
			begin := c.oidc.Begin
			if test.again {
				begin = c.oidc.BeginAgain
			}
			departure, err := begin(t.Context(), "/users", "127.0.0.1")
			if err != nil {
				t.Fatal(err)
			}
			arrival, err := c.finish(t, c.visit(t, departure))
			if err != nil {
				t.Fatal(err)
			}
			caller := c.caller(t, arrival.Login)
			if err := c.accounts.ResetFactors(t.Context(), caller, arrival.Login.Token, bob.User.ID); !errors.Is(err, test.want) {
				t.Errorf("what needs a proof: %v, want %v", err, test.want)
			}
			if _, _, err := c.oauth.CreatePersonalToken(t.Context(), caller, ci()); !errors.Is(err, test.want) {
				t.Errorf("a personal token: %v, want %v", err, test.want)
			}
		})
	}
}

// TestOlderLoginsWhereOnlyTheProviderDecides: they end within the day that a provider's login lasts.
func TestOlderLoginsWhereOnlyTheProviderDecides(t *testing.T) {
	s := newServer(t)
	ada := s.admin(t)
	s.accounts.ProviderOnly = true
	s.Advance(24*time.Hour - time.Second)
	s.caller(t, ada)
	s.Advance(time.Second)
	if _, _, err := s.accounts.Caller(t.Context(), ada.Token, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("a day after a login by password: %v", err)
	}
}
