package auth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/e2e/idp"
)

func TestProviderAdmits(t *testing.T) {
	c := newCompany(t, nil)
	config := c.oidc.Provider
	domain := func(*auth.ProviderConfig) {}
	both := func(c *auth.ProviderConfig) { c.MemberGroups = []string{"switchboard"} }
	for _, test := range []struct {
		name   string
		config func(*auth.ProviderConfig)
		change map[string]any
		info   map[string]any
		role   auth.Role // empty: not admitted
	}{
		{"verified address", domain, nil, nil, auth.RoleMember},
		{"verified in a string", domain, map[string]any{"email_verified": "true"}, nil, auth.RoleMember},
		{"address in capitals", domain, map[string]any{"email": "Ada@EXAMPLE.com"}, nil, auth.RoleMember},
		{"address not verified", domain, map[string]any{"email_verified": false}, nil, ""},
		{"nothing about verification", domain, map[string]any{"email_verified": nil}, nil, ""},
		{"verified in other letters", domain, map[string]any{"email_verified": nil, "EMAIL_VERIFIED": true}, nil, ""},
		{"other domain", domain, map[string]any{"email": "ada@evil.example"}, nil, ""},
		{"domain at the end of another", domain, map[string]any{"email": "ada@notexample.com"}, nil, ""},
		{"domain before another at", domain, map[string]any{"email": "ada@example.com@evil.example"}, nil, ""},
		{"subdomain", domain, map[string]any{"email": "ada@sub.example.com"}, nil, ""},
		{"no address", domain, map[string]any{"email": nil}, nil, ""},
		{"address from UserInfo", domain, map[string]any{"email": nil, "email_verified": nil},
			map[string]any{"email": "ada@example.com", "email_verified": true}, auth.RoleMember},
		{"verification of another address", domain, map[string]any{"email_verified": nil},
			map[string]any{"email": "ada@evil.example", "email_verified": true}, ""},
		{"member", groups, nil, nil, auth.RoleMember},
		{"administrator", groups, map[string]any{"groups": []string{"admins"}}, nil, auth.RoleAdmin},
		{"one group by itself", groups, map[string]any{"groups": "switchboard"}, nil, auth.RoleMember},
		{"other groups", groups, map[string]any{"groups": []string{"everybody"}}, nil, ""},
		{"group in other letters", groups, map[string]any{"groups": []string{"Switchboard"}}, nil, ""},
		{"no groups", groups, map[string]any{"groups": []string{}}, nil, ""},
		{"groups missing", groups, map[string]any{"groups": nil}, nil, ""},
		{"groups elsewhere", groups, map[string]any{"groups": nil, "_claim_names": map[string]string{"groups": "src1"},
			"_claim_sources": map[string]any{"src1": map[string]string{"endpoint": "https://evil.example/"}}}, nil, ""},
		{"groups from UserInfo", groups, map[string]any{"groups": nil}, map[string]any{"groups": []string{"switchboard"}}, auth.RoleMember},
		{"groups in both", groups, map[string]any{"groups": []string{"everybody"}, "email": nil},
			map[string]any{"groups": []string{"admins"}}, ""},
		{"domain and group", both, nil, nil, auth.RoleMember},
		{"domain without group", both, map[string]any{"groups": []string{"everybody"}}, nil, ""},
		{"group without domain", both, map[string]any{"email": "ada@evil.example"}, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			admitted := config
			test.config(&admitted)
			c.use(admitted)
			before, err := c.db.Users(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			person := with(lovelace, test.change)
			person.Claims["sub"] = test.name
			person.Info = test.info
			c.idp.LogIn(person)
			got, err := c.logIn(t)
			if test.role == "" {
				c.wantNobody(t, got, err, auth.ErrNotAdmitted)
				if users, err := c.db.Users(t.Context()); err != nil || len(users) > len(before) {
					t.Errorf("accounts %+v, %v", users, err)
				}
				return
			}
			if err != nil || got.Login.User.Role != test.role {
				t.Errorf("got %+v, %v", got.Login.User, err)
			}
		})
	}
}

func TestProviderUserInfoIsOfTheSamePerson(t *testing.T) {
	c := newCompany(t, nil)
	person := with(lovelace, map[string]any{"email": nil, "email_verified": nil})
	person.Info = map[string]any{"email": "ada@example.com", "email_verified": true}
	c.idp.LogIn(person)
	c.idp.Misbehave(idp.OtherSubject)
	got, err := c.logIn(t)
	c.wantNobody(t, got, err, auth.ErrNotVerified)
}

