package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

func TestSessionFromStartToEnd(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, &s.admin)
	b.get("/sessions").wants(http.StatusOK, "register a host")
	h := s.newHost(t, s.admin)
	b.get("/sessions").wants(http.StatusOK, "Start one")

	form := b.get("/sessions/new").wants(http.StatusOK, "studio", "First message")
	b.submit(form, "/sessions", url.Values{"host": {"studio"}, "working_dir": {"relative"}}).
		wants(http.StatusBadRequest, "want a path that begins with / or ~/")
	started := b.submit(form, "/sessions", url.Values{"host": {"studio"}, "working_dir": {"/Users/ada/src/web-app"}, "message": {"run the tests"}}).
		leads("/sessions/")
	again := b.submit(form, "/sessions", url.Values{"host": {"studio"}, "working_dir": {"/Users/ada/src/web-app"}, "message": {"run the tests"}}).
		leads("/sessions/")
	if started != again || len(h.commands(protocol.CreateSession.Name)) != 1 {
		t.Errorf("sent twice, the form led to %s and %s, and to the commands %v", started, again, h.commands(protocol.CreateSession.Name))
	}
	id := protocol.SessionID(strings.TrimPrefix(started, "/sessions/"))
	b.get("/sessions").wants(http.StatusOK, "web-app", "idle", "studio")

	page := b.get(started).wants(http.StatusOK, "web-app", "Nothing has been said yet.", "by hook Stop")
	sent := b.submit(page, "/messages", url.Values{"text": {"now the linter"}}).leads(started + "?sent=")
	b.get(sent).wants(http.StatusOK, "Sent to the host; not typed yet")
	message := protocol.MessageID(strings.TrimPrefix(sent, started+"?sent="))
	h.tell(t, id, protocol.EventMessage, protocol.MessageState{ID: message, Status: protocol.MessageAccepted})
	h.tell(t, id, protocol.EventEntry, protocol.Entry{Role: protocol.RoleUser, Text: "now the linter", Message: message})
	h.tell(t, id, protocol.EventEntry, protocol.Entry{Role: protocol.RoleAssistant, Text: "All clean."})
	b.get(sent).wants(http.StatusOK, "The agent has your message", "sent from here", "All clean.")

	b.submit(page, "/interrupt", nil).leads(started)
	if len(h.commands(protocol.InterruptSession.Name)) != 1 {
		t.Error("not interrupted")
	}
	for path, text := range map[string]string{"/screen": "❯ run the tests", "/terminal": "$ npm test", "/changes": "fix/cart"} {
		b.get(started+path).wants(http.StatusOK, text)
	}
	confirm := b.get(started+"/terminate").wants(http.StatusOK, "Terminate web-app?")
	b.submit(confirm, "/terminate", url.Values{"force": {"yes"}}).leads(started)
	if got := h.commands(protocol.TerminateSession.Name); len(got) != 1 || !strings.Contains(got[0], `"force":true`) {
		t.Errorf("terminate: %v", got)
	}
	b.get(started).wants(http.StatusOK, "exited", "Resume")
	b.submit(page, "/messages", url.Values{"text": {"too late"}, "key": {"other"}}).wants(http.StatusConflict, "has exited")
}

