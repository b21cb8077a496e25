package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"switchboard/hostagent/protocol"
)

// TestQueuedMessageIsTakenBack: what waits is shown to all who see the session, and taken back by who may act on it, if
// it was not typed meanwhile.
func TestQueuedMessageIsTakenBack(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	b := s.browser(t, &s.admin)
	at := "/sessions/" + string(h.start(t, s.admin).ID)
	b.submit(b.get(at), "/messages", url.Values{"text": {"now the linter\nand the tests"}}).leads(at + "?sent=")
	page := b.get(at).wants(http.StatusOK, "Queued: “now the linter …”", "Take back")
	sent := b.submit(page, "/take-back", nil).leads(at + "?sent=")
	b.get(sent).wants(http.StatusOK, "Taken back: by Ada").lacks("Queued:")
	if got := h.commands(protocol.WithdrawCommand.Name); len(got) != 1 || !strings.Contains(got[0], `"actor":"ada"`) {
		t.Errorf("the host was told %v", got)
	}

	b.submit(b.get(at), "/messages", url.Values{"text": {"too late"}}).leads(at + "?sent=")
	h.typed = true
	b.submit(b.get(at), "/take-back", nil).wants(http.StatusConflict, "was typed already and cannot be taken back")
	b.get(at).wants(http.StatusOK).lacks("Queued:")
}

// TestMessageThatIsNotToWait: the page keeps the text of a message that was refused.
func TestMessageThatIsNotToWait(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	b := s.browser(t, &s.admin)
	at := "/sessions/" + string(h.start(t, s.admin).ID)
	b.submit(b.get(at), "/messages", url.Values{"text": {"only now"}, "when_busy": {"refuse"}}).
		wants(http.StatusConflict, "nothing was typed: the agent works", "only now")
	b.submit(b.get(at), "/messages", url.Values{"text": {"x"}, "key": {"other"}, "when_busy": {"maybe"}}).
		wants(http.StatusConflict, "want queue or refuse")
	b.get(at).wants(http.StatusOK).lacks("Queued:")
	if len(h.commands(protocol.SendMessage.Name)) != 0 {
		t.Error("it was sent to wait")
	}
}

// TestChangesAreShown: what the host changed in a message stands beside it, also later and for others.
func TestChangesAreShown(t *testing.T) {
	s := newSite(t)
	h := s.newHost(t, s.admin)
	b := s.browser(t, &s.admin)
	session := h.start(t, s.admin)
	at := "/sessions/" + string(session.ID)
	h.changed = []string{"tabs became four spaces each", "<b>more</b>"}
	sent := b.submit(b.get(at), "/messages", url.Values{"text": {"a\tb"}}).leads(at + "?sent=")
	b.get(sent).wants(http.StatusOK, "Changed in the text: tabs became four spaces each; <b>more</b>.").lacks("<b>more</b>")
	message := protocol.MessageID(strings.TrimPrefix(sent, at+"?sent="))
	h.tell(t, session.ID, protocol.EventMessage, protocol.MessageState{ID: message, Status: protocol.MessageAccepted})
	h.tell(t, session.ID, protocol.EventEntry, protocol.Entry{Role: protocol.RoleUser, Text: "a    b", Message: message})
	b.get(at).wants(http.StatusOK, "a b", "Changed in the text: tabs became four spaces each").lacks("Queued:")
}

// TestQueueInARealBrowser: on a telephone, a message is sent, refused and taken back, and a form is filled in, without ever
// loading the page again or moving it sideways.
func TestQueueInARealBrowser(t *testing.T) {
	c := newChromium(t, 390, 844)
	s := newSite(t)
	h := s.newHost(t, s.admin)
	session := h.start(t, s.admin)
	h.changed = []string{"tabs became four spaces each"}
	c.open(s.url + "/login?return_to=/sessions/" + string(session.ID))
	c.write("input[name=name]", "ada")
	c.write("input[name=password]", password)
	c.click("main button")
	c.until("document.querySelector('#send') && document.readyState === 'complete'")
	c.run("window.stayed = true")

	c.write("#send textarea", "please run\tthe tests of the shopping cart, and then those of everything else")
	c.click("#send button")
	c.until("document.querySelector('#queued')?.innerText.includes('Take back') && document.querySelector('#send').ariaBusy === 'false'")
	c.picture("queued")
	c.click("#send input[type=checkbox]")
	c.write("#send textarea", "only now")
	c.click("#send button")
	c.until("!document.querySelector('#told').hidden && document.querySelector('#told').innerText.includes('nothing was typed')")
	c.picture("refused")
	c.until("document.querySelector('#send').ariaBusy === 'false'")
	if c.run("document.querySelector('#send textarea').value") != "only now" {
		t.Error("the text of a message that was refused is gone")
	}
	c.click("#queued button")
	c.until("document.querySelector('#receipts').innerText.includes('Taken back') && !document.querySelector('#queued').innerText")

	prompt := h.ask(t, protocol.Prompt{
		Session: session.ID, Kind: protocol.PromptElicitation, Tool: "paint", Title: "paint asks: Which colour?",
		Detail: "Which colour?", AllowsText: true, Options: []protocol.Option{{ID: "deny", Label: "Decline"}},
		Questions: []protocol.Question{
			{Header: "colour", Text: "Colour: of the wall", Wants: "at least 2 characters"},
			{Header: "coats", Text: "coats", Optional: true, Wants: "a whole number, 1 to 9, left out: 2"},
			{Header: "sure", Text: "sure", Options: []protocol.QuestionOption{{Label: "Yes"}, {Label: "No"}}},
		},
	})
	h.become(t, session.ID, protocol.StateWaiting, "hook Elicitation")
	c.until("document.querySelector('.prompt input[name=words-0]')")
	c.picture("form")
	c.write(".prompt input[name=words-0]", "red")
	c.click(".prompt input[name=choice-2][value=Yes]")
	if width := c.run("document.documentElement.scrollWidth"); width != 390.0 {
		t.Errorf("the page is %v pixels wide", width)
	}
	c.until("document.querySelector('.prompt.answering') || void document.querySelector('.prompt .send button, .prompt button.first')?.click()")
	h.tell(t, session.ID, protocol.EventSettlement, protocol.Settlement{
		Prompt: prompt.ID, Outcome: protocol.OutcomeAnswered, Where: protocol.WhereRemote, Actor: "ada", Answer: "colour: red; sure: Yes", Evidence: "hook ElicitationResult",
	})
	c.until("document.querySelector('.prompt.settled')?.innerText.includes('colour: red; sure: Yes')")
	c.picture("form-settled")
	if got := h.commands(protocol.AnswerPrompt.Name); len(got) != 1 || !strings.Contains(got[0], `"choices":[["red"],[],["Yes"]]`) {
		t.Errorf("the host was told %v", got)
	}
	if c.run("window.stayed") != true {
		t.Error("the page was loaded again")
	}
}
