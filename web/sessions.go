package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

type sessionsPage struct {
	Live, Ended []fleet.Session
	Waiting     int  // live ones with an open prompt
	Hosts       bool // there is one to start a session on
	Next        string
}

// Sessions lists the sessions that the person may see: those that live, the waiting ones first, then those that have
// ended.
func (p *Pages) Sessions(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	filter := fleet.SessionFilter{Cursor: r.URL.Query().Get("cursor"), Host: r.URL.Query().Get("host")}
	found, err := p.Fleet.ListSessions(r.Context(), visit.Caller, filter)
	if err != nil {
		return err
	}
	page := sessionsPage{Next: found.Next, Hosts: true}
	for _, s := range found.Sessions {
		if s.State == protocol.StateExited {
			page.Ended = append(page.Ended, s)
			continue
		}
		page.Live = append(page.Live, s)
		if len(s.Open) > 0 {
			page.Waiting++
		}
	}
	if len(page.Live) == 0 {
		hosts, err := p.Fleet.ListHosts(r.Context(), visit.Caller)
		if err != nil {
			return err
		}
		page.Hosts = len(operable(hosts)) > 0
	}
	slices.SortStableFunc(page.Live, func(a, b fleet.Session) int {
		return cmp.Compare(min(len(b.Open), 1), min(len(a.Open), 1)) // those that wait for somebody first
	})
	return p.show(w, http.StatusOK, "sessions", visit.view(r, counted("Sessions", page.Live...), page))
}

// counted puts the number of prompts that wait for an answer before a page's title, so that a tab tells it.
func counted(title string, sessions ...fleet.Session) string {
	waiting := 0
	for _, s := range sessions {
		for _, prompt := range s.Open {
			if prompt.Status == protocol.PromptAsked {
				waiting++
			}
		}
	}
	if waiting == 0 {
		return title
	}
	return fmt.Sprintf("(%d) %s", waiting, title)
}

// operable are the hosts on which the person may start sessions.
func operable(hosts []fleet.Host) []fleet.Host {
	var found []fleet.Host
	for _, h := range hosts {
		if h.Access >= fleet.AccessOperator {
			found = append(found, h)
		}
	}
	return found
}

// Home leads to the sessions.
func (p *Pages) Home(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, home, http.StatusSeeOther)
	return nil
}

// home is where a person begins.
const home = "/sessions"
