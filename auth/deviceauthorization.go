package auth

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// An address may ask for device codes in bursts: a team's machines share one.
const (
	deviceBurst = 30
	deviceEvery = 5 * time.Second
)

// deviceAnswer is what a device is told (RFC 8628 section 3.2).
type deviceAnswer struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	Page       string `json:"verification_uri"`
	PageFilled string `json:"verification_uri_complete"`
	ExpiresIn  int    `json:"expires_in"` // seconds
	Interval   int    `json:"interval"`   // seconds
}

// DeviceAuthorization answers at DeviceAuthorizationPath: a device that has no browser asks for a code, which a
// person types on another one.
func (o *OAuth) DeviceAuthorization(w http.ResponseWriter, r *http.Request) {
	if !o.allow(w, r, http.MethodPost) {
		return
	}
	r, done := bounded(r)
	defer done()
	answer, err := o.authorizeDevice(w, r)
	if err != nil {
		o.answerError(w, r, err)
		return
	}
	o.answer(w, r, http.StatusOK, answer)
}

func (o *OAuth) authorizeDevice(w http.ResponseWriter, r *http.Request) (deviceAnswer, error) {
	rate := Rate{PerSecond: 1 / deviceEvery.Seconds(), Burst: deviceBurst}
	if delay := o.devices.Take(Network(RemoteAddr(r)), rate, o.Now()); delay > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(delay.Seconds()))))
		return deviceAnswer{}, &refusal{http.StatusTooManyRequests, "temporarily_unavailable", "Too many requests from this address."}
	}
	form, err := readForm(w, r)
	if err != nil {
		return deviceAnswer{}, err
	}
	client, err := o.authenticate(r.Context(), r, form)
	if err != nil {
		return deviceAnswer{}, err
	}
	if !slices.Contains(client.Metadata.GrantTypes, grantDevice) {
		return deviceAnswer{}, refuse("unauthorized_client", "The client did not register for the grant_type %s.", grantDevice)
	}
	request, err := o.deviceRequest(client, form)
	if err != nil {
		return deviceAnswer{}, err
	}
	request.Addr = RemoteAddr(r)
	return o.askForDevice(r.Context(), request)
}

// deviceRequest reads what a device asks for.
func (o *OAuth) deviceRequest(client Client, form url.Values) (DeviceRequest, error) {
	now := o.Now()
	request := DeviceRequest{
		ClientID: client.ID, Client: client.Name, Kind: client.Kind, Resource: o.Resource(),
		CreatedAt: now, ExpiresAt: now.Add(deviceLife), Interval: deviceInterval,
	}
	if client.ID == hostAgentClient {
		return o.enrolmentRequest(request, form)
	}
	if !o.isResource(form["resource"]) {
		return DeviceRequest{}, refuse("invalid_target", "The resource must be %s.", o.Resource())
	}
	var err error
	request.Scopes, err = client.requestedScopes(form.Get("scope"))
	return request, err
}

// codeTries is how often a user code is drawn that turns out to be in use: with ten thousand of them waiting, one
// in two million is.
const codeTries = 3

// askForDevice makes the codes and keeps the request. That is not in the audit log, which strangers could fill so;
// what a person decides is.
func (o *OAuth) askForDevice(ctx context.Context, request DeviceRequest) (deviceAnswer, error) {
	var device Secret
	device, request.Signature = o.tokens().new(KindDevice)
	err := error(ErrCodeTaken)
	for try := 0; try < codeTries && errors.Is(err, ErrCodeTaken); try++ {
		request.UserCode = newUserCode()
		err = o.Store.InsertDevice(ctx, request)
	}
	if err != nil {
		return deviceAnswer{}, err
	}
	o.Log.InfoContext(ctx, "device code asked for", "client", request.ClientID, "addr", request.Addr)
	page := o.PublicURL + DevicePath
	return deviceAnswer{
		DeviceCode: string(device), UserCode: request.Code(),
		Page: page, PageFilled: page + "?user_code=" + request.Code(),
		ExpiresIn: int(deviceLife.Seconds()), Interval: int(deviceInterval.Seconds()),
	}, nil
}
