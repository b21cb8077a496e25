package auth

import (
	"context"
	"errors"
	"net/url"
	"strings"
)

// The host agent's grant: by the device flow a person lets one machine become a host of his. Its access token is for
// another resource than all others, so that it opens nothing at the MCP endpoint, nor any other token a machine here.

// EnrolPath is where the host agent trades its token.
const EnrolPath = "/enroll"

func (o *OAuth) enrolResource() string { return o.PublicURL + EnrolPath }

const maxHostSaid = 64 // characters of what a machine says of itself

// enrolmentRequest reads what the host agent asks for: beside RFC 8628's parameters, how the machine is called and
// as whom its agents run.
func (o *OAuth) enrolmentRequest(request DeviceRequest, form url.Values) (DeviceRequest, error) {
	request.Resource, request.Scopes = o.enrolResource(), Scopes{ScopeHostsEnroll}
	if scope := form.Get("scope"); scope != "" && strings.TrimSpace(scope) != string(ScopeHostsEnroll) {
		return DeviceRequest{}, refuse("invalid_scope", "The host agent can only ask for %s.", ScopeHostsEnroll)
	}
	if !allMean(form["resource"], request.Resource) {
		return DeviceRequest{}, refuse("invalid_target", "The resource must be %s.", request.Resource)
	}
	request.HostName, request.HostUser = form.Get("host_name"), form.Get("host_user")
	for _, said := range []string{request.HostName, request.HostUser} {
		if !plainText(said, maxHostSaid) {
			return DeviceRequest{}, refuse("invalid_request", "host_name and host_user must be at most %d plain characters.", maxHostSaid)
		}
	}
	return request, nil
}

// Enrolling finds who let a machine become a host of his, and how he called it, by the host agent's access token.
// ErrInvalidToken: it is no such token, or has done its work.
func (o *OAuth) Enrolling(ctx context.Context, token Secret, addr string) (Caller, string, error) {
	signature, ok := o.tokens().verify(KindAccess, token)
	if !ok {
		return Caller{}, "", ErrInvalidToken
	}
	ctx, done := context.WithTimeout(ctx, storeTimeout)
	defer done()
	access, err := o.Store.Access(ctx, KindAccess, signature, o.Now())
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Caller{}, "", err
	}
	if err != nil || access.Resource != o.enrolResource() || !access.Scopes.Has(ScopeHostsEnroll) {
		return Caller{}, "", ErrInvalidToken
	}
	caller := access.caller(addr)
	caller.Client = access.Client
	return caller, access.GrantName, nil
}

// Enrolled ends the grant of a machine that has become a host.
func (o *OAuth) Enrolled(ctx context.Context, c Caller) error {
	if err := o.record(ctx, c, "oauth.revoke", string(c.Grant), true, map[string]string{"why": "used up"}); err != nil {
		return err
	}
	return o.Store.RevokeGrant(ctx, c.Grant, "used up", o.Now())
}
