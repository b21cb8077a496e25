package auth

import (
	"net/url"
	"slices"
	"strings"

	"switchboard/auth/outbound"
)

// A client's id may be the https address of a document that describes it (OAuth Client ID Metadata Document, which
// the MCP specification asks for): whoever controls the address has then named the client, not whoever came by.

// isDocumentID reports whether an id can only mean a document: ids that we make have no colon.
func isDocumentID(id string) bool { return strings.Contains(id, ":") }

// checkDocumentID says what keeps an address from being a client's id; it is empty if nothing does. There is one
// spelling of each address, so that no two ids look or resolve alike.
func checkDocumentID(id string) (problem string) {
	if !strings.HasPrefix(id, "https://") {
		return "does not begin with https://"
	}
	if len(id) > maxClientID || !isVisibleASCII(id) {
		return "has a character that is not allowed, or is too long"
	}
	if strings.Contains(id, "#") {
		return "has a fragment"
	}
	u, err := url.Parse(id)
	if err != nil || u.User != nil || strings.Contains(u.Host, "@") {
		return "is not an address without user information"
	}
	// As it stands in the id, since a parsed host has been decoded.
	written, _, _ := strings.Cut(strings.TrimPrefix(id, "https://"), "/")
	if written != u.Host || !plainHost.MatchString(u.Host) || u.Host != strings.ToLower(u.Host) || strings.HasSuffix(u.Hostname(), ".") {
		return "has no valid host in lower case"
	}
	if u.Path == "" || u.Path == "/" {
		return "has no path"
	}
	for segment := range strings.SplitSeq(u.Path, "/") { // decoded: %2e is a dot too
		if segment == "." || segment == ".." {
			return "has a path with dot segments"
		}
	}
	if strings.Contains(u.Path, "//") || strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") {
		return "has a path with empty segments or encoded slashes"
	}
	if outbound.CheckURL(id) != nil {
		return "has a port other than 443 and 1024 to 65535"
	}
	return ""
}

// isVisibleASCII reports whether s has only characters that may stand in a URI.
func isVisibleASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) && !strings.ContainsAny(s, `\"<>^{|}*`+"`")
}

// documentHost is the host that vouches for a client: of its id.
func documentHost(id string) string {
	u, err := url.Parse(id)
	if err != nil {
		return ""
	}
	return u.Host
}

// allowsDocumentsOf reports whether the operator lets documents of the id's host describe clients.
func (o *OAuth) allowsDocumentsOf(id string) bool {
	return len(o.DocumentHosts) == 0 || slices.Contains(o.DocumentHosts, documentHost(id))
}

func notAdmitted(id string) string {
	return "Apps of " + documentHost(id) + " are not admitted here. An administrator decides which are."
}
