package auth_test

import (
	"errors"
	"strings"
	"testing"

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
