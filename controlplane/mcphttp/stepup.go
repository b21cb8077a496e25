package mcphttp

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
)

// lacking are the scopes that a message needs and the caller's token does not have.
func (h *Handler) lacking(m message, caller auth.Caller) auth.Scopes {
	var lacking auth.Scopes
	for _, target := range m.targets {
		scope := h.Needs(m.method, target)
		if scope != "" && !caller.Scopes.Has(scope) && !slices.Contains(lacking, scope) {
			lacking = append(lacking, scope)
		}
	}
	return lacking
}

// showsToolChallenges reports whether this is a call of a tool by ChatGPT. It asks for more scopes when a tool's
// result says so in _meta, which the tools do for everyone; that it would on HTTP 403 is not documented.
func showsToolChallenges(caller auth.Caller, m message) bool {
	if m.method != string(mcp.MethodToolsCall) {
		return false
	}
	id, err := url.Parse(caller.ClientID)
	return err == nil && id.Scheme == "https" && id.Hostname() == "chatgpt.com"
}

// stepUp answers a call that the caller's token does not reach. The challenge repeats the scopes that the client
// has, since many ask for exactly what it says and would lose the others.
func (h *Handler) stepUp(w http.ResponseWriter, r *http.Request, caller auth.Caller, m message, lacking auth.Scopes) {
	h.Log.InfoContext(r.Context(), "scope missing", "user", caller.User, "client", caller.ClientID, "method", m.method, "targets", len(m.targets), "scopes", lacking)
	what := "this"
	if m.method == string(mcp.MethodToolsCall) {
		what = "this tool"
	}
	h.challenge(w, http.StatusForbidden, auth.Challenge{
		PublicURL:   h.PublicURL,
		Error:       "insufficient_scope",
		Description: what + " needs the scope " + lacking.String(),
		Scopes:      append(slices.Clone(caller.Scopes), lacking...),
	})
}
