package web_test

import (
	"net/http"
	"net/url"
	"testing"
)

func TestSetUpThenLogInAndOut(t *testing.T) {
	s := newSite(t)
	member := s.browser(t, nil)
	link, err := s.pages.Accounts.Invite(t.Context(), s.caller(t, s.admin), "member")
	if err != nil {
		t.Fatal(err)
	}
	path := link[len(s.url):]
	form := member.get(path).wants(http.StatusOK, "Make your account")
	member.submit(form, path, url.Values{"name": {"grace"}, "password": {"short"}}).
		wants(http.StatusBadRequest, "Password must have at least 12 characters.")
	entered := member.submit(form, path, url.Values{"name": {"grace"}, "display_name": {"Grace"}, "password": {password}})
	entered.wants(http.StatusOK, "Go on")
	if got := entered.header.Get("Refresh"); got != "0; url=/sessions" {
		t.Errorf("Refresh = %q", got)
	}
	home := member.get("/sessions").wants(http.StatusOK, "grace", "No session is running.")
	member.get(path).wants(http.StatusNotFound)

	member.submit(home, "/logout", nil).leads("/login")
	member.get("/sessions").leads("/login?return_to=%2Fsessions")

	login := member.get("/login?return_to=%2Fhosts%3Fa%3Db").wants(http.StatusOK)
	member.submit(login, "/login", url.Values{"name": {"grace"}, "password": {"wrong"}}).
		wants(http.StatusUnauthorized, "Name or password is wrong.")
	member.submit(login, "/login", url.Values{"name": {"nobody"}, "password": {"wrong"}}).
		wants(http.StatusUnauthorized, "Name or password is wrong.")
	entered = member.submit(login, "/login", url.Values{"name": {"grace"}, "password": {password}}).wants(http.StatusOK)
	if got := entered.header.Get("Refresh"); got != "0; url=/hosts?a=b" {
		t.Errorf("Refresh = %q", got)
	}
	member.get("/login").leads("/")
}

func TestLoginIsThrottled(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, nil)
	form := b.get("/login")
	for range 10 {
		b.submit(form, "/login", url.Values{"name": {"ada"}, "password": {"wrong"}}).wants(http.StatusUnauthorized)
	}
	refused := b.submit(form, "/login", url.Values{"name": {"ada"}, "password": {password}}).wants(http.StatusTooManyRequests)
	if refused.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestLoginLeadsOnlyToOwnPages(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, &s.admin)
	for _, c := range []struct{ wish, want string }{
		{"/hosts/x?y=z", "/hosts/x?y=z"},
		{"/authorize?client_id=a&state=%2F", "/authorize?client_id=a&state=%2F"},
		{"https://evil.example/", "/"},
		{"//evil.example/sessions", "/"},
		{`/\evil.example`, "/"},
		{`/sessions\..\..`, "/"},
		{"/sessions/../logout", "/"},
		{"/%2f/evil.example", "/"},
		{"/sessions\r\nSet-Cookie: a=b", "/"},
		{"javascript:alert(1)", "/"},
		{"/logout", "/"},
		{"", "/"},
	} {
		if got := b.get("/login?return_to=" + url.QueryEscape(c.wish)); got.status != http.StatusSeeOther || got.location != c.want {
			t.Errorf("return_to %q leads to %d %q, want %q", c.wish, got.status, got.location, c.want)
		}
	}
}

func TestChangePassword(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, &s.admin)
	form := b.get("/account").wants(http.StatusOK, "an administrator")
	b.submit(form, "/account", url.Values{"current": {"wrong"}, "next": {"another long password"}}).
		wants(http.StatusBadRequest, "The current password is wrong.")
	b.submit(form, "/account", url.Values{"current": {password}, "next": {"short"}}).wants(http.StatusBadRequest, "at least 12")
	changed := b.submit(form, "/account", url.Values{"current": {password}, "next": {"another long password"}}).leads("/account")
	b.get(changed).wants(http.StatusOK, "Your password is changed")
}

// TestLoginEndsTheOneBefore: the login that a browser had is over when it gets another, for whoever else has its token.
func TestLoginEndsTheOneBefore(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, nil)
	page := b.get("/login")
	known := url.Values{"name": {"ada"}, "password": {password}}
	for range 3 {
		b.submit(page, "/login", known).wants(http.StatusOK, "Go on")
		b.get("/sessions").wants(http.StatusOK)
		logins, err := s.db.WebSessions(t.Context(), s.admin.User.ID)
		if err != nil || len(logins) != 2 { // with the one in which she made her account
			t.Errorf("%d logins, %v", len(logins), err)
		}
	}
}
