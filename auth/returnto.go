package auth

import (
	"net/url"
	"path"
	"slices"
	"strings"
)

const maxReturnTo = 16 << 10 // bytes; an authorization request with a long state fits

// returnPaths are the first segments of the pages to which a login may lead.
func returnPaths() []string {
	return []string{"", "authorize", "sessions", "hosts", "prompts", "clients", "tokens", "device", "users", "templates", "audit", "account"}
}

// ReturnTo is where a login leads: the wish if it is one of our own pages, else the first page. Whatever a
// browser could read as another origin is none of our pages.
func ReturnTo(wish string) string {
	const home = "/"
	if len(wish) > maxReturnTo || !strings.HasPrefix(wish, "/") || strings.ContainsAny(wish, "\\\x00\r\n\t") {
		return home
	}
	u, err := url.Parse(wish)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Fragment != "" {
		return home
	}
	if u.EscapedPath() != u.Path || path.Clean(u.Path) != u.Path {
		return home
	}
	first, _, _ := strings.Cut(u.Path[1:], "/")
	if !slices.Contains(returnPaths(), first) {
		return home
	}
	return wish
}

// loginPath is the page that asks who is there, and then leads to returnTo.
func loginPath(returnTo string) string { return "/login?return_to=" + url.QueryEscape(returnTo) }