// An address or a name is not who somebody is.
func TestProviderTakesNoAccountOver(t *testing.T) {
	c := newCompany(t, nil)
	ada := c.admin(t)
	c.idp.LogIn(with(lovelace, map[string]any{"preferred_username": adminName, "email": adminName + "@example.com"}))
	first := c.mustLogIn(t)
	if first.ID == ada.User.ID || first.Name == adminName || first.Role != auth.RoleMember {
		t.Errorf("got %+v", first)
	}
	c.idp.LogIn(with(lovelace, map[string]any{"sub": "0002", "preferred_username": adminName}))
	second := c.mustLogIn(t)
	if second.ID == first.ID || second.ID == ada.User.ID || second.Name == first.Name {
		t.Errorf("another subject with the same address got %+v, after %+v", second, first)
	}
	// The same subject under a new name and address is the same person.
	c.idp.LogIn(with(lovelace, map[string]any{"email": "countess@example.com", "preferred_username": "countess", "name": "Countess"}))
	if again := c.mustLogIn(t); again.ID != first.ID || again.Name != first.Name || again.DisplayName != "Countess" {
		t.Errorf("renamed: %+v, was %+v", again, first)
	}
}

func TestProviderNames(t *testing.T) {
	c := newCompany(t, nil)
	for i, test := range []struct{ username, email, name, display string }{
		{"ada", "a@example.com", "ada", "Ada Lovelace"},
		{"ADA", "a@example.com", "ada-2", "Ada Lovelace"},
		{"", "Grace.Hopper@example.com", "grace.hopper@example.com", "Ada Lovelace"},
		{"…", "x@example.com", "x@example.com", "Ada Lovelace"},
		{strings.Repeat("long", 100), "l@example.com", strings.Repeat("long", 100)[:50], "Ada Lovelace"},
	} {
		sub := "n" + string(rune('a'+i))
		c.idp.LogIn(with(lovelace, map[string]any{"sub": sub, "preferred_username": test.username, "email": test.email}))
		if user := c.mustLogIn(t); user.Name != test.name || user.DisplayName != test.display {
			t.Errorf("%q, %q: got %q, %q", test.username, test.email, user.Name, user.DisplayName)
		}
	}
	hostile := "<b>Ada\u202e</b>\n" + strings.Repeat("x", 200)
	c.idp.LogIn(with(lovelace, map[string]any{"sub": "hostile", "name": hostile}))
	if user := c.mustLogIn(t); strings.ContainsAny(user.DisplayName, "\u202e\n") || len(user.DisplayName) > 80 {
		t.Errorf("display name %q", user.DisplayName)
	}
}

func TestProviderGivesRoles(t *testing.T) {
	c := newCompany(t, groups)
	c.admin(t)
	role := func(groups ...string) auth.User {
		t.Helper()
		c.idp.LogIn(with(lovelace, map[string]any{"groups": groups}))
		return c.mustLogIn(t)
	}
	arrival, err := c.logIn(t)
	if err != nil || arrival.Login.User.Role != auth.RoleMember {
		t.Fatalf("got %+v, %v", arrival.Login.User, err)
	}
	if user := role("switchboard", "admins"); user.Role != auth.RoleAdmin {
		t.Errorf("made administrator: %+v", user)
	}
	if caller := c.caller(t, arrival.Login); caller.Role != auth.RoleAdmin {
		t.Errorf("his other browser: %+v", caller)
	}
	if user := role("switchboard"); user.Role != auth.RoleMember {
		t.Errorf("made member: %+v", user)
	}
	if caller := c.caller(t, arrival.Login); caller.Role != auth.RoleMember {
		t.Errorf("his other browser: %+v", caller)
	}
}

func TestProviderLeavesRolesAlone(t *testing.T) {
	c := newCompany(t, nil) // no group for administrators
	ada := c.admin(t)
	c.connectTo(t, ada)
	if user := c.mustLogIn(t); user.ID != ada.User.ID || user.Role != auth.RoleAdmin {
		t.Errorf("got %+v", user)
	}
}

// Whoever loses his group is out at his next request, with his browsers and his clients, and in again with it.
func TestProviderShutsOut(t *testing.T) {
	c := newCompany(t, groups)
	c.admin(t)
	arrival, err := c.logIn(t)
	if err != nil {
		t.Fatal(err)
	}
	user := arrival.Login.User
	tokens := c.register(t, nil).connect(c.browser(t, &arrival.Login))
	if !c.works(t, tokens.access) {
		t.Fatal("the client's token is dead from the start")
	}

	c.idp.LogIn(with(lovelace, map[string]any{"groups": []string{"everybody"}}))
	got, err := c.logIn(t)
	c.wantNobody(t, got, err, auth.ErrNotAdmitted)
	if _, _, err := c.accounts.Caller(t.Context(), arrival.Login.Token, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("his browser: %v", err)
	}
	if c.works(t, tokens.access) {
		t.Error("his client still works")
	}

	c.idp.LogIn(lovelace)
	if again := c.mustLogIn(t); again.ID != user.ID || again.SuspendedAt != nil {
		t.Errorf("readmitted: %+v", again)
	}
	if !c.works(t, tokens.access) {
		t.Error("his client is still out")
	}
}