func TestPromptIsAnsweredOnce(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	b := s.browser(t, &s.admin)
	session := h.start(t, s.admin)
	at := "/sessions/" + string(session.ID)
	prompt := h.ask(t, permission(session.ID))
	h.become(t, session.ID, protocol.StateWaiting, "hook PermissionRequest")
	b.get("/sessions").wants(http.StatusOK, "1 question", "1 waiting for you")
	if got := b.get("/prompts/" + string(prompt.ID)).leads(at); got != at+"?seen="+string(prompt.ID) {
		t.Errorf("prompt leads to %s", got)
	}
	page := b.get(at).wants(http.StatusOK, "Claude wants to run a command", "npm test -- --coverage", "Yes, and don't ask again for npm test",
		"adds the rule Bash(npm test:*) to this project")
	b.submit(page, "/prompts/"+string(prompt.ID), url.Values{"option": {""}, "text": {""}}).wants(http.StatusBadRequest, "Response: empty.")
	seen := b.submit(page, "/prompts/"+string(prompt.ID), url.Values{"option": {"allow_always"}}).leads(at)
	if got := h.commands(protocol.AnswerPrompt.Name); len(got) != 1 || !strings.Contains(got[0], `"option":"allow_always"`) ||
		!strings.Contains(got[0], prompt.Digest) {
		t.Errorf("the host was told %v", got)
	}
	b.get(seen).wants(http.StatusOK, "waiting for proof")
	b.submit(page, "/prompts/"+string(prompt.ID), url.Values{"option": {"deny"}}).wants(http.StatusConflict, "ada")
	h.tell(t, session.ID, protocol.EventSettlement, protocol.Settlement{
		Prompt: prompt.ID, Outcome: protocol.OutcomeAllowed, Where: protocol.WhereTerminal, Evidence: "hook PostToolUse",
	})
	b.get(seen).wants(http.StatusOK, "Allowed at the terminal (known by hook PostToolUse)")
	b.get(at).wants(http.StatusOK, "Claude wants to run a command: Allowed at the terminal (known by hook PostToolUse)").lacks(`id="prompt-`)
}

func TestQuestionsAreAnswered(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	b := s.browser(t, &s.admin)
	session := h.start(t, s.admin)
	prompt := h.ask(t, protocol.Prompt{
		Session: session.ID, Kind: protocol.PromptChoice, Title: "Two questions", AllowsText: true, Questions: []protocol.Question{
			{Text: "Which database?", Options: []protocol.QuestionOption{{Label: "PostgreSQL", Description: "as the rest"}, {Label: "SQLite"}}},
			{Text: "Which checks?", MultiSelect: true, Options: []protocol.QuestionOption{{Label: "lint"}, {Label: "test"}}},
		},
	})
	page := b.get("/sessions/"+string(session.ID)).wants(http.StatusOK, "Which database?", "as the rest", "(choose any)")
	action := "/prompts/" + string(prompt.ID)
	b.submit(page, action, url.Values{"choice-0": {"SQLite"}, "words-0": {""}, "words-1": {""}}).wants(http.StatusBadRequest, "Question 2 has no answer")
	b.submit(page, action, url.Values{"choice-0": {"SQLite"}, "choice-1": {"lint", "test"}, "words-0": {""}, "words-1": {""}}).leads("/sessions/")
	got := h.commands(protocol.AnswerPrompt.Name)
	if len(got) != 1 || !strings.Contains(got[0], `"choices":[["SQLite"],["lint","test"]]`) {
		t.Errorf("the host was told %v", got)
	}
}

// TestFormIsAnswered: what an MCP server asks for is a form, in which some fields may be left out.
func TestFormIsAnswered(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	b := s.browser(t, &s.admin)
	session := h.start(t, s.admin)
	prompt := h.ask(t, protocol.Prompt{
		Session: session.ID, Kind: protocol.PromptElicitation, Tool: "asker", Title: "MCP server asker asks: Which colour?", AllowsText: true,
		Options: []protocol.Option{{ID: "deny", Label: "Decline"}},
		Questions: []protocol.Question{
			{Text: "Colour", Wants: "at least 2 characters"},
			{Text: "Coats", Optional: true},
			{Text: "Sure?", Options: []protocol.QuestionOption{{Label: "Yes"}, {Label: "No"}}},
		},
	})
	page := b.get("/sessions/"+string(session.ID)).wants(http.StatusOK, "Colour", "at least 2 characters", "(may be left out)", "Decline").lacks("Or in your own words")
	action := "/prompts/" + string(prompt.ID)
	b.submit(page, action, url.Values{"words-0": {"red"}, "words-1": {""}, "words-2": {""}}).wants(http.StatusBadRequest, "Question 3 has no answer")
	b.submit(page, action, url.Values{"words-0": {"red"}, "words-1": {""}, "choice-2": {"Yes"}, "words-2": {""}}).leads("/sessions/")
	got := h.commands(protocol.AnswerPrompt.Name)
	if len(got) != 1 || !strings.Contains(got[0], `"choices":[["red"],[],["Yes"]]`) {
		t.Errorf("the host was told %v", got)
	}
}

