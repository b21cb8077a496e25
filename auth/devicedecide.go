package auth

import (
	"context"
	"crypto/rand"
	"errors"
)

// ErrNoDevice is what a person is told of a code that no device waits with. It matches ErrInvalid.
var ErrNoDevice = &FieldError{"code", "is not one that a device is waiting with: it may be mistyped, used or older than ten minutes"}

// Device finds the request that a person's code names, so that he can look at it and decide. Codes are short, so
// wrong ones are counted like wrong passwords: for the person and for his address (RFC 8628 section 5.1).
func (o *OAuth) Device(ctx context.Context, c Caller, typed string) (DeviceRequest, error) {
	if !c.Scopes.Has(ScopeManage) { // only a person at our own page may decide
		return DeviceRequest{}, &ScopeError{ScopeManage}
	}
	code, ok := ParseUserCode(typed)
	if !ok {
		return DeviceRequest{}, &FieldError{"code", "must have 8 letters, such as BCDF-GHJK"}
	}
	guess, err := o.guess(ctx, c)
	if err != nil {
		return DeviceRequest{}, err
	}
	request, err := o.Store.Device(ctx, code, o.Now())
	if errors.Is(err, ErrNotFound) {
		return DeviceRequest{}, o.refuseCode(ctx, c, "unknown code", ErrNoDevice)
	}
	return request, errors.Join(err, o.Accounts.Store.ForgetAttempt(ctx, guess.ID))
}

// guess counts a code before it is looked for, and refuses it if there were too many that were wrong.
func (o *OAuth) guess(ctx context.Context, c Caller) (Attempts, error) {
	store, now := o.Accounts.Store, o.Now()
	// No login counts under this name: those are of lower case.
	guess, err := store.BeginAttempt(ctx, "device codes of "+string(c.User), Network(c.Addr), now, now.Add(-throttleWindow))
	if err != nil {
		return Attempts{}, err
	}
	if guess.OfAccount <= failuresPerAccount && guess.OfAddr <= failuresPerAddr {
		return guess, nil
	}
	if err := store.ForgetAttempt(ctx, guess.ID); err != nil {
		return Attempts{}, err
	}
	return Attempts{}, o.refuseCode(ctx, c, "throttled", &ThrottledError{RetryAfter: throttleWindow})
}

func (o *OAuth) refuseCode(ctx context.Context, c Caller, why string, refused error) error {
	if err := o.record(ctx, c, "oauth.device", string(c.User), false, map[string]string{"why": why}); err != nil {
		return err
	}
	return refused
}

// DecideDevice allows or denies the request that a code names. The device then acts for the caller. A machine that
// becomes a host gets the name that he gave it.
func (o *OAuth) DecideDevice(ctx context.Context, c Caller, typed string, allow bool, hostName string) (DeviceRequest, error) {
	request, err := o.Device(ctx, c, typed)
	if err != nil {
		return DeviceRequest{}, err
	}
	if allow && request.Enrols() && hostName == "" {
		return DeviceRequest{}, &FieldError{"name", "is missing: say what the machine is to be called"}
	}
	now := o.Now()
	detail := map[string]string{
		"client": request.Client, "scopes": request.Scopes.String(), "device_addr": request.Addr, "by": "device code",
	}
	var grant *Grant
	if allow {
		grant = &Grant{
			ID: GrantID(rand.Text()), User: c.User, ClientID: request.ClientID, Origin: OriginDevice,
			Scopes: request.Scopes, Resource: request.Resource, CreatedAt: now,
		}
		detail["grant"] = string(grant.ID)
	}
	if allow && request.Enrols() {
		grant.Name, detail["host_name"] = hostName, hostName
	}
	if err := o.record(ctx, c, "oauth.consent", request.ClientID, allow, detail); err != nil {
		return DeviceRequest{}, err
	}
	err = o.Store.DecideDevice(ctx, request.UserCode, grant, now)
	if errors.Is(err, ErrNotFound) {
		return DeviceRequest{}, ErrNoDevice // decided in another window meanwhile
	}
	return request, err
}
