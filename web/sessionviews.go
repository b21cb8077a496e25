package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// What the views below read comes from the host at this moment. If it is away they say so in the view's place, and
// the rest of the page stays of use.

type screenPage struct {
	sessionPage
	Away, Title, Text string
	Cols, Rows        int
}

// Screen is what the session's terminal shows now.
func (p *Pages) Screen(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	session, screen, err := p.Fleet.Screen(r.Context(), visit.Caller, r.PathValue("session"))
	common, away, err := p.fromHost(r, visit, session, "Screen", err)
	if err != nil {
		return err
	}
	page := screenPage{
		sessionPage: common, Away: away, Title: screen.Title, Text: strings.Join(screen.Lines, "\n"),
		Cols: screen.Cols, Rows: screen.Rows,
	}
	return p.show(w, http.StatusOK, "screen", visit.view(r, counted(line(common.Session.Name), common.Session), page))
}

type terminalPage struct {
	sessionPage
	Away, Text string
	Lines      int
}

// How many lines of terminal output a page begins with, and at most shows.
const (
	firstLines = 200
	mostLines  = 2000
)

// Terminal is the last lines that went over the session's terminal.
func (p *Pages) Terminal(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	lines := firstLines
	if n, err := strconv.Atoi(r.URL.Query().Get("lines")); err == nil {
		lines = min(max(n, 1), mostLines)
	}
	session, output, err := p.Fleet.Terminal(r.Context(), visit.Caller, r.PathValue("session"), lines)
	common, away, err := p.fromHost(r, visit, session, "Terminal", err)
	if err != nil {
		return err
	}
	page := terminalPage{sessionPage: common, Away: away, Text: strings.Join(output.Lines, "\n"), Lines: lines}
	return p.show(w, http.StatusOK, "terminal", visit.view(r, counted(line(common.Session.Name), common.Session), page))
}

type changesPage struct {
	sessionPage
	Away                  string
	Repository, Truncated bool
	Branch, Status        string
	Diff                  []diffLine
}

// Changes is what differs in the session's git work tree.
func (p *Pages) Changes(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	session, changes, err := p.Fleet.SessionChanges(r.Context(), visit.Caller, r.PathValue("session"), r.URL.Query().Get("path"))
	common, away, err := p.fromHost(r, visit, session, "Changes", err)
	if err != nil {
		return err
	}
	page := changesPage{
		sessionPage: common, Away: away, Repository: changes.Repository, Truncated: changes.Truncated,
		Branch: changes.Branch, Status: changes.Status, Diff: diffLines(changes.Diff),
	}
	return p.show(w, http.StatusOK, "changes", visit.view(r, counted(line(common.Session.Name), common.Session), page))
}

// fromHost reads what surrounds a view. If the view's own reading failed because of the host, away says so.
func (p *Pages) fromHost(r *http.Request, visit visit, session fleet.Session, view string, failed error) (page sessionPage, away string, err error) {
	var refused *protocol.Error
	switch {
	case errors.As(failed, &refused), hostAway(failed), errors.Is(failed, fleet.ErrConflict):
		away = sentence(failed)
		session, err = p.Fleet.Session(r.Context(), visit.Caller, r.PathValue("session"))
		if err != nil {
			return page, "", err
		}
	case failed != nil:
		return page, "", failed
	}
	page, err = p.sessionPage(r, visit, session, view)
	return page, away, err
}
