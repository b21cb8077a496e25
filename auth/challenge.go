package auth

import "strings"

// Challenge is a WWW-Authenticate header that tells an MCP client how to get in, or what it lacks (RFC 6750
// section 3, RFC 9728 section 5.1). Error stays empty when no credentials were sent.
type Challenge struct {
	PublicURL   string // without a trailing slash
	Error       string // invalid_request, invalid_token, insufficient_scope
	Description string
	Scopes      Scopes
}

func (c Challenge) String() string {
	params := []string{param("resource_metadata", c.PublicURL+ResourceMetadataPath+ResourcePath)}
	if len(c.Scopes) > 0 {
		params = append(params, param("scope", c.Scopes.String()))
	}
	if c.Error != "" {
		params = append(params, param("error", c.Error), param("error_description", c.Description))
	}
	return "Bearer " + strings.Join(params, ", ")
}

// param writes a quoted-string; what could end it early is left out (RFC 6750 section 3 allows neither).
func param(name, value string) string {
	return name + `="` + strings.NewReplacer(`"`, "", `\`, "").Replace(value) + `"`
}
