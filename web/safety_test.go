package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// hostile would be a script wherever it is not escaped.
const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`

// crowd is a site in which everything that can be said is hostile.
type crowd struct {
	*site
	host    *host
	session fleet.Session
	prompt  protocol.Prompt
	choice  protocol.Prompt
	settled protocol.Prompt
}

func newCrowd(t *testing.T) crowd {
	t.Helper()
	s := newSite(t)
	c := crowd{site: s}
	s.member(t, "mallory", hostile)
	c.host = s.newHost(t, s.admin)
	hello := protocol.HelloRequest{
		Version: protocol.Version, Agent: hostile, Hostname: hostile, OS: hostile, Arch: hostile, Roots: []string{hostile},
		Modes: []string{hostile}, Kinds: []protocol.Kind{{Name: hostile, Version: hostile}, {Name: "x", Missing: hostile}},
	}
	if _, err := s.pages.Fleet.RecordHello(t.Context(), c.host.ID, hello); err != nil {
		t.Fatal(err)
	}
	c.session = c.host.start(t, s.admin)
	id := c.session.ID
	said := newSession(id, "web-app")
	said.Name, said.Agent, said.AgentVersion, said.Evidence = hostile, hostile, hostile, hostile
	said.WorkingDir, said.PermissionMode, said.ExitReason, said.LastSeq = hostile, hostile, hostile, 1
	c.host.tell(t, id, protocol.EventSession, said)
	for _, role := range []protocol.Role{"user", "assistant", "tool_call", "tool_result", "notice", hostile} {
		input, err := json.Marshal(map[string]string{"command": hostile, hostile: hostile})
		if err != nil {
			t.Fatal(err)
		}
		entry := protocol.Entry{Role: role, Text: hostile, Tool: hostile, Subagent: hostile, Input: input}
		c.host.tell(t, id, protocol.EventEntry, entry)
	}
	options := []protocol.Option{{ID: hostile, Label: hostile, Effect: hostile}, {ID: "deny", Label: hostile}}
	c.prompt = c.host.ask(t, protocol.Prompt{
		Session: id, Kind: protocol.PromptPermission, Tool: hostile, Title: hostile, Detail: hostile, Subagent: hostile,
		Options: options, AllowsText: true,
	})
	c.choice = c.host.ask(t, protocol.Prompt{
		Session: id, Kind: protocol.PromptChoice, Title: hostile, Questions: []protocol.Question{{
			Header: hostile, Text: hostile, Options: []protocol.QuestionOption{{Label: hostile, Description: hostile}},
		}}, Options: options,
	})
	c.settled = c.host.ask(t, protocol.Prompt{Session: id, Kind: protocol.PromptPermission, Title: hostile, Options: options})
	c.host.tell(t, id, protocol.EventSettlement, protocol.Settlement{
		Prompt: c.settled.ID, Outcome: protocol.OutcomeAllowed, Where: protocol.WhereRemote, Actor: hostile, Answer: hostile, Evidence: hostile,
	})
	s.register(t, hostile, "https://app.example/callback")
	template := fleet.Template{Name: "nightly", Description: hostile, WorkingDir: "/" + hostile, Message: hostile}
	if err := s.pages.Fleet.SaveTemplate(t.Context(), s.caller(t, s.admin), template); err != nil {
		t.Fatal(err)
	}
	return c
}

// everyPage is each page that can be opened, with something on it.
func (c crowd) everyPage() []string {
	session := "/sessions/" + string(c.session.ID)
	q := url.QueryEscape(hostile)
	return []string{
		"/sessions", "/sessions?cursor=" + q, "/sessions/new", "/sessions/new?working_dir=" + q + "&name=" + q + "&template=" + q + "&host=" + q,
		session, session + "?seen=" + string(c.settled.ID) + "&sent=" + q, session + "?seen=" + q, session + "?cursor=" + q,
		session + "/screen", session + "/terminal", session + "/changes", session + "/terminate",
		"/hosts", "/hosts/new", "/hosts/waiting?name=" + q, "/hosts/" + string(c.host.ID), "/hosts/" + string(c.host.ID) + "/remove",
		"/clients", "/clients?all=yes", "/clients/registered", "/clients?all=yes&user=" + q + "&client=" + q, "/clients/revoke", "/clients/revoke?all=yes&client=" + q, "/tokens", "/device", "/device?user_code=" + q, "/users", "/templates", "/audit", "/audit?filter=" + q, "/account",
		"/login?return_to=" + q, "/sessions/" + q, "/hosts/" + q, "/prompts/" + q, "/invite/" + q, "/nowhere/" + q,
		"/authorize?client_id=" + q, "/account/authenticator?return_to=" + q, "/account/authenticator/off", "/account/prove?return_to=" + q,
		"/second-factor?return_to=" + q, "/login/code?return_to=" + q,
	}
}

func TestHostileTextStaysText(t *testing.T) {
	c := newCrowd(t)
	for _, login := range []*auth.Login{&c.admin, nil} {
		b := c.browser(t, login)
		for _, path := range c.everyPage() {
			p := b.get(path)
			if p.status >= http.StatusInternalServerError {
				t.Errorf("%s: status %d\n%s", path, p.status, c.logs)
			}
			p.checkInert(path)
		}
	}
	b := c.browser(t, &c.admin)
	b.get("/sessions/"+string(c.session.ID)+"?seen="+string(c.settled.ID)).wants(http.StatusOK, "alert(1)", "Allowed by")
}

// checkInert looks for anything that could run or be styled, other than our own files, in the page as a browser
// would understand it, and for the headers that would stop it.
func (p page) checkInert(path string) {
	p.t.Helper()
	for _, node := range p.all("*") {
		if node.Data == "script" && (node.FirstChild != nil || !strings.HasPrefix(attribute(node, "src"), "/static/")) {
			p.t.Errorf("%s: a script that is not ours", path)
		}
		if node.Data == "style" || node.Data == "iframe" || node.Data == "base" || node.Data == "object" {
			p.t.Errorf("%s: a <%s>", path, node.Data)
		}
		for _, a := range node.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" ||
				strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
				p.t.Errorf("%s: <%s %s=%q>", path, node.Data, a.Key, a.Val)
			}
		}
		if node.Data == "img" && !strings.HasPrefix(attribute(node, "src"), "/static/") && attribute(node, "src") != "/account/authenticator/image" {
			p.t.Errorf("%s: an image that is not ours", path)
		}
	}
	if p.status == http.StatusSeeOther {
		return
	}
	csp := p.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "form-action 'self'"} {
		if !strings.Contains(csp, want) {
			p.t.Errorf("%s: policy %q lacks %s", path, csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") {
		p.t.Errorf("%s: policy %q", path, csp)
	}
	for header, want := range map[string]string{
		"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
	} {
		if got := p.header.Get(header); got != want {
			p.t.Errorf("%s: %s = %q, want %q", path, header, got, want)
		}
	}
}

// acts are all forms' addresses.
func (c crowd) acts() []string {
	session := "/sessions/" + string(c.session.ID)
	return []string{
		"/sessions", session + "/messages", session + "/interrupt", session + "/resume", session + "/terminate",
		session + "/prompts/" + string(c.prompt.ID), "/hosts", "/hosts/" + string(c.host.ID) + "/shares",
		"/hosts/" + string(c.host.ID) + "/remove", "/clients/x/revoke", "/clients/revoke", "/tokens", "/device", "/device/decide", "/users", "/users/x/suspend", "/users/x/logins/end", "/templates",
		"/templates/nightly/remove", "/account", "/account/logins/end", "/account/logins/x/end", "/logout",
		"/account/passkeys", "/account/passkeys/options", "/account/passkeys/x/remove", "/account/prove/passkey", "/account/prove/passkey/options",
		"/account/prove", "/account/authenticator", "/account/authenticator/off", "/account/recovery-codes", "/users/x/factors/reset",
	}
}

func TestFormsNeedTheirOwnPage(t *testing.T) {
	c := newCrowd(t)
	b := c.browser(t, &c.admin)
	other := c.browser(t, nil)
	foreign, _ := c.browser(t, ptr(c.member(t, "grace", "Grace"))).get("/account").form("/account")
	for _, path := range append(c.acts(), "/login", "/login/code", "/login/passkey", "/login/passkey/options", "/invite/x") {
		b.post(path, url.Values{}).wants(http.StatusForbidden)
		b.post(path, url.Values{"csrf": {"wrong"}}).wants(http.StatusForbidden)
		b.post(path, url.Values{"csrf": foreign["csrf"]}).wants(http.StatusForbidden)
		r := b.request(http.MethodPost, path, url.Values{})
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		b.do(r).wants(http.StatusForbidden, "another site")
	}
	for _, path := range c.acts() {
		other.post(path, url.Values{}).leads("/login")
	}
	if got := c.host.commands(protocol.TerminateSession.Name); len(got) > 0 {
		t.Errorf("the host was asked: %v", got)
	}
	b.get("/sessions").wants(http.StatusOK) // still logged in
}

func ptr[T any](v T) *T { return &v }

func TestWhatIsAnothersIsNotThere(t *testing.T) {
	c := newCrowd(t)
	b := c.browser(t, ptr(c.member(t, "grace", "Grace")))
	session := "/sessions/" + string(c.session.ID)
	unknown := b.get("/sessions/" + string(protocol.NewSessionID())).wants(http.StatusNotFound)
	for _, path := range []string{
		session, session + "/screen", session + "/terminal", session + "/changes", session + "/terminate",
		"/prompts/" + string(c.prompt.ID), "/hosts/" + string(c.host.ID), "/hosts/" + string(c.host.ID) + "/remove",
		"/hosts/" + c.host.Name, "/events?session=" + string(c.session.ID), "/users",
	} {
		got := b.get(path).wants(http.StatusNotFound)
		if got.words() != unknown.words() {
			t.Errorf("%s differs from an unknown session:\n%s", path, got.words())
		}
	}
	csrf, _ := b.get("/account").form("/account")
	form := url.Values{"csrf": csrf["csrf"], "text": {"hello"}, "option": {"deny"}, "user": {"x"}, "access": {"viewer"}}
	for _, path := range c.acts()[1:] {
		if strings.HasPrefix(path, session) || strings.HasPrefix(path, "/clients/x") || path == "/account/logins/x/end" || strings.HasSuffix(path, "/shares") {
			b.post(path, form).wants(http.StatusNotFound)
		}
	}
	b.get("/clients?all=yes").wants(http.StatusForbidden)
	b.post("/users", url.Values{"csrf": csrf["csrf"], "role": {"admin"}}).wants(http.StatusForbidden)
	b.get("/audit").wants(http.StatusOK, "What you asked for").lacks("host.enrol", "session.create")
	for _, path := range []string{"/sessions", "/hosts"} {
		b.get(path).wants(http.StatusOK).lacks(string(c.session.ID), string(c.host.ID))
	}
}

func TestBadInputGetsAClearAnswer(t *testing.T) {
	c := newCrowd(t)
	b := c.browser(t, &c.admin)
	csrf, _ := b.get("/account").form("/account")
	for _, form := range []url.Values{
		{"text": {strings.Repeat("x", 200<<10)}}, {"text": {"a\x00b"}}, {"text": {"\xff\xfe"}}, {"text": {""}}, {},
	} {
		form["csrf"] = csrf["csrf"]
		got := b.post("/sessions/"+string(c.session.ID)+"/messages", form)
		if got.status < 400 || got.status >= 500 {
			t.Errorf("message %.20q: status %d", form["text"], got.status)
		}
	}
	huge := url.Values{"csrf": csrf["csrf"], "text": {strings.Repeat("x", 2<<20)}}
	b.post("/sessions/"+string(c.session.ID)+"/messages", huge).wants(http.StatusRequestEntityTooLarge)
	r := b.request(http.MethodPost, "/sessions", url.Values{"%zz": nil})
	b.do(r).wants(http.StatusForbidden)
	for _, path := range []string{"/audit?before=x", "/audit?before=-1", "/sessions/x?last=x", "/sessions/%00", "/hosts/%ff"} {
		if got := b.get(path); got.status >= 500 {
			t.Errorf("%s: status %d", path, got.status)
		}
	}
	if strings.Contains(c.logs.String(), "page failed") {
		t.Errorf("a page failed:\n%s", c.logs)
	}
}