// Before there is an administrator, nobody is the last one.
func TestProviderShutsOutBeforeThereIsAnAdmin(t *testing.T) {
	c := newCompany(t, groups)
	arrival, err := c.logIn(t)
	if err != nil {
		t.Fatal(err)
	}
	c.idp.LogIn(with(lovelace, map[string]any{"groups": []string{"everybody"}}))
	got, err := c.logIn(t)
	c.wantNobody(t, got, err, auth.ErrNotAdmitted)
	if _, _, err := c.accounts.Caller(t.Context(), arrival.Login.Token, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("his browser: %v", err)
	}
}

// What the provider could not say is no reason to suspend anybody.
func TestProviderThatDoesNotKnowSuspendsNobody(t *testing.T) {
	c := newCompany(t, groups)
	c.admin(t)
	arrival, err := c.logIn(t)
	if err != nil {
		t.Fatal(err)
	}
	c.idp.LogIn(with(lovelace, map[string]any{"groups": nil, "_claim_names": map[string]string{"groups": "src1"},
		"_claim_sources": map[string]any{"src1": map[string]string{"endpoint": "https://evil.example/"}}}))
	got, err := c.logIn(t)
	c.wantNobody(t, got, err, auth.ErrNotAdmitted)
	c.caller(t, arrival.Login)
}

func TestSuspendedStaysOutWhateverTheProviderSays(t *testing.T) {
	c := newCompany(t, groups)
	ada := c.admin(t)
	user := c.mustLogIn(t)
	if err := c.accounts.Suspend(t.Context(), c.caller(t, ada), user.ID, true); err != nil {
		t.Fatal(err)
	}
	for _, person := range []idp.Person{lovelace, with(lovelace, map[string]any{"groups": []string{"x"}}), lovelace} {
		c.idp.LogIn(person)
		got, err := c.logIn(t)
		c.wantNobody(t, got, err, auth.ErrSuspended)
	}
	// And whom the provider had shut out, an administrator can suspend for good.
	if err := c.accounts.Suspend(t.Context(), c.caller(t, ada), user.ID, false); err != nil {
		t.Fatal(err)
	}
	c.mustLogIn(t)
	c.idp.LogIn(with(lovelace, map[string]any{"groups": []string{"x"}}))
	got, err := c.logIn(t)
	c.wantNobody(t, got, err, auth.ErrNotAdmitted)
	if err := c.accounts.Suspend(t.Context(), c.caller(t, ada), user.ID, true); err != nil {
		t.Fatal(err)
	}
	c.idp.LogIn(lovelace)
	got, err = c.logIn(t)
	c.wantNobody(t, got, err, auth.ErrSuspended)
}

func TestLastAdminIsNotLostToTheProvider(t *testing.T) {
	c := newCompany(t, groups)
	c.idp.LogIn(with(lovelace, map[string]any{"groups": []string{"admins"}}))
	first, err := c.logIn(t)
	if err != nil {
		t.Fatal(err)
	}
	c.idp.LogIn(lovelace)
	if user := c.mustLogIn(t); user.Role != auth.RoleAdmin {
		t.Errorf("lowered to %+v", user)
	}
	c.idp.LogIn(with(lovelace, map[string]any{"groups": []string{"x"}}))
	got, err := c.logIn(t)
	c.wantNobody(t, got, err, auth.ErrNotAdmitted)
	if caller := c.caller(t, first.Login); caller.Role != auth.RoleAdmin {
		t.Errorf("his browser: %+v", caller)
	}
	if !strings.Contains(c.logs.String(), "last administrator") {
		t.Error("nobody was told")
	}
}

// Who comes by the provider as the first administrator leaves no link behind for a second one.
func TestFirstAdminByProvider(t *testing.T) {
	c := newCompany(t, groups)
	link, _, err := c.accounts.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.mustLogIn(t) // a member changes nothing
	if _, err := c.accounts.OpenInvite(t.Context(), inviteToken(link)); err != nil {
		t.Fatal(err)
	}
	c.idp.LogIn(with(lovelace, map[string]any{"sub": "0002", "groups": []string{"admins"}}))
	c.mustLogIn(t)
	if _, err := c.accounts.OpenInvite(t.Context(), inviteToken(link)); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("the set-up link: %v", err)
	}
}

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
