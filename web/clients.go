package web

import (
	"net/http"
	"net/url"
	"time"

	"switchboard/auth"
)

type clientsPage struct {
	Grants []grantCard
	Filter auth.GrantFilter
	Users  []auth.User // to choose from, for an administrator
	Client string      // the name of the client that is filtered for
	EndOf  string      // whose all can be ended at once; empty if that is not offered
	End    string      // the address of the page that does so
	Cut    bool        // there are more than are shown
	MCP    string
}

// grantCard is a grant as a page shows it.
type grantCard struct {
	auth.Grant
	Title   string // the client's name, or what its person called it
	Kind    string // in words: what vouches for the name
	Host    string // of the client
	Expired bool
}

func newGrantCard(g auth.Grant, now time.Time) grantCard {
	card := grantCard{
		Grant: g, Title: g.Client, Kind: g.Kind.Words(), Host: siteHost(g.ClientURI),
		Expired: g.ExpiresAt != nil && !now.Before(*g.ExpiresAt),
	}
	switch {
	case g.Origin == auth.OriginPersonal:
		card.Title, card.Kind = g.Name, "personal token"
	case g.Origin == auth.OriginDevice:
		card.Kind += ", by a device code"
	case g.Kind == auth.ClientDocument:
		card.Host = siteHost(g.ClientID) // its id is the document's address
	case card.Host == "":
		card.Host = siteHost(g.RedirectURI)
	}
	return card
}

// Clients lists what acts for the person, or for everyone.
func (p *Pages) Clients(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	filter := grantFilter(r.URL.Query())
	grants, err := p.OAuth.Grants(r.Context(), visit.Caller, filter)
	if err != nil {
		return err
	}
	page := clientsPage{Filter: filter, Cut: len(grants) == auth.MaxGrants, MCP: p.PublicURL + auth.ResourcePath}
	now := time.Now()
	for _, g := range grants {
		page.Grants = append(page.Grants, newGrantCard(g, now))
	}
	if filter.Client != "" {
		page.Client = filter.Client
		if len(grants) > 0 {
			page.Client = grants[0].Client
		}
	}
	if filter.Everyone && oneOwner(filter) && len(grants) > 0 {
		page.EndOf, page.End = endOf(filter, grants), "/clients/revoke?"+filterQuery(filter).Encode()
	}
	if filter.Everyone {
		if page.Users, err = p.Accounts.Users(r.Context(), visit.Caller); err != nil {
			return err
		}
	}
	return p.show(w, http.StatusOK, "clients", visit.view(r, "Connected clients", page))
}

// grantFilter reads which grants are meant, from an address or a form.
func grantFilter(values url.Values) auth.GrantFilter {
	if values.Get("all") != "yes" {
		return auth.GrantFilter{}
	}
	return auth.GrantFilter{Everyone: true, User: auth.UserID(values.Get("user")), Client: values.Get("client")}
}

func filterQuery(f auth.GrantFilter) url.Values {
	query := url.Values{}
	if f.Everyone {
		query.Set("all", "yes")
	}
	if f.User != "" {
		query.Set("user", string(f.User))
	}
	if f.Client != "" {
		query.Set("client", f.Client)
	}
	return query
}

// clientsPath is the list's address.
func clientsPath(f auth.GrantFilter) string {
	if query := filterQuery(f).Encode(); query != "" {
		return "/clients?" + query
	}
	return "/clients"
}
