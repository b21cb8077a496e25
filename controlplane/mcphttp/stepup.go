package mcphttp

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"

	"switchboard/auth"
)

// needed is the scope that a message needs; empty if any token will do.
func (h *Handler) needed(m message) auth.Scope {
	if m.method != string(mcp.MethodToolsCall) {
		return ""
	}
	return h.Needs[m.tool]
}

// showsToolChallenges reports whether the client is ChatGPT. It asks for more scopes when a tool's result says so
// in _meta, which the tools do for everyone; that it would on HTTP 403 is not documented.
func showsToolChallenges(caller auth.Caller) bool {
	id, err := url.Parse(caller.ClientID)
	return err == nil && id.Scheme == "https" && id.Hostname() == "chatgpt.com"
}

// stepUp answers a call that the caller's token does not reach. The challenge repeats the scopes that the client
// has, since many ask for exactly what it says and would lose the others.
func (h *Handler) stepUp(w http.ResponseWriter, r *http.Request, caller auth.Caller, m message, needed auth.Scope) {
	h.Log.InfoContext(r.Context(), "scope missing", "user", caller.User, "client", caller.ClientID, "tool", m.tool, "scope", needed)
	scopes := slices.Clone(caller.Scopes)
	h.challenge(w, http.StatusForbidden, auth.Challenge{
		PublicURL:   h.PublicURL,
		Error:       "insufficient_scope",
		Description: "this tool needs the scope " + string(needed),
		Scopes:      append(scopes, needed),
	})
}
