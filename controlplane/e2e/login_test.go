package e2e

import (
	"strings"
	"testing"

	"switchboard/controlplane/e2e/harness"
)

// TestHostLogin makes a machine a host without a join token, in the name of whoever allows it, under the name that he
// gives it; and its grant is over with that.
func TestHostLogin(t *testing.T) {
	w := newWorld(t)
	bob := w.invite(t, "bob")
	h := w.machine(t, "studio")
	must(t, h.Prepare(t.Context()))
	must(t, h.Login(t.Context(), w.plane.URL(), func(address string) error {
		asks, err := bob.browser.AllowDevice(t.Context(), address, map[string]string{"name": "desk"})
		if err == nil {
			for _, want := range []string{"studio becomes a host of yours", "with the rights of the user", "127.0.0.1", "shows the same code"} {
				if !strings.Contains(asks.Text(), want) {
					t.Errorf("the page lacks %q: %s", want, asks.Text())
				}
			}
		}
		return err
	}))
	if !strings.Contains(h.Output(), "This machine is now the host desk") {
		t.Errorf("it wrote %s", h.Output())
	}
	must(t, h.Start())
	awaitHost(t, bob, "desk", true)
	clients, err := bob.browser.Get(t.Context(), w.plane.URL()+"/clients")
	must(t, err)
	if strings.Contains(clients.Text(), "Host agent") {
		t.Error("the host agent's grant is not over")
	}
	if strings.Contains(h.Output(), "sb_") || strings.Contains(w.plane.Output(), "sb_access_") {
		t.Error("a token was printed")
	}
}

// TestPersonalToken is a script's whole use of Switchboard: a token from the page, a tool call, and the end of both.
func TestPersonalToken(t *testing.T) {
	w := newWorld(t)
	page, err := w.admin.browser.PressOn(t.Context(), w.plane.URL()+"/tokens", "make the token", map[string]string{"name": "ci", "scope": "hosts:read"})
	must(t, err)
	token := page.Element("token")
	client, err := harness.Dial(t.Context(), w.plane.MCP(), token, harness.Legacy)
	must(t, err)
	t.Cleanup(func() { _ = client.Close() })
	if _, err := client.Text(t.Context(), "list_hosts", nil); err != nil {
		t.Errorf("list_hosts: %v", err)
	}
	if _, err := client.Text(t.Context(), "list_sessions", nil); err == nil || !strings.Contains(err.Error(), "insufficient_scope") {
		t.Errorf("list_sessions without its scope: %v", err)
	}
	_, err = w.admin.browser.PressOn(t.Context(), w.plane.URL()+"/tokens", "revoke ci", nil)
	must(t, err)
	if _, err := client.Text(t.Context(), "list_hosts", nil); err == nil {
		t.Error("works after it was revoked")
	}
}
