package web

import (
	"net/http"
	"strconv"
	"time"

	"switchboard/auth"
)

type tokensPage struct {
	Tokens  []tokenCard
	Problem string
	Asked   auth.NewPersonalToken // what was asked for, when it could not be made
	Days    []int
	Scopes  auth.Scopes // to choose from

	Name   string // of the token that was just made
	Secret string
	MCP    string
}

type tokenCard struct {
	auth.Grant
	Expired bool
}

// defaultDays is how long a token lives if its person does not choose.
const defaultDays = 30

// Tokens lists the person's access tokens for scripts, and makes new ones.
func (p *Pages) Tokens(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.visit(r)
	if err != nil {
		return err
	}
	asked := auth.NewPersonalToken{Days: defaultDays, Scopes: auth.Scopes{auth.ScopeSessionsRead}}
	return p.showTokens(w, r, visit, http.StatusOK, tokensPage{Asked: asked})
}

// CreateToken makes one. It is on this answer only.
func (p *Pages) CreateToken(w http.ResponseWriter, r *http.Request) error {
	visit, err := p.post(r)
	if err != nil {
		return err
	}
	days, _ := strconv.Atoi(r.PostFormValue("days")) // what is no number is none of those to choose from
	asked := auth.NewPersonalToken{Name: r.PostFormValue("name"), Days: days}
	for _, scope := range r.PostForm["scope"] {
		asked.Scopes = append(asked.Scopes, auth.Scope(scope))
	}
	secret, grant, err := p.OAuth.CreatePersonalToken(r.Context(), visit.Caller, asked)
	if problem := correctable(err); problem != "" {
		return p.showTokens(w, r, visit, http.StatusBadRequest, tokensPage{Problem: problem, Asked: asked})
	}
	if err != nil {
		return err
	}
	page := tokensPage{Name: grant.Name, Secret: string(secret), Asked: auth.NewPersonalToken{Days: defaultDays}}
	return p.showTokens(w, r, visit, http.StatusOK, page)
}

func (p *Pages) showTokens(w http.ResponseWriter, r *http.Request, visit visit, status int, page tokensPage) error {
	grants, err := p.OAuth.Grants(r.Context(), visit.Caller, auth.GrantFilter{})
	if err != nil {
		return err
	}
	now := time.Now()
	for _, g := range grants {
		if g.Origin == auth.OriginPersonal {
			page.Tokens = append(page.Tokens, tokenCard{g, g.ExpiresAt != nil && !now.Before(*g.ExpiresAt)})
		}
	}
	page.Days, page.Scopes, page.MCP = auth.PersonalTokenDays(), auth.ResourceScopes(), p.PublicURL+auth.ResourcePath
	return p.show(w, status, "tokens", visit.view(r, "Personal access tokens", page))
}
