package auth_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"switchboard/auth"
)

func TestSetup(t *testing.T) {
	s := newServer(t)
	var first auth.UserID
	s.accounts.FirstAdmin = func(_ context.Context, id auth.UserID) error {
		first = id
		return nil
	}
	old, needed, err := s.accounts.SetupLink(t.Context())
	if err != nil || !needed || !strings.HasPrefix(old, s.oauth.PublicURL+auth.InvitePath) {
		t.Fatalf("got %q, %v, %v", old, needed, err)
	}
	link, _, err := s.accounts.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.accounts.OpenInvite(t.Context(), inviteToken(old)); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("the older link: %v", err)
	}
	if role, err := s.accounts.OpenInvite(t.Context(), inviteToken(link)); err != nil || role != auth.RoleAdmin {
		t.Errorf("the link: %s, %v", role, err)
	}
	account := auth.NewAccount{Name: " Ada@Example.com ", DisplayName: "Ada L.", Password: password}
	login, err := s.accounts.Accept(t.Context(), inviteToken(link), account, auth.Browser{Addr: "127.0.0.1"})
	if err != nil || login.User.Name != "ada@example.com" || login.User.Role != auth.RoleAdmin || login.User.ID != first {
		t.Fatalf("got %+v, first administrator %q, %v", login.User, first, err)
	}
	if _, err := s.accounts.Accept(t.Context(), inviteToken(link), account, auth.Browser{}); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("the link again: %v", err)
	}
	if _, needed, err := s.accounts.SetupLink(t.Context()); err != nil || needed {
		t.Errorf("with an administrator: needed %v, %v", needed, err)
	}
}

func TestInvites(t *testing.T) {
	s := newServer(t)
	ada := s.admin(t)
	bob := s.member(t, ada)
	if _, err := s.accounts.Invite(t.Context(), s.caller(t, bob), auth.RoleAdmin); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a member invites: %v", err)
	}
	client := s.caller(t, ada)
	client.Scopes = auth.AllScopes()
	if _, err := s.accounts.Invite(t.Context(), client, auth.RoleMember); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("an administrator's client invites: %v", err)
	}
	if _, err := s.accounts.Invite(t.Context(), s.caller(t, ada), "root"); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("an unknown role: %v", err)
	}
	link, err := s.accounts.Invite(t.Context(), s.caller(t, ada), auth.RoleMember)
	if err != nil {
		t.Fatal(err)
	}
	for name, account := range map[string]auth.NewAccount{
		"short password":            {Name: "cy", Password: "elevenchars"},
		"password of 600 bytes":     {Name: "cy", Password: auth.Secret(strings.Repeat("x", 600))},
		"no name":                   {Password: password},
		"name with a space":         {Name: "c y", Password: password},
		"name that is not ASCII":    {Name: "çy", Password: password},
		"name of 65":                {Name: strings.Repeat("c", 65), Password: password},
		"name that is taken":        {Name: "BOB", Password: password},
		"display name with a break": {Name: "cy", DisplayName: "C\nY", Password: password},
	} {
		if _, err := s.accounts.Accept(t.Context(), inviteToken(link), account, auth.Browser{}); !errors.Is(err, auth.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.Advance(7*24*time.Hour - time.Second)
	if _, err := s.accounts.Accept(t.Context(), inviteToken(link), auth.NewAccount{Name: "cy", Password: password}, auth.Browser{}); err != nil {
		t.Errorf("in the last second: %v", err)
	}
	ada = logIn(t, s)
	link, err = s.accounts.Invite(t.Context(), s.caller(t, ada), auth.RoleMember)
	if err != nil {
		t.Fatal(err)
	}
	s.Advance(7 * 24 * time.Hour)
	if _, err := s.accounts.OpenInvite(t.Context(), inviteToken(link)); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("after a week: %v", err)
	}
}

