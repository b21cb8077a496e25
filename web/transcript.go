package web

import (
	"net/http"
	"strconv"
)

// How many transcript entries a page begins with, and at most shows.
const (
	firstEntries = 50
	mostEntries  = 500
)

type transcriptPage struct {
	sessionPage
	Entries []entryCard
	Cursor  string // goes on after the last entry
	More    bool   // there are entries after the last
	Older   int    // how many to ask for to see older ones too; 0: there are none, or too many
}

// Session is a session's transcript, what it asks, and the box to write to it. With a cursor it holds only what is
// new since.
func (p *Pages) Session(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	return p.showTranscript(w, r, visit, http.StatusOK, "", "")
}

// showTranscript shows it with a draft that could not be sent, and why, if there is one.
func (p *Pages) showTranscript(w http.ResponseWriter, r *http.Request, visit visit, status int, draft, problem string) error {
	cursor := r.URL.Query().Get("cursor")
	last := firstEntries
	if n, err := strconv.Atoi(r.URL.Query().Get("last")); err == nil {
		last = min(max(n, 1), mostEntries)
	}
	found, err := p.Fleet.Transcript(r.Context(), visit.Caller, r.PathValue("session"), cursor, last)
	if err != nil {
		return err
	}
	common, err := p.sessionPage(r, visit, found.Session, "Transcript")
	if err != nil {
		return err
	}
	common.Draft, common.Problem = draft, problem
	page := transcriptPage{sessionPage: common, Cursor: found.Cursor, More: found.More}
	for _, e := range found.Entries {
		page.Entries = append(page.Entries, newEntryCard(e, found.Session.Agent))
	}
	if cursor == "" && len(found.Entries) == last && last < mostEntries {
		page.Older = min(4*last, mostEntries)
	}
	return p.show(w, status, "session", visit.view(r, counted(line(found.Session.Name), found.Session), page))
}
