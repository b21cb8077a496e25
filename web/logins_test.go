package web_test

import (
	"net/http"
	"testing"

	"switchboard/auth"
)

func TestBrowserLogins(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, &s.admin)
	there := s.browser(t, nil)
	form, _ := there.get("/login").form("/login")
	form["name"], form["password"] = []string{"ada"}, []string{password}
	r := there.request(http.MethodPost, "/login", form)
	r.Header.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1")
	there.do(r).wants(http.StatusOK)
	there.get("/sessions").wants(http.StatusOK)

	page := b.get("/account").wants(http.StatusOK, "Safari on iPhone", "this browser", "from 127.0.0.1")
	ended := b.submit(page, "/end", nil).leads("/account")
	b.get(ended).wants(http.StatusOK, "That browser is logged out.").lacks("Safari on iPhone", "Log all others out")
	there.get("/sessions").leads("/login")

	other, err := s.pages.Accounts.LogIn(t.Context(), "ada", password, auth.Browser{})
	if err != nil {
		t.Fatal(err)
	}
	ended = b.submit(b.get("/account"), "/account/logins/end", nil).leads("/account")
	b.get(ended).wants(http.StatusOK, "Your other browsers are logged out.")
	s.browser(t, &other).get("/sessions").leads("/login")

	grace := s.member(t, "grace", "Grace")
	b.submit(b.get("/users").wants(http.StatusOK), "/logins/end", nil).leads("/users")
	s.browser(t, &grace).get("/sessions").leads("/login")
	b.get("/audit").wants(http.StatusOK, "login.end", "login.end_others", "account.end_logins")
}
