package auth

import (
	"net/url"
	"strings"
)

// Resource is the one protected resource for which tokens are made (RFC 8707): the MCP endpoint.
func (o *OAuth) Resource() string { return o.PublicURL + ResourcePath }

// isResource reports whether a client that names resource means ours: the same URL, where case does not matter
// in scheme and host, the scheme's own port may be written out, and one slash may follow the path. An empty list
// means it too, since older clients do not know the parameter.
func (o *OAuth) isResource(named []string) bool { return allMean(named, o.Resource()) }

func allMean(named []string, ours string) bool {
	for _, resource := range named {
		if canonicalResource(resource) != canonicalResource(ours) {
			return false
		}
	}
	return true
}

// canonicalResource writes a resource in one way; it is empty for what cannot be one.
func canonicalResource(resource string) string {
	u, err := url.Parse(resource)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(resource, "#") {
		return ""
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	default:
		return ""
	}
	return scheme + "://" + host + strings.TrimSuffix(u.EscapedPath(), "/")
}