// TestDialogIsShown: a screen that is answered at the terminal only is shown, without a way to answer it.
func TestDialogIsShown(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	b := s.browser(t, &s.admin)
	session := h.start(t, s.admin)
	h.ask(t, protocol.Prompt{Session: session.ID, Kind: protocol.PromptDialog, Title: "The agent asks to be logged in", Detail: "Select login method:"})
	h.ask(t, protocol.Prompt{Session: session.ID, Kind: protocol.PromptChoice, Title: "Which fish?", Questions: []protocol.Question{
		{Text: "Which fish?", Options: []protocol.QuestionOption{{Label: "Salmon"}, {Label: "Trout"}}},
	}})
	b.get("/sessions/"+string(session.ID)).wants(http.StatusOK, "The agent asks to be logged in", "hostagent attach "+string(session.ID)[:8], "on studio", "Salmon", "Trout").
		lacks("/prompts/")
}

func TestWaitingSessionsComeFirst(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	b := s.browser(t, &s.admin)
	waiting := h.start(t, s.admin)
	h.start(t, s.admin)
	b.get("/sessions").wants(http.StatusOK).titled("Sessions · Switchboard")
	prompt := h.ask(t, permission(waiting.ID))
	page := b.get("/sessions").wants(http.StatusOK, "1 question").titled("(1) Sessions · Switchboard")
	for _, link := range page.all("a") {
		if attribute(link, "class") == "row" {
			if got := attribute(link, "href"); got != "/sessions/"+string(waiting.ID) {
				t.Errorf("%s stands before the session that waits", got)
			}
			break
		}
	}
	at := "/sessions/" + string(waiting.ID)
	for _, view := range []string{"", "/screen", "/terminal", "/changes"} {
		b.get(at + view).wants(http.StatusOK).titled("(1) web-app · Switchboard")
	}
	b.submit(b.get(at), "/prompts/"+string(prompt.ID), url.Values{"option": {"allow"}}).leads(at)
	b.get(at).wants(http.StatusOK).titled("web-app · Switchboard")
}

func TestAgentsWordsAreFormattedAndEscaped(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	session := h.start(t, s.admin)
	h.tell(t, session.ID, protocol.EventEntry, protocol.Entry{
		Role: protocol.RoleAssistant, Text: "Run `a <b>` and:\n```html\n" + hostile + "\n```\n<i>done</i>",
	})
	page := s.browser(t, &s.admin).get("/sessions/"+string(session.ID)).wants(http.StatusOK).lacks("<i>", "<b>")
	var code, blocks []string
	for _, node := range page.all("code") {
		code = append(code, node.FirstChild.Data)
	}
	for _, node := range page.all("pre") {
		blocks = append(blocks, node.FirstChild.Data)
	}
	if len(code) != 1 || code[0] != "a <b>" || len(blocks) != 1 || len(page.all("script")) != 1 {
		t.Errorf("code %q, blocks %q, %d scripts", code, blocks, len(page.all("script")))
	}
}

func TestDenialWithAReason(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	b := s.browser(t, &s.admin)
	session := h.start(t, s.admin)
	prompt := h.ask(t, permission(session.ID))
	csrf, _ := b.get("/account").form("/account")
	b.post("/sessions/"+string(session.ID)+"/prompts/"+string(prompt.ID), url.Values{
		"csrf": csrf["csrf"], "option": {"deny"}, "text": {"use pnpm: it is faster"},
	}).leads("/sessions/")
	if got := h.commands(protocol.AnswerPrompt.Name); len(got) != 1 || !strings.Contains(got[0], `"option":"deny","text":"use pnpm: it is faster"`) {
		t.Errorf("the host was told %v", got)
	}
}

