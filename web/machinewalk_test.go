package web_test

import (
	"net/url"
	"testing"

	"switchboard/auth"
)

// TestMachinePagesOnATelephone has a person allow a machine and a tool by their codes, make a token and end
// everything, on a telephone and by the pages' own buttons.
func TestMachinePagesOnATelephone(t *testing.T) {
	c := newChromium(t, 390, 844)
	s := newSite(t)
	host := url.Values{"client_id": {"hostagent"}, "host_name": {"studio"}, "host_user": {"alice"}}
	deviceCode, userCode := s.askDevice(t, host)
	c.open(s.url + "/device?user_code=" + userCode)
	c.write("input[name=name]", "ada")
	c.write("input[name=password]", password)
	c.click("main button")
	c.until("location.pathname === '/device' && document.readyState === 'complete'")
	fits := func(name string) {
		t.Helper()
		c.picture(name)
		if width := c.run("document.documentElement.scrollWidth"); width != 390.0 {
			t.Errorf("%s is %v wide", name, width)
		}
		small := c.run(`[...document.querySelectorAll("main button, main a.button, main input:not([type=hidden]):not([type=checkbox])")]
			.filter(e => e.offsetHeight < 44).map(e => e.outerHTML).join("\n")`)
		if small != "" {
			t.Errorf("%s has what a thumb misses: %v", name, small)
		}
	}
	fits("device")
	c.click("main form button")
	c.until("document.querySelector('main form[action=\"/device/decide\"]')")
	fits("device-host")
	c.write("input[name=name]", "desk")
	c.click("button[value=allow]")
	c.until("document.body.innerText.includes('Allowed')")
	fits("device-host-done")
	token, problem := s.poll(t, host, deviceCode)
	if _, name, err := s.pages.OAuth.Enrolling(t.Context(), auth.Secret(token), ""); err != nil || name != "desk" {
		t.Errorf("%s: the machine is called %q, %v", problem, name, err)
	}

	tool := s.deviceClient(t, "switchboard-cli")
	deviceCode, userCode = s.askDevice(t, tool)
	c.open(s.url + "/device")
	c.write("input[name=user_code]", userCode)
	c.click("main form button")
	c.until("document.querySelector('main form[action=\"/device/decide\"]')")
	fits("device-tool")
	c.click("button[value=allow]")
	c.until("document.body.innerText.includes('goes on by itself')")
	fits("device-tool-done")
	if token, problem := s.poll(t, tool, deviceCode); token == "" {
		t.Error(problem)
	}

	c.open(s.url + "/tokens")
	fits("tokens-none")
	c.write("input[name=name]", "nightly build on the company's continuous integration server")
	c.click("input[value=\"sessions:write\"]")
	c.click("main form[action=\"/tokens\"] button.first")
	c.until("document.querySelector('#token')")
	fits("tokens-made")
	if token, _ := c.run("document.querySelector('#token').textContent").(string); token == "" {
		t.Error("the token is not on the page")
	}

	s.connected(t)
	c.open(s.url + "/clients")
	c.run("document.querySelector('main details').open = true")
	fits("clients")
	c.open(s.url + "/clients?all=yes")
	fits("clients-everyone")
	c.run("document.querySelector('select[name=user]').selectedIndex = 1")
	c.click("main form.inline button")
	c.until("location.search.includes('user=') && document.querySelector('main form.inline a.danger')")
	fits("clients-person")
	c.open(s.url + "/clients/revoke")
	fits("clients-end")
	c.click("main form button.danger")
	c.until("document.body.innerText.includes('No client is connected.')")
	fits("clients-none")
}
