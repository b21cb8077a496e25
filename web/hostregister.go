package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"switchboard/controlplane/fleet"
)

type hostNewPage struct{ Problem, Name, Login string }

// NewHost asks what to call a machine.
func (p *Pages) NewHost(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	return p.show(w, http.StatusOK, "host-new", visit.view(r, "Register a host", hostNewPage{Login: p.loginCommand()}))
}

// loginCommand makes a machine a host without a join token.
func (p *Pages) loginCommand() string { return "hostagent login " + p.PublicURL }

type hostTokenPage struct {
	HostName  string
	Command   string
	ExpiresAt time.Time
	Waiting   waiting
}

// RegisterHost makes a join token. It is on this answer only, in the command to paste.
func (p *Pages) RegisterHost(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	name := strings.TrimSpace(r.PostFormValue("name"))
	token, err := p.Fleet.CreateJoinToken(r.Context(), visit.Caller, name)
	if problem := correctable(err); problem != "" {
		page := hostNewPage{Problem: problem, Name: name, Login: p.loginCommand()}
		return p.show(w, http.StatusBadRequest, "host-new", visit.view(r, "Register a host", page))
	}
	if err != nil {
		return err
	}
	page := hostTokenPage{
		HostName:  token.HostName,
		Command:   "hostagent enroll " + p.PublicURL + " " + token.Token,
		ExpiresAt: token.ExpiresAt,
		Waiting:   waitingFor(token.HostName),
	}
	return p.show(w, http.StatusOK, "host-token", visit.view(r, "Register a host", page))
}

// waiting is what the page says of a host that has yet to come.
type waiting struct {
	Address string // of the page that says it anew
	Host    *hostCard
}

func waitingFor(name string) waiting {
	return waiting{Address: "/hosts/waiting?name=" + url.QueryEscape(name)}
}

// HostWaiting says whether a host of this name has connected.
func (p *Pages) HostWaiting(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	hosts, err := p.Fleet.ListHosts(r.Context(), visit.Caller)
	if err != nil {
		return err
	}
	name := r.URL.Query().Get("name")
	state := waitingFor(name)
	state.Host = p.named(hosts, name)
	return p.show(w, http.StatusOK, "host-waiting", visit.view(r, "Register "+line(name), state))
}

func (p *Pages) named(hosts []fleet.Host, name string) *hostCard {
	for _, h := range hosts {
		if strings.EqualFold(h.Name, name) && h.RemovedAt == nil {
			card := p.hostCard(h)
			return &card
		}
	}
	return nil
}