func TestTranscriptGoesOn(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	b := s.browser(t, &s.admin)
	session := h.start(t, s.admin)
	at := "/sessions/" + string(session.ID)
	for _, text := range strings.Fields(strings.Repeat("early ", 60)) {
		h.tell(t, session.ID, protocol.EventEntry, protocol.Entry{Role: protocol.RoleAssistant, Text: text})
	}
	page := b.get(at).wants(http.StatusOK, "Load older")
	if got := len(page.all("time")); got < 50 {
		t.Errorf("%d times on the page", got)
	}
	b.get(at + "?last=200").wants(http.StatusOK).lacks("Load older")
	var cursor string
	for _, list := range page.all("ol") {
		cursor = attribute(list, "data-cursor")
	}
	h.tell(t, session.ID, protocol.EventEntry, protocol.Entry{Role: protocol.RoleAssistant, Text: "a late one"})
	b.get(at+"?cursor="+url.QueryEscape(cursor)).wants(http.StatusOK, "a late one").lacks(">early<")
	b.get(at + "?cursor=wrong").wants(http.StatusBadRequest)
}

func TestHostAwayIsSaid(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	b := s.browser(t, &s.admin)
	session := h.start(t, s.admin)
	if err := s.pages.Fleet.RecordAway(t.Context(), h.ID); err != nil {
		t.Fatal(err)
	}
	b.get("/sessions").wants(http.StatusOK, "last seen idle", "studio (away)")
	b.get("/sessions/"+string(session.ID)).wants(http.StatusOK, "the host is away; last heard of")
	b.get("/hosts/"+string(h.ID)).wants(http.StatusOK, "away")
	s.conn.Close()
	b.get("/sessions/"+string(session.ID)+"/screen").wants(http.StatusOK, "o host can be reached")
}

func TestViewerOnlyLooks(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	grace := s.member(t, "grace", "Grace Hopper")
	session := h.start(t, s.admin)
	prompt := h.ask(t, permission(session.ID))
	owner, viewer := s.browser(t, &s.admin), s.browser(t, &grace)
	at := "/sessions/" + string(session.ID)
	viewer.get(at).wants(http.StatusNotFound)

	page := owner.get("/hosts/"+string(h.ID)).wants(http.StatusOK, "Only you use this host.", "Grace Hopper")
	user := string(s.caller(t, grace).User)
	owner.submit(page, "/shares", url.Values{"user": {user}, "access": {"owner"}}).wants(http.StatusBadRequest)
	owner.submit(page, "/shares", url.Values{"user": {user}, "access": {"viewer"}}).leads("/hosts/")
	viewer.get(at).wants(http.StatusOK, "You can see this session but not act on it.", "You can see this session but not answer for it.").
		lacks("/messages", "/terminate")
	csrf, _ := viewer.get("/account").form("/account")
	viewer.post(at+"/messages", url.Values{"csrf": csrf["csrf"], "text": {"hello"}}).wants(http.StatusForbidden)
	viewer.post(at+"/prompts/"+string(prompt.ID), url.Values{"csrf": csrf["csrf"], "option": {"allow"}}).wants(http.StatusForbidden)
	viewer.get("/hosts/"+string(h.ID)).wants(http.StatusOK, "you view it").lacks("/shares", "/remove")
	viewer.get("/hosts/" + string(h.ID) + "/remove").wants(http.StatusForbidden)

	page = owner.get("/hosts/"+string(h.ID)).wants(http.StatusOK, "viewer: sees its sessions")
	owner.submit(page, "/shares", url.Values{"access": {"none"}}).leads("/hosts/")
	viewer.get(at).wants(http.StatusNotFound)
}