func TestLogin(t *testing.T) {
	s := newServer(t)
	planted := s.admin(t)
	login, err := s.accounts.LogIn(t.Context(), " ADA ", password, auth.Browser{Addr: "127.0.0.1"})
	if err != nil || login.Token == planted.Token {
		t.Fatalf("got %v, the same token: %v", err, login.Token == planted.Token)
	}
	for name, attempt := range map[string]struct{ name, password string }{
		"wrong password": {adminName, "wrong"}, "unknown name": {"nobody", password}, "nothing": {},
		"name with NUL": {"ada\x00", "x"}, "name of 10 kB": {strings.Repeat("x", 10_000), password},
		"name that is not UTF-8": {"\xff", password}, "password of 1 MB": {adminName, strings.Repeat("x", 1<<20)},
	} {
		_, err := s.accounts.LogIn(t.Context(), attempt.name, auth.Secret(attempt.password), auth.Browser{Addr: "127.0.0.1"})
		if !errors.Is(err, auth.ErrWrongPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.accounts.LogOut(t.Context(), login.Token, ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.accounts.Caller(t.Context(), login.Token, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("after the logout: %v", err)
	}
	if err := s.accounts.LogOut(t.Context(), login.Token, ""); err != nil {
		t.Errorf("logged out twice: %v", err)
	}
	for _, action := range []struct {
		name    string
		allowed bool
	}{{"login", true}, {"login", false}, {"logout", true}, {"account.accept", true}} {
		wantAudit(t, s, action.name, action.allowed)
	}
}

func TestLoginIsLimited(t *testing.T) {
	s := newServer(t)
	s.admin(t)
	// failed notes logins as LogIn does before it tries them, without the work of a hash.
	failed := func(n int, account, addr func(i int) string) {
		for i := range n {
			if _, err := s.db.BeginAttempt(t.Context(), account(i), addr(i), s.Now(), s.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	always := func(text string) func(int) string { return func(int) string { return text } }
	failed(9, always(adminName), func(i int) string { return fmt.Sprintf("10.0.0.%d", i) })
	if _, err := s.accounts.LogIn(t.Context(), adminName, "wrong", auth.Browser{Addr: "10.0.0.98"}); !errors.Is(err, auth.ErrWrongPassword) {
		t.Errorf("the 10th: %v", err)
	}
	for range 3 {
		_, err := s.accounts.LogIn(t.Context(), adminName, password, auth.Browser{Addr: "10.0.0.99"})
		var throttled *auth.ThrottledError
		if !errors.As(err, &throttled) || throttled.RetryAfter <= 0 || !strings.Contains(err.Error(), "try again in") {
			t.Errorf("the 11th, with the right password: %v", err)
		}
	}
	s.Advance(15 * time.Minute)
	logIn(t, s)
	failed(49, func(i int) string { return fmt.Sprintf("user%d", i) }, always("10.1.1.1"))
	if _, err := s.accounts.LogIn(t.Context(), "user50", "wrong", auth.Browser{Addr: "10.1.1.1"}); !errors.Is(err, auth.ErrWrongPassword) {
		t.Errorf("the 50th account from one address: %v", err)
	}
	if _, err := s.accounts.LogIn(t.Context(), adminName, password, auth.Browser{Addr: "10.1.1.1"}); !errors.Is(err, auth.ErrThrottled) {
		t.Errorf("the 51st account from one address: %v", err)
	}
	if _, err := s.accounts.LogIn(t.Context(), adminName, password, auth.Browser{Addr: "10.2.2.2"}); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
}

func TestSessionLifetimes(t *testing.T) {
	s := newServer(t)
	day := 24 * time.Hour
	idle := s.admin(t)
	s.Advance(7*day - time.Second)
	s.caller(t, idle)
	s.Advance(7 * day)
	if _, _, err := s.accounts.Caller(t.Context(), idle.Token, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("idle for a week: %v", err)
	}
	used := logIn(t, s)
	for range 4 {
		s.Advance(7*day - time.Hour)
		s.caller(t, used)
	}
	s.Advance(2*day + 4*time.Hour)
	if _, _, err := s.accounts.Caller(t.Context(), used.Token, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("used for a month: %v", err)
	}
	if err := s.accounts.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSuspend(t *testing.T) {
	s := newServer(t)
	ada := s.admin(t)
	bob := s.member(t, ada)
	admin := s.caller(t, ada)
	app := s.register(t, nil)
	got := app.connect(s.browser(t, &bob))
	if err := s.accounts.Suspend(t.Context(), s.caller(t, bob), ada.User.ID, true); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a member suspends: %v", err)
	}
	if err := s.accounts.Suspend(t.Context(), admin, ada.User.ID, true); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("an administrator suspends himself: %v", err)
	}
	if err := s.accounts.Suspend(t.Context(), admin, "nobody", true); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("nobody is suspended: %v", err)
	}
	if err := s.accounts.Suspend(t.Context(), admin, bob.User.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.accounts.Caller(t.Context(), bob.Token, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("his browser: %v", err)
	}
	if s.works(t, got.access) {
		t.Error("his client works")
	}
	if _, err := s.accounts.LogIn(t.Context(), "bob", password, auth.Browser{}); !errors.Is(err, auth.ErrSuspended) {
		t.Errorf("he logs in: %v", err)
	}
	if _, err := s.accounts.LogIn(t.Context(), "bob", "wrong", auth.Browser{}); !errors.Is(err, auth.ErrWrongPassword) {
		t.Errorf("somebody guesses: %v", err)
	}
	if err := s.accounts.Suspend(t.Context(), admin, bob.User.ID, false); err != nil {
		t.Fatal(err)
	}
	if !s.works(t, got.access) {
		t.Error("readmitted, his client does not work")
	}
	wantAudit(t, s, "account.suspend", true)
	wantAudit(t, s, "account.suspend", false)
}

func TestChangePassword(t *testing.T) {
	s := newServer(t)
	here := s.admin(t)
	there := logIn(t, s)
	caller := s.caller(t, here)
	const next = "another correct horse"
	if err := s.accounts.ChangePassword(t.Context(), caller, here.Token, "wrong", next); !errors.Is(err, auth.ErrWrongPassword) {
		t.Errorf("with a wrong password: %v", err)
	}
	if err := s.accounts.ChangePassword(t.Context(), caller, here.Token, password, "short"); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("to a short one: %v", err)
	}
	if err := s.accounts.ChangePassword(t.Context(), caller, here.Token, password, next); err != nil {
		t.Fatal(err)
	}
	s.caller(t, here)
	if _, _, err := s.accounts.Caller(t.Context(), there.Token, ""); !errors.Is(err, auth.ErrNoLogin) {
		t.Errorf("the other browser: %v", err)
	}
	if _, err := s.accounts.LogIn(t.Context(), adminName, password, auth.Browser{}); !errors.Is(err, auth.ErrWrongPassword) {
		t.Errorf("the old password: %v", err)
	}
	if _, err := s.accounts.LogIn(t.Context(), adminName, next, auth.Browser{}); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

func TestUsers(t *testing.T) {
	s := newServer(t)
	ada := s.admin(t)
	bob := s.member(t, ada)
	users, err := s.accounts.Users(t.Context(), s.caller(t, bob))
	if err != nil || len(users) != 2 || users[0].Name != adminName || users[1].Name != "bob" {
		t.Errorf("got %+v, %v", users, err)
	}
	if _, err := s.accounts.Users(t.Context(), auth.Caller{Scopes: auth.AllScopes()}); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a client lists people: %v", err)
	}
}

func TestCookie(t *testing.T) {
	login := auth.Login{Token: "t", ExpiresAt: time.Now().Add(time.Hour)}
	for public, name := range map[string]string{"https://sb.example": "__Host-switchboard", "http://127.0.0.1:8080": "switchboard"} {
		c := (&auth.Accounts{PublicURL: public}).Cookie(login)
		secure := strings.HasPrefix(public, "https")
		if c.Name != name || c.Secure != secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("%s: %v", public, c)
		}
	}
}

func TestCSRF(t *testing.T) {
	s := newServer(t)
	ada := s.admin(t)
	bob := s.member(t, ada)
	_, adas, _ := s.accounts.Caller(t.Context(), ada.Token, "")
	_, bobs, _ := s.accounts.Caller(t.Context(), bob.Token, "")
	form := func(csrf string, cookie *http.Cookie) *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(url.Values{auth.CSRFField: {csrf}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if cookie != nil {
			r.AddCookie(cookie)
		}
		return r
	}
	cookie := s.accounts.Cookie(ada)
	for name, test := range map[string]struct {
		r    *http.Request
		want bool
	}{
		"own": {form(adas, cookie), true}, "another's": {form(bobs, cookie), false}, "empty": {form("", cookie), false},
		"without a cookie": {form(adas, nil), false}, "nothing at all": {form("", nil), false},
	} {
		if got := s.accounts.CheckCSRF(test.r); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestReturnTo(t *testing.T) {
	for wish, want := range map[string]string{
		"/": "/", "/hosts": "/hosts", "/sessions/1?x=y": "/sessions/1?x=y", "/authorize?client_id=a&state=%2F%2Fb": "/authorize?client_id=a&state=%2F%2Fb",
		"": "/", "hosts": "/", "//evil.tld": "/", "///evil.tld": "/", `/\evil.tld`: "/", `\\evil.tld`: "/", "https://evil.tld/": "/",
		"/hosts#x": "/", "/%2Fevil.tld": "/", "/hosts/../../evil": "/", "/hosts//x": "/", "/login": "/", "/logout": "/", "/mcp": "/",
		"/\tevil.tld": "/", "/hosts\r\nX: y": "/", "javascript:alert(1)": "/", "/hosts%00": "/",
		"/hosts?" + strings.Repeat("x", 20_000): "/",
	} {
		if got := auth.ReturnTo(wish); got != want {
			t.Errorf("%.60q: got %.60q, want %q", wish, got, want)
		}
	}
}

// TestInvitesEndWithTheirInviter: nobody keeps a way back in, or a way to make administrators, by a link that he made
// while he was one.
func TestInvitesEndWithTheirInviter(t *testing.T) {
	for name, fall := range map[string]struct {
		down, up func(s *server, ada auth.Caller, cy auth.UserID) error
	}{
		"suspended": {
			down: func(s *server, ada auth.Caller, cy auth.UserID) error {
				return s.accounts.Suspend(t.Context(), ada, cy, true)
			},
			up: func(s *server, ada auth.Caller, cy auth.UserID) error {
				return s.accounts.Suspend(t.Context(), ada, cy, false)
			},
		},
		"shut out by the provider": {
			down: func(s *server, _ auth.Caller, cy auth.UserID) error { return s.db.ShutOut(t.Context(), cy, s.Now()) },
			up:   func(s *server, _ auth.Caller, cy auth.UserID) error { return s.db.Readmit(t.Context(), cy) },
		},
		"lowered": {
			down: func(s *server, _ auth.Caller, cy auth.UserID) error {
				return s.db.SetRole(t.Context(), cy, auth.RoleMember)
			},
			up: func(s *server, _ auth.Caller, cy auth.UserID) error {
				return s.db.SetRole(t.Context(), cy, auth.RoleAdmin)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			ada := s.caller(t, s.admin(t))
			invite := func(c auth.Caller) auth.Secret {
				link, err := s.accounts.Invite(t.Context(), c, auth.RoleAdmin)
				if err != nil {
					t.Fatal(err)
				}
				return inviteToken(link)
			}
			cy, err := s.accounts.Accept(t.Context(), invite(ada), auth.NewAccount{Name: "cy", Password: password}, home)
			if err != nil {
				t.Fatal(err)
			}
			kept := invite(s.caller(t, cy))
			if err := fall.down(s, ada, cy.User.ID); err != nil {
				t.Fatal(err)
			}
			back := auth.NewAccount{Name: "back", Password: password}
			if _, err := s.accounts.OpenInvite(t.Context(), kept); !errors.Is(err, auth.ErrNotFound) {
				t.Errorf("his link opens: %v", err)
			}
			if _, err := s.accounts.Accept(t.Context(), kept, back, home); !errors.Is(err, auth.ErrNotFound) {
				t.Errorf("his link makes an account: %v", err)
			}
			user := auth.User{ID: "back", Name: "back", DisplayName: "back", Role: auth.RoleAdmin, CreatedAt: s.Now()}
			hash := sha256.Sum256([]byte(kept))
			if err := s.db.AcceptInvite(t.Context(), hash[:], user, "hash", s.Now()); !errors.Is(err, auth.ErrNotFound) {
				t.Errorf("opened before he fell, it makes an account: %v", err)
			}
			if err := fall.up(s, ada, cy.User.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := s.accounts.Accept(t.Context(), kept, back, home); err != nil {
				t.Errorf("he may invite again: %v", err)
			}
		})
	}
}

// TestLoginIsLimitedByNetwork: one subscriber has more IPv6 addresses than there are passwords to try.
func TestLoginIsLimitedByNetwork(t *testing.T) {
	s := newServer(t)
	s.admin(t)
	for i := range 49 { // as LogIn notes them, without the work of a hash
		if _, err := s.db.BeginAttempt(t.Context(), fmt.Sprintf("user%d", i), "2001:db8:0:7::/64", s.Now(), s.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.accounts.LogIn(t.Context(), "user50", "wrong", auth.Browser{Addr: "2001:db8:0:7::1"}); !errors.Is(err, auth.ErrWrongPassword) {
		t.Fatal(err)
	}
	if _, err := s.accounts.LogIn(t.Context(), adminName, password, auth.Browser{Addr: "2001:db8:0:7:ffff::1"}); !errors.Is(err, auth.ErrThrottled) {
		t.Errorf("from the same network: %v", err)
	}
	if _, err := s.accounts.LogIn(t.Context(), adminName, password, auth.Browser{Addr: "2001:db8:0:8::1"}); err != nil {
		t.Errorf("from the next one: %v", err)
	}
}
