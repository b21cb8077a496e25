package web

import (
	"net/http"
	"strings"
)

// setHeaders are on every answer. Pages hold what only one person may see, so nothing keeps them; Static sets its
// own Cache-Control over this one.
func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy())
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// policy lets a page load its own files and post to its own origin, and nothing else.
func policy() string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src 'self' data:",
		"connect-src 'self'",
		"form-action 'self'",
		"base-uri 'none'",
		"frame-ancestors 'none'",
	}, "; ")
}