func TestTemplates(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, &s.admin)
	page := b.get("/templates").wants(http.StatusOK, "No template yet.")
	b.submit(page, "/templates", url.Values{"name": {"Not A Name"}, "message": {"kept"}}).wants(http.StatusBadRequest, "kept")
	b.submit(page, "/templates", url.Values{"name": {"nightly"}, "message": {"run all tests"}}).leads("/templates")
	page = b.get("/templates").wants(http.StatusOK, "nightly", "run all tests")
	b.submit(page, "/templates/nightly/remove", nil).leads("/templates")
	b.get("/templates").wants(http.StatusOK, "No template yet.")
}

func TestHostIsRegisteredAndRemoved(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, &s.admin)
	form := b.get("/hosts/new").wants(http.StatusOK)
	b.submit(form, "/hosts", url.Values{"name": {""}}).wants(http.StatusBadRequest)
	page := b.submit(form, "/hosts", url.Values{"name": {"studio"}}).wants(http.StatusOK, "hostagent enroll "+s.url+" swj_", "waiting for the host")
	b.get("/hosts/waiting?name=studio").wants(http.StatusOK, "waiting for the host")
	token := page.words()[strings.Index(page.words(), "swj_"):]
	h := s.enrol(t, token[:strings.IndexByte(token, '\n')])
	b.get("/hosts/waiting?name=studio").wants(http.StatusOK, "connected", "Open studio")
	b.get("/hosts").wants(http.StatusOK, "studio", "online", "yours", "codex: not installed").lacks("swj_")
	b.get("/hosts/"+string(h.ID)).wants(http.StatusOK, "/Users/ada/src", "claude 2.1.329", "cannot be started: codex is not installed: it is not in PATH")
	confirm := b.get("/hosts/"+string(h.ID)+"/remove").wants(http.StatusOK, "Remove studio?")
	b.submit(confirm, "/remove", nil).leads("/hosts")
	b.submit(confirm, "/remove", nil).leads("/hosts")
	b.get("/hosts").wants(http.StatusOK, "No host yet.")
}

func TestPeople(t *testing.T) {
	s := newSite(t)
	b := s.browser(t, &s.admin)
	page := b.get("/users").wants(http.StatusOK, "Ada Lovelace", "you")
	invited := b.submit(page, "/users", url.Values{"role": {"member"}}).wants(http.StatusOK, s.url+auth.InvitePath)
	link := invited.words()[strings.Index(invited.words(), s.url+auth.InvitePath):]
	grace := s.join(t, link[:strings.IndexByte(link, '\n')], "grace", "Grace Hopper")
	other := s.browser(t, &grace)
	other.get("/sessions").wants(http.StatusOK)
	page = b.get("/users").wants(http.StatusOK, "Grace Hopper")
	b.submit(page, "/suspend", url.Values{"suspend": {"yes"}}).leads("/users")
	other.get("/sessions").leads("/login")
	page = b.get("/users").wants(http.StatusOK, "Let in again")
	b.submit(page, "/suspend", url.Values{"suspend": {"no"}}).leads("/users")
	b.get("/users").wants(http.StatusOK).lacks("Let in again")
}

func TestAuditIsPagedAndFiltered(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	b := s.browser(t, &s.admin)
	b.get("/audit").wants(http.StatusOK, "host.enrol", "account.accept", "allowed")
	b.get("/audit?filter=HOST.ENROL").wants(http.StatusOK, "host.enrol").lacks("account.accept")
	b.get("/audit?filter=nothing").wants(http.StatusOK, "No record on this page mentions “nothing”.")
	template := fleet.Template{Name: "nightly", Host: h.ID}
	for range 100 {
		if err := s.pages.Fleet.SaveTemplate(t.Context(), s.caller(t, s.admin), template); err != nil {
			t.Fatal(err)
		}
	}
	page := b.get("/audit").wants(http.StatusOK, "Older").lacks("host.enrol")
	for _, link := range page.all("a") {
		if older := attribute(link, "href"); strings.HasPrefix(older, "/audit?before=") {
			b.get(older).wants(http.StatusOK, "host.enrol").lacks(">Older<")
		}
	}
}
