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
	b.get(sent).wants(http.StatusOK, "Changed before it was typed: tabs became four spaces each; <b>more</b>.").lacks("<b>more</b>")
	message := protocol.MessageID(strings.TrimPrefix(sent, at+"?sent="))
	h.tell(t, session.ID, protocol.EventMessage, protocol.MessageState{ID: message, Status: protocol.MessageAccepted})
	h.tell(t, session.ID, protocol.EventEntry, protocol.Entry{Role: protocol.RoleUser, Text: "a    b", Message: message})
	b.get(at).wants(http.StatusOK, "a b", "Changed before it was typed: tabs became four spaces each").lacks("Queued:")
}
