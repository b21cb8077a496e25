package web

import (
	"net/http"
	"net/url"
	"slices"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// sessionPage is what the views of one session have in common: what it does, what it asks, and how to act on it.
type sessionPage struct {
	Session fleet.Session
	Usage   *usageCard // nil: nothing is known of any
	Tabs    []tab
	Prompts []promptCard
	Queued  []fleet.Message // of which nothing is typed yet
	Receipt *receipt        // of the message that was just sent or taken back
	MayAct  bool
	Key     string // of the next message, so that sending it twice types it once
	Draft   string
	Problem string
	Carry   string // the query with which the page asks for itself again
}

type tab struct {
	Name, Address string
	Here          bool
}

// maxShown is how many prompts a page is asked to keep showing after they are settled.
const maxShown = 8

// sessionPage reads what all views of a session show.
func (p *Pages) sessionPage(r *http.Request, visit visit, session fleet.Session, view string) (sessionPage, error) {
	page := sessionPage{
		Session: session, MayAct: session.Access >= fleet.AccessOperator, Key: protocol.NewID(),
		Tabs: tabs(session.ID, view), Usage: newUsageCard(session.Usage),
	}
	carry := url.Values{}
	prompts, err := p.promptsToShow(r, visit, session)
	if err != nil {
		return page, err
	}
	for _, prompt := range prompts {
		page.Prompts = append(page.Prompts, newPromptCard(prompt, page.MayAct))
		carry.Add("seen", string(prompt.ID))
	}
	if page.Queued, err = p.Fleet.QueuedMessages(r.Context(), session); err != nil {
		return page, err
	}
	if id := r.URL.Query().Get("sent"); id != "" {
		message, err := p.Fleet.Message(r.Context(), visit.Caller, protocol.MessageID(id))
		if err == nil && message.Session == session.ID { // a receipt that cannot be shown is no reason to show nothing
			page.Receipt = newReceipt(message)
			carry.Set("sent", id)
		}
	}
	page.Carry = carry.Encode()
	return page, nil
}

// promptsToShow are the open prompts, and before them those that the page has shown while they were open, so that
// the reader learns what became of them.
func (p *Pages) promptsToShow(r *http.Request, visit visit, session fleet.Session) ([]fleet.Prompt, error) {
	var shown []fleet.Prompt
	seen := r.URL.Query()["seen"]
	for _, id := range seen[max(0, len(seen)-maxShown):] {
		open := slices.ContainsFunc(session.Open, func(o fleet.Prompt) bool { return string(o.ID) == id })
		if open {
			continue
		}
		prompt, err := p.Fleet.Prompt(r.Context(), visit.Caller, protocol.PromptID(id))
		if notThere(err) || err == nil && prompt.Session != session.ID {
			continue
		}
		if err != nil {
			return nil, err
		}
		shown = append(shown, prompt)
	}
	// An open prompt is what the reader came for; of the others the last one is enough beside it.
	if len(session.Open) > 0 && len(shown) > 1 {
		shown = shown[len(shown)-1:]
	}
	return append(shown, session.Open...), nil
}

func tabs(id protocol.SessionID, here string) []tab {
	address := "/sessions/" + string(id)
	all := []tab{
		{Name: "Transcript", Address: address}, {Name: "Screen", Address: address + "/screen"},
		{Name: "Terminal", Address: address + "/terminal"}, {Name: "Changes", Address: address + "/changes"},
		{Name: "Recording", Address: address + "/recording"},
	}
	for i := range all {
		all[i].Here = all[i].Name == here
	}
	return all
}

// receipt is how far a message has come, in words.
type receipt struct {
	Words   string
	Detail  string
	Changed []string // in the text
	Bad     bool
}

var receiptWords = map[protocol.MessageStatus]string{
	protocol.MessageQueued:       "Sent to the host; not typed yet",
	protocol.MessageDelivered:    "Typed; waiting for the agent's receipt",
	protocol.MessageAccepted:     "The agent has your message",
	protocol.MessageNotConfirmed: "Typed, but the agent gave no receipt: look at the screen before you send it again",
	protocol.MessageFailed:       "Not sent; nothing was typed",
	protocol.MessageWithdrawn:    "Taken back",
}

func newReceipt(m fleet.Message) *receipt {
	r := &receipt{
		Words: receiptWords[m.Status], Detail: m.Detail, Changed: m.Changed,
		Bad: m.Status == protocol.MessageNotConfirmed || m.Status == protocol.MessageFailed,
	}
	if m.Status == protocol.MessageFailed || m.Status == protocol.MessageWithdrawn {
		r.Changed = nil // in what nobody gets
	}
	return r
}
