package auth

import (
	"encoding/json"
	"net/http"
)

// serverMetadata says what the authorization server can do (RFC 8414).
type serverMetadata struct {
	Issuer                        string   `json:"issuer"`
	AuthorizationEndpoint         string   `json:"authorization_endpoint"`
	TokenEndpoint                 string   `json:"token_endpoint"`
	RegistrationEndpoint          string   `json:"registration_endpoint"`
	RevocationEndpoint            string   `json:"revocation_endpoint"`
	DeviceAuthorizationEndpoint   string   `json:"device_authorization_endpoint"` // RFC 8628 section 4
	ScopesSupported               Scopes   `json:"scopes_supported"`
	ResponseTypesSupported        []string `json:"response_types_supported"`
	ResponseModesSupported        []string `json:"response_modes_supported"`
	GrantTypesSupported           []string `json:"grant_types_supported"`
	CodeChallengeMethodsSupported []string `json:"code_challenge_methods_supported"`
	TokenEndpointAuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	RevocationEndpointAuthMethods []string `json:"revocation_endpoint_auth_methods_supported"`
	IssParameterSupported         bool     `json:"authorization_response_iss_parameter_supported"`
	DocumentsSupported            bool     `json:"client_id_metadata_document_supported"`
	ServiceDocumentation          string   `json:"service_documentation"`
}

// ServerMetadata answers at ServerMetadataPath, and at OpenIDMetadataPath for clients that look only there; it
// claims nothing of OpenID Connect.
func (o *OAuth) ServerMetadata(w http.ResponseWriter, r *http.Request) {
	o.metadata(w, r, serverMetadata{
		Issuer:                        o.PublicURL,
		AuthorizationEndpoint:         o.PublicURL + AuthorizePath,
		TokenEndpoint:                 o.PublicURL + TokenPath,
		RegistrationEndpoint:          o.PublicURL + RegisterPath,
		RevocationEndpoint:            o.PublicURL + RevokePath,
		DeviceAuthorizationEndpoint:   o.PublicURL + DeviceAuthorizationPath,
		ScopesSupported:               AllScopes(),
		ResponseTypesSupported:        []string{"code"},
		ResponseModesSupported:        []string{"query"},
		GrantTypesSupported:           grantTypes(),
		CodeChallengeMethodsSupported: []string{"S256"},
		TokenEndpointAuthMethods:      authMethods(),
		RevocationEndpointAuthMethods: authMethods(),
		IssParameterSupported:         true,
		DocumentsSupported:            true,
		ServiceDocumentation:          o.PublicURL + "/",
	})
}

// resourceMetadata says which authorization server makes tokens for the MCP endpoint (RFC 9728).
type resourceMetadata struct {
	Resource               string   `json:"resource"`
	AuthorizationServers   []string `json:"authorization_servers"`
	ScopesSupported        Scopes   `json:"scopes_supported"`
	BearerMethodsSupported []string `json:"bearer_methods_supported"`
	ResourceName           string   `json:"resource_name"`
	ResourceDocumentation  string   `json:"resource_documentation"`
}

// ResourceMetadata answers at ResourceMetadataPath, and at the same with ResourcePath behind it, where RFC 9728
// section 3.1 puts it.
func (o *OAuth) ResourceMetadata(w http.ResponseWriter, r *http.Request) {
	o.metadata(w, r, resourceMetadata{
		Resource:               o.Resource(),
		AuthorizationServers:   []string{o.PublicURL},
		ScopesSupported:        ResourceScopes(),
		BearerMethodsSupported: []string{"header"},
		ResourceName:           "Switchboard",
		ResourceDocumentation:  o.PublicURL + "/",
	})
}

// ResourceScopes are those that the resource itself asks for: a refresh token is the client's own business, and
// the MCP specification keeps offline_access out of here.
func ResourceScopes() Scopes {
	var scopes Scopes
	for _, scope := range AllScopes() {
		if scope != ScopeOffline {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// metadata answers with a public document, which pages of any origin may read.
func (o *OAuth) metadata(w http.ResponseWriter, r *http.Request, document any) {
	if !o.allow(w, r, http.MethodGet, http.MethodHead) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	if r.Method == http.MethodHead {
		return
	}
	if err := json.NewEncoder(w).Encode(document); err != nil {
		o.Log.DebugContext(r.Context(), "metadata not delivered", "err", err)
	}
}
