package auth_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/auth"
)

func TestServerMetadata(t *testing.T) {
	s := newServer(t)
	i := s.oauth.PublicURL
	want := map[string]any{
		"issuer": i, "authorization_endpoint": i + "/authorize", "token_endpoint": i + "/token",
		"registration_endpoint": i + "/register", "revocation_endpoint": i + "/revoke",
		"device_authorization_endpoint":                  i + "/device_authorization",
		"scopes_supported":                               []any{"sessions:read", "sessions:write", "prompts:answer", "hosts:read", "offline_access"},
		"response_types_supported":                       []any{"code"},
		"response_modes_supported":                       []any{"query"},
		"grant_types_supported":                          []any{"authorization_code", "refresh_token", grantDevice},
		"code_challenge_methods_supported":               []any{"S256"},
		"token_endpoint_auth_methods_supported":          []any{"none", "client_secret_basic", "client_secret_post"},
		"revocation_endpoint_auth_methods_supported":     []any{"none", "client_secret_basic", "client_secret_post"},
		"authorization_response_iss_parameter_supported": true,
		"client_id_metadata_document_supported":          true,
		"service_documentation":                          i + "/",
	}
	for _, path := range []string{auth.ServerMetadataPath, auth.OpenIDMetadataPath} {
		if diff := cmp.Diff(want, s.metadata(t, path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestResourceMetadata(t *testing.T) {
	s := newServer(t)
	want := map[string]any{
		"resource": s.oauth.PublicURL + "/mcp", "authorization_servers": []any{s.oauth.PublicURL},
		"scopes_supported":         []any{"sessions:read", "sessions:write", "prompts:answer", "hosts:read"},
		"bearer_methods_supported": []any{"header"}, "resource_name": "Switchboard",
		"resource_documentation": s.oauth.PublicURL + "/",
	}
	for _, path := range []string{"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"} {
		if diff := cmp.Diff(want, s.metadata(t, path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// metadata reads a document with forged headers, and tries the other methods.
func (s *server) metadata(t *testing.T, path string) map[string]any {
	t.Helper()
	b := s.browser(t, nil)
	request := func(method string) page {
		r, _ := http.NewRequestWithContext(t.Context(), method, s.url+path, nil)
		r.Host = "evil.tld"
		r.Header.Set("X-Forwarded-Host", "evil.tld")
		r.Header.Set("X-Forwarded-Proto", "https")
		return b.do(r)
	}
	got := request(http.MethodGet)
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/json" ||
		got.header.Get("Access-Control-Allow-Origin") != "*" || got.header.Get("Cache-Control") == "" {
		t.Errorf("%s: %d %v", path, got.status, got.header)
	}
	if head := request(http.MethodHead); head.status != http.StatusOK || head.body != "" {
		t.Errorf("%s: HEAD %d %q", path, head.status, head.body)
	}
	if options := request(http.MethodOptions); options.status != http.StatusNoContent {
		t.Errorf("%s: OPTIONS %d", path, options.status)
	}
	if post := request(http.MethodPost); post.status != http.StatusMethodNotAllowed || post.header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("%s: POST %d, Allow %q", path, post.status, post.header.Get("Allow"))
	}
	return got.json(t)
}
