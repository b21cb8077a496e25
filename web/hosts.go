package web

import (
	"net/http"
	"strings"
	"time"

	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// hostCard is a host as a page shows it.
type hostCard struct {
	fleet.Host
	Online    bool
	Since     *time.Time // away since then; nil if it was never connected
	RoleWords string     // what the reader is to it
	Missing   []string   // the agents that cannot be started, and in short why
}

func (p *Pages) hostCard(h fleet.Host) hostCard {
	card := hostCard{Host: h, Online: h.Online(p.Fleet.Now()), Since: h.LastThere(), RoleWords: accessWords(h.Access)}
	for _, kind := range h.Kinds {
		if kind.Missing != "" {
			card.Missing = append(card.Missing, missing(kind))
		}
	}
	return card
}

// missing says why an agent cannot be started up to the first colon; the host's own page says all of it.
func missing(kind protocol.Kind) string {
	why, _, _ := strings.Cut(line(kind.Missing), ": ")
	return line(kind.Name) + ": " + strings.TrimPrefix(why, kind.Name+" is ")
}

func accessWords(a fleet.Access) string {
	switch a {
	case fleet.AccessOwner:
		return "yours"
	case fleet.AccessOperator:
		return "you operate it"
	case fleet.AccessViewer:
		return "you view it"
	case fleet.AccessManage:
		return "you administer it, and see no session"
	}
	return ""
}

// Hosts lists the hosts that the person may see.
func (p *Pages) Hosts(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	hosts, err := p.Fleet.ListHosts(r.Context(), visit.Caller)
	if err != nil {
		return err
	}
	cards := make([]hostCard, len(hosts))
	for i, h := range hosts {
		cards[i] = p.hostCard(h)
	}
	return p.show(w, http.StatusOK, "hosts", visit.view(r, "Hosts", cards))
}
