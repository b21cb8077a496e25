package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"switchboard/hostagent/protocol"
)

// TestPagesInARealBrowser logs in on a telephone, watches a session ask, answers with one tap, sees what became of
// it and writes a message, without ever loading the page again.
func TestPagesInARealBrowser(t *testing.T) {
	c := newChromium(t, 390, 844)
	s := newSite(t)
	h := s.newHost(t, s.admin)
	session := h.start(t, s.admin)
	at := s.url + "/sessions/" + string(session.ID)
	c.open(s.url + "/login?return_to=/sessions/" + string(session.ID))
	c.write("input[name=name]", "ada")
	c.write("input[name=password]", password)
	c.click("main button")
	c.until("location.href === " + quote(at) + " && document.readyState === 'complete'")
	c.run("window.stayed = true")

	c.until("document.body.innerText.includes('Nothing has been said yet.')")
	h.tell(t, session.ID, protocol.EventEntry, protocol.Entry{Role: protocol.RoleAssistant, Text: "I shall run the tests. " + hostile})
	prompt := h.ask(t, permission(session.ID))
	h.become(t, session.ID, protocol.StateWaiting, "hook PermissionRequest")
	c.until("document.querySelector('.prompt .option.allow') && document.querySelector('#entries li')")
	c.until("document.querySelector('#state .lamp').textContent === 'waiting'")
	c.picture("asked")
	// A click on a question that has come this very moment was meant for something else.
	c.run("served.clear(); exchange(parse(document.documentElement.outerHTML)); document.querySelector('.prompt .option.allow').click()")
	c.until("document.getElementById('told').innerText.includes('Look again')")
	c.until("document.querySelector('.prompt.answering') || void document.querySelector('.prompt .option.allow')?.click()")
	h.tell(t, session.ID, protocol.EventSettlement, protocol.Settlement{
		Prompt: prompt.ID, Outcome: protocol.OutcomeAllowed, Where: protocol.WhereRemote, Actor: "ada", Evidence: "hook PostToolUse",
	})
	c.until("document.querySelector('.prompt.settled')?.innerText.includes('Allowed by ada')")

	c.write("#send textarea", "thank you")
	c.click("#send button")
	c.until("document.querySelector('#receipts').innerText.includes('not typed yet')")
	c.until("document.querySelector('#send textarea').value === ''")
	if c.run("window.stayed") != true {
		t.Error("the page was loaded again")
	}
	if len(h.commands(protocol.AnswerPrompt.Name)) != 1 || len(h.commands(protocol.SendMessage.Name)) != 1 {
		t.Errorf("the host was asked %v and %v", h.commands(protocol.AnswerPrompt.Name), h.commands(protocol.SendMessage.Name))
	}
	c.run("document.querySelector('[action=\"/logout\"]').submit()")
	c.until("location.pathname === '/login'")
}

// TestPagesOnADesk looks at the pages in a wide window: nothing grows beyond what a hand on a mouse needs.
func TestPagesOnADesk(t *testing.T) {
	c := newChromium(t, 1280, 900)
	s := newSite(t)
	h := s.newHost(t, s.admin)
	h.start(t, s.admin)
	session := h.start(t, s.admin)
	at := s.url + "/sessions/" + string(session.ID)
	c.open(s.url + "/login")
	c.write("input[name=name]", "ada")
	c.write("input[name=password]", password)
	c.click("main button")
	c.until("location.pathname === '/sessions' && document.readyState === 'complete'")
	h.tell(t, session.ID, protocol.EventEntry, protocol.Entry{Role: protocol.RoleUser, Text: "please run the tests"})
	h.tell(t, session.ID, protocol.EventEntry, protocol.Entry{
		Role: protocol.RoleAssistant, Text: "I shall run `npm test`, that is:\n\n```json\n{\n  \"test\": \"vitest\"\n}\n```\n\nand then tell you.",
	})
	prompt := h.ask(t, permission(session.ID))
	h.become(t, session.ID, protocol.StateWaiting, "hook PermissionRequest")
	c.until("document.title === '(1) Sessions · Switchboard' && document.querySelector('.row .badge')")
	c.picture("desk-sessions")
	c.open(s.url + "/hosts")
	c.picture("desk-hosts")
	c.open(at)
	c.until("document.querySelector('.prompt .option.allow')")
	c.picture("desk-asked")
	if height, _ := c.run("document.querySelector('.prompt .option').getBoundingClientRect().height").(float64); height < 40 || height > 60 {
		t.Errorf("an option is %v pixels high", height)
	}
	if width, _ := c.run("document.querySelector('.prompt .option').getBoundingClientRect().width").(float64); width > 400 {
		t.Errorf("an option is %v pixels wide", width)
	}
	h.tell(t, session.ID, protocol.EventSettlement, protocol.Settlement{
		Prompt: prompt.ID, Outcome: protocol.OutcomeAllowed, Where: protocol.WhereRemote, Actor: "grace",
		Evidence: "hook PostToolUse", At: time.Now(),
	})
	h.become(t, session.ID, protocol.StateWorking, "hook PostToolUse")
	c.until("document.querySelector('.prompt.settled')?.innerText.includes('Allowed by grace, remotely')")
	c.until("document.title === 'web-app · Switchboard'")
	c.picture("desk-settled")
}

func quote(s string) string { return "'" + s + "'" }

// TestConsentInARealBrowser tries what only a browser does: it holds the redirect that follows a form to the policy
// of the form's page.
func TestConsentInARealBrowser(t *testing.T) {
	c := newChromium(t, 390, 844)
	s := newSite(t)
	client := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "the client has "+r.FormValue("iss"))
	}))
	defer client.Close()
	c.open(s.url + s.register(t, "Local", client.URL+"/callback"))
	c.until("location.pathname === '/login'")
	c.write("input[name=name]", "ada")
	c.write("input[name=password]", password)
	c.click("main button")
	c.until("location.pathname === '/authorize' && document.readyState === 'complete'")
	c.picture("consent")
	c.click("button[value=allow]")
	c.until("document.body.innerText === " + quote("the client has "+s.url))
}
