package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"switchboard/auth"
)

func TestRegisteredClientsPage(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, &s.admin)
	consent := b.get(s.register(t, "ChatGPT", "https://chatgpt.example/callback"))
	b.submit(consent, auth.AuthorizePath, url.Values{"decision": {"allow"}}).leads("https://chatgpt.example/callback?code=")
	s.useGrants(t)
	s.execute(t, `UPDATE oauth_grants SET last_used_at = now()`)
	b.get("/clients").wants(http.StatusOK, "registered clients")
	list := b.get("/clients/registered").
		wants(http.StatusOK, "ChatGPT", "registered itself", "1 connection", "chatgpt.example", "Host agent", "part of Switchboard").
		lacks("/clients/registered/remove") // what was used, or is our own, stays
	list.checkInert("/clients/registered")

	b.submit(list, "/clients/registered", url.Values{"name": {"x"}, "redirects": {"http://evil.example/"}, "kind": {"secret"}}).
		wants(http.StatusBadRequest, "Redirect address 1 uses http", "http://evil.example/")
	added := b.submit(list, "/clients/registered", url.Values{
		"name": {"<i>Added</i>"}, "redirects": {"https://a.example/cb\r\nhttp://localhost/cb\r\n"}, "kind": {"secret"},
	}).wants(http.StatusOK, "<i>Added</i>", "added by an administrator", "The secret is shown only now.", "never used", "a.example", "this computer")
	added.checkInert("/clients/registered")
	id, secret := added.code("client-id"), added.code("client-secret")
	if len(id) < 20 || len(secret) < 43 || strings.Contains(s.logs.String(), secret) {
		t.Errorf("an id of %d characters, a secret of %d", len(id), len(secret))
	}
	b.get("/clients/registered").wants(http.StatusOK, id).lacks(secret)

	act := func(what string, form url.Values) page { return b.submit(added, "/clients/registered/"+what, form) }
	act("disable", url.Values{"client": {id}, "disable": {"yes"}}).leads("/clients/registered")
	b.get("/clients/registered").wants(http.StatusOK, "disabled", "Enable")
	act("disable", url.Values{"client": {id}, "disable": {"no"}}).leads("/clients/registered")
	act("remove", url.Values{"client": {id}}).leads("/clients/registered")
	b.get("/clients/registered").wants(http.StatusOK).lacks(id)
	act("remove", url.Values{"client": {id}}).wants(http.StatusNotFound)
	act("remove", url.Values{"client": {"hostagent"}}).wants(http.StatusConflict, "Client has been used: disable it instead")
}

func TestRegisteredClientsAreForAdministrators(t *testing.T) {
	s := newSite(t)
	grace := s.member(t, "grace", "Grace")
	b := s.browser(t, &grace)
	b.get("/clients").wants(http.StatusOK).lacks("/clients/registered")
	b.get("/clients/registered").wants(http.StatusNotFound)
	own := b.get("/clients")
	form, _ := own.form("/logout")
	for _, path := range []string{"/clients/registered", "/clients/registered/disable", "/clients/registered/remove"} {
		got := b.post(path, url.Values{"csrf": form["csrf"], "client": {"hostagent"}, "disable": {"yes"}, "name": {"x"}, "redirects": {"https://a.example/"}})
		if got.status != http.StatusForbidden && got.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

// TestRegisteredClientsOnATelephone adds a client and disables it, in a real browser.
func TestRegisteredClientsOnATelephone(t *testing.T) {
	c := newChromium(t, 390, 844)
	s := newSite(t)
	s.register(t, "A client with quite a long name, as such names go", "https://a-host-with-a-very-long-name.of-a-long-domain.example/callback")
	c.open(s.url + "/login?return_to=/clients/registered")
	c.write("input[name=name]", "ada")
	c.write("input[name=password]", password)
	c.click("main button")
	c.until("location.pathname === '/clients/registered' && document.readyState === 'complete'")
	c.run("document.querySelectorAll('details').forEach(d => d.open = true)")
	c.picture("registered")
	c.write("main input[name=name]", "Added")
	c.write("main textarea", "https://added.example/callback")
	c.run("document.querySelector('main select').value = 'secret'")
	c.click("main form.card button")
	c.until("document.readyState === 'complete' && document.querySelector('#client-secret')")
	c.picture("registered-added")
	if wide, _ := c.run("document.documentElement.scrollWidth").(float64); wide > 390 {
		t.Errorf("the page is %v pixels wide", wide)
	}
	c.click("main .row .side button")
	c.until("document.readyState === 'complete' && document.querySelector('main .row .facts')?.innerText.includes('disabled')")
	if wide, _ := c.run("document.documentElement.scrollWidth").(float64); wide > 390 {
		t.Errorf("the page is %v pixels wide", wide)
	}
}
