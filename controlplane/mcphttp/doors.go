package mcphttp

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// doors decides by name who may come in at all: requests for our own host, from no web page or from one that is
// known. It is what keeps a page of somebody else, or a name that was rebound to this machine, away from /mcp.
type doors struct {
	public  string // URL
	host    string // of public: lower case, with a port
	origins map[string]bool
	scheme  string
}

func newDoors(config Config) (doors, error) {
	public, err := url.Parse(config.PublicURL)
	if err != nil || public.Host == "" || (public.Scheme != "http" && public.Scheme != "https") {
		return doors{}, fmt.Errorf("public URL %q: want http(s)://host", config.PublicURL)
	}
	d := doors{public: config.PublicURL, host: withPort(public.Host, public.Scheme), origins: map[string]bool{}, scheme: public.Scheme}
	for _, origin := range append([]string{public.Scheme + "://" + public.Host}, config.Origins...) {
		name, ok := originName(origin)
		if !ok {
			return doors{}, fmt.Errorf("origin %q: want scheme://host[:port]", origin)
		}
		d.origins[name] = true
	}
	return d, nil
}

// admit answers what may not come in, and the preflights of what may.
func (d doors) admit(w http.ResponseWriter, r *http.Request) bool {
	if withPort(r.Host, d.scheme) != d.host {
		refuse(w, &refusal{status: http.StatusMisdirectedRequest, code: mcp.INVALID_REQUEST,
			message: "this server answers at " + d.public + " only: use that address"})
		return false
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	name, ok := originName(origins[0])
	if !ok || len(origins) > 1 || !d.origins[name] {
		refuse(w, &refusal{status: http.StatusForbidden, code: mcp.INVALID_REQUEST, message: "origin not allowed"})
		return false
	}
	allowCrossOrigin(w.Header(), origins[0])
	if r.Method != http.MethodOptions {
		return true
	}
	w.WriteHeader(http.StatusNoContent)
	return false
}

func allowCrossOrigin(header http.Header, origin string) {
	header.Set("Access-Control-Allow-Origin", origin)
	header.Add("Vary", "Origin")
	header.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
	header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, Last-Event-ID, "+
		"Mcp-Session-Id, Mcp-Protocol-Version, Mcp-Method, Mcp-Name")
	header.Set("Access-Control-Expose-Headers", "Mcp-Session-Id, WWW-Authenticate, Retry-After")
	header.Set("Access-Control-Max-Age", "600")
}

// originName is an origin in one spelling. "null" has none.
func originName(origin string) (string, bool) {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", false
	}
	scheme := strings.ToLower(u.Scheme)
	return scheme + "://" + withPort(u.Host, scheme), true
}

func withPort(host, scheme string) string {
	host = strings.ToLower(host)
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	port := "80"
	if scheme == "https" {
		port = "443"
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}
