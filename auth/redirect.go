package auth

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// matchesRedirect reports whether a requested redirect URI is one of the registered: byte for byte, except that
// an http URI of the loopback interface may have any port (RFC 8252 section 7.3), since the app listens on
// whichever is free. We extend that to localhost, which is what most command-line clients use.
func matchesRedirect(registered []string, requested string) bool {
	if slices.Contains(registered, requested) {
		return true
	}
	host, rest, ok := splitLoopback(requested)
	if !ok {
		return false
	}
	return slices.ContainsFunc(registered, func(uri string) bool {
		registeredHost, registeredRest, ok := splitLoopback(uri)
		return ok && registeredHost == host && registeredRest == rest
	})
}

// splitLoopback takes a loopback URI apart and leaves the port out. It looks at bytes, not at a parsed URL, so
// that nothing a parser forgives can make two URIs equal.
func splitLoopback(uri string) (host, rest string, ok bool) {
	after, ok := strings.CutPrefix(uri, "http://")
	if !ok {
		return "", "", false
	}
	authority := after
	if end := strings.IndexAny(after, "/?#"); end >= 0 {
		authority, rest = after[:end], after[end:]
	}
	for _, host := range []string{"127.0.0.1", "[::1]", "localhost"} {
		port, ok := strings.CutPrefix(authority, host)
		if ok && (port == "" || port[0] == ':' && isPort(port[1:])) {
			return host, rest, true
		}
	}
	return "", "", false
}

// isPort reports whether s is a port number in its only spelling.
func isPort(s string) bool {
	port, err := strconv.ParseUint(s, 10, 16)
	return err == nil && port > 0 && strconv.FormatUint(port, 10) == s
}

// isLoopback reports whether a redirect URI stays on the person's own computer.
func isLoopback(uri string) bool {
	_, _, ok := splitLoopback(uri)
	return ok
}

const maxRedirectURI = 2000 // bytes

// plainHost is a name or an address in ASCII, with or without a port, once what is percent-encoded in it is decoded:
// a host with an encoded Cyrillic letter would look like another's on the consent page, and one with a semicolon
// would write into that page's policy.
var plainHost = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$`)

// checkRedirectURI says what keeps a URI from being registered; it is empty if nothing does.
func checkRedirectURI(uri, applicationType string) (problem string) {
	if len(uri) > maxRedirectURI {
		return "is too long"
	}
	if strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r > '~' }) || strings.ContainsAny(uri, `\"<>^{|}*`+"`") {
		return "has a character that is not allowed"
	}
	if strings.Contains(uri, "#") {
		return "has a fragment"
	}
	u, err := url.Parse(uri)
	if err != nil || !u.IsAbs() || u.Opaque != "" || u.User != nil || strings.Contains(u.Host, "@") {
		return "is not an absolute URI without user information"
	}
	switch u.Scheme {
	case "https":
		if !plainHost.MatchString(u.Host) || u.Port() != "" && !isPort(u.Port()) {
			return "has no valid host"
		}
		return ""
	case "http":
		if !isLoopback(uri) {
			return "uses http, which is only for 127.0.0.1, [::1] and localhost"
		}
		return ""
	}
	return checkPrivateScheme(uri, u.Scheme, applicationType)
}

// knownSchemeURIs begin the URIs of apps whose private schemes have no dot but are known to be theirs.
func knownSchemeURIs() []string { return []string{"cursor://anysphere.cursor-mcp/"} }

// checkPrivateScheme admits an installed app's own scheme if it is derived from a domain name (RFC 8252 section
// 7.1), which keeps javascript, data, file and their like out.
func checkPrivateScheme(uri, scheme, applicationType string) (problem string) {
	if applicationType == applicationWeb {
		return "has a scheme that a web client cannot have"
	}
	known := slices.ContainsFunc(knownSchemeURIs(), func(start string) bool { return strings.HasPrefix(uri, start) })
	if !known && !strings.Contains(scheme, ".") {
		return "has a scheme that is not an app's own, like com.example.app"
	}
	return ""
}

// withParameters appends parameters to a redirect URI and leaves every byte of it as it was registered.
func withParameters(uri string, parameters url.Values) string {
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
		if strings.HasSuffix(uri, "?") || strings.HasSuffix(uri, "&") {
			separator = ""
		}
	}
	return uri + separator + parameters.Encode()
}

// redirectHost is where a redirect URI leads, for a person to recognise.
func redirectHost(uri string) string {
	if isLoopback(uri) {
		return "this computer"
	}
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	if u.Scheme != "https" {
		return "the app that opens " + u.Scheme + "://"
	}
	return u.Host
}

// formAction is the CSP source that lets the consent form's answer lead there.
func formAction(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		scheme, _, _ := strings.Cut(uri, ":")
		return scheme + ":"
	}
	return u.Scheme + "://" + u.Host
}
