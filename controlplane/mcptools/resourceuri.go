package mcptools

import (
	"net/url"
	"regexp"
	"strings"
)

// uriPattern is the form of a resource's URI: scheme://{variable}/view.
type uriPattern struct{ scheme, variable, view string }

// maxURI is longer than any URI that parse takes.
const maxURI = 400

// uriName is what an id, a handle or a host's name can be: nothing that leads elsewhere. In a URI it is escaped.
var (
	uriName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]*$`)
	uriEscaped = regexp.MustCompile(`^([A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+$`)
)

// template is the pattern as RFC 6570 writes it.
func (p uriPattern) template() string { return p.scheme + "://{" + p.variable + "}/" + p.view }

// of is the URI of the thing with this id.
func (p uriPattern) of(id string) string { return p.scheme + "://" + url.PathEscape(id) + "/" + p.view }

// parse returns the name in a URI of this pattern. It takes one spelling of everything but the name: no query, no
// fragment, no user, no port, no other case.
func (p uriPattern) parse(uri string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(uri, p.scheme+"://")
	if !ok || len(uri) > maxURI {
		return "", false
	}
	rest, ok = strings.CutSuffix(rest, "/"+p.view)
	if !ok || !uriEscaped.MatchString(rest) {
		return "", false
	}
	name, err := url.PathUnescape(rest)
	if err != nil || !uriName.MatchString(name) {
		return "", false
	}
	return name, true
}
