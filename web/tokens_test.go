package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"switchboard/auth"
)

func TestPersonalTokenPage(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, &s.admin)
	page := b.get("/tokens").wants(http.StatusOK, "You have no token.", "in 365 days", auth.ScopeSessionsWrite.Words()).
		lacks(`value="manage"`, `value="offline_access"`)
	b.submit(page, "/tokens", url.Values{"name": {"ci"}, "days": {"30"}}).wants(http.StatusBadRequest, "choose at least one thing")
	b.submit(page, "/tokens", url.Values{"name": {"ci"}, "days": {"0"}, "scope": {"sessions:read"}}).
		wants(http.StatusBadRequest, "Expiry must be one of")
	b.submit(page, "/tokens", url.Values{"name": {"ci"}, "days": {"30"}, "scope": {"manage"}}).
		wants(http.StatusBadRequest, `Scopes cannot have "manage".`)

	made := b.submit(page, "/tokens", url.Values{"name": {"<i>ci</i>"}, "days": {"30"}, "scope": {"sessions:read", "hosts:read"}}).
		wants(http.StatusOK, "<i>ci</i>", "never used")
	made.checkInert("/tokens")
	token := ""
	for _, code := range made.all("code") {
		if attribute(code, "id") == "token" {
			token = code.FirstChild.Data
		}
	}
	caller, err := s.pages.OAuth.Check(t.Context(), auth.Secret(token), "192.0.2.7")
	if err != nil || caller.Client != "<i>ci</i>" {
		t.Fatalf("token %.7s…: %+v, %v", token, caller, err)
	}
	again := b.get("/tokens").wants(http.StatusOK, "from 192.0.2.7").lacks(token)
	if strings.Contains(s.logs.String(), token) {
		t.Error("the token is in the log")
	}
	b.submit(again, "/revoke", url.Values{}).leads("/tokens")
	b.get("/tokens").wants(http.StatusOK, "You have no token.")
	if _, err := s.pages.OAuth.Check(t.Context(), auth.Secret(token), ""); err == nil {
		t.Error("works after it was revoked")
	}
}
