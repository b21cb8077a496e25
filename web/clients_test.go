package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"switchboard/auth"
)

// connected has each of some people allow a client, by consent, by device code and by a personal token.
func (s *site) connected(t *testing.T) (bob auth.Login) {
	t.Helper()
	bob = s.member(t, "bob", "Bob")
	client := s.deviceClient(t, "CLI")
	for _, login := range []auth.Login{s.admin, bob} {
		b := s.browser(t, &login)
		consent := b.get(s.register(t, "ChatGPT", "https://chatgpt.example/callback"))
		b.submit(consent, auth.AuthorizePath, url.Values{"decision": {"allow"}}).leads("https://chatgpt.example/callback?code=")
		_, userCode := s.askDevice(t, client)
		if _, err := s.pages.OAuth.DecideDevice(t.Context(), s.caller(t, login), userCode, true, ""); err != nil {
			t.Fatal(err)
		}
	}
	s.useGrants(t)
	for _, login := range []auth.Login{s.admin, bob} {
		n := auth.NewPersonalToken{Name: "nightly of " + login.User.Name, Scopes: auth.Scopes{auth.ScopeHostsRead}, Days: 7}
		if _, _, err := s.pages.OAuth.CreatePersonalToken(t.Context(), s.caller(t, login), n); err != nil {
			t.Fatal(err)
		}
	}
	return bob
}

func TestClientsPageSaysWhatActs(t *testing.T) {
	s := newSite(t)
	bob := s.connected(t)
	page := s.browser(t, &bob).get("/clients").wants(http.StatusOK, "ChatGPT", "registered itself", "chatgpt.example", "CLI",
		"registered itself, by a device code", "cli.example", "nightly of bob", "personal token", "never used", "expires",
		auth.ScopeHostsRead.Words()).lacks("nightly of ada", "for ada")
	page.checkInert("/clients")
	s.browser(t, &bob).get("/clients?all=yes").wants(http.StatusForbidden)
	s.browser(t, &bob).get("/clients/revoke?all=yes&user=" + string(s.admin.User.ID)).wants(http.StatusForbidden)
	s.browser(t, &s.admin).get("/clients?all=yes").wants(http.StatusOK, "nightly of bob", "nightly of ada", "for bob", "for ada").
		lacks("End all of mine")
}

func TestAdministratorEndsAllOfOne(t *testing.T) {
	for name, test := range map[string]struct {
		filter func(s *site, bob auth.Login) url.Values
		title  string
		gone   []string
		left   []string
	}{
		"a person": {
			func(_ *site, bob auth.Login) url.Values {
				return url.Values{"all": {"yes"}, "user": {string(bob.User.ID)}}
			},
			"End all of bob's?", []string{"for bob"}, []string{"ChatGPT", "CLI", "nightly of ada"},
		},
		"a client": {
			func(*site, auth.Login) url.Values { return url.Values{"all": {"yes"}, "client": {"personal-token"}} },
			"End all of Personal access token?", []string{"nightly of bob", "nightly of ada"}, []string{"ChatGPT", "CLI"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			bob := s.connected(t)
			b := s.browser(t, &s.admin)
			filter := test.filter(s, bob)
			list := b.get("/clients?"+filter.Encode()).wants(http.StatusOK, "End all of")
			if !strings.Contains(list.text, "/clients/revoke?"+strings.ReplaceAll(filter.Encode(), "&", "&amp;")) {
				t.Error("the list does not lead to the end of all")
			}
			b.submit(b.get("/clients/revoke?"+filter.Encode()).wants(http.StatusOK, test.title), "/clients/revoke", nil).leads("/clients?all=yes")
			b.get("/clients?all=yes").wants(http.StatusOK, test.left...).lacks(test.gone...)
			b.get("/audit").wants(http.StatusOK, "oauth.revoke")
		})
	}
}

func TestOnlyAdministratorsEndOthers(t *testing.T) {
	s := newSite(t)
	bob := s.connected(t)
	b := s.browser(t, &bob)
	csrf, _ := b.get("/account").form("/account")
	for _, form := range []url.Values{
		{"all": {"yes"}, "user": {string(s.admin.User.ID)}}, {"all": {"yes"}, "client": {"personal-token"}},
		{"all": {"yes"}}, {"all": {"yes"}, "user": {string(bob.User.ID)}, "client": {"personal-token"}},
	} {
		form.Set("csrf", csrf.Get("csrf"))
		if got := b.post("/clients/revoke", form); got.status != http.StatusForbidden && got.status != http.StatusNotFound {
			t.Errorf("%v: status %d", form, got.status)
		}
	}
	s.browser(t, &s.admin).get("/clients?all=yes").wants(http.StatusOK, "nightly of bob", "nightly of ada")
	list := s.browser(t, &s.admin).get("/clients?all=yes&user="+string(bob.User.ID)).wants(http.StatusOK, "nightly of bob").lacks("nightly of ada")
	s.browser(t, &s.admin).submit(list, "/revoke", nil).leads("/clients?all=yes&user=" + string(bob.User.ID))
}
