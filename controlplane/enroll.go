package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// enrolment answers POST /enroll, where a machine trades a join token, or the access token of `hostagent login`, for
// being a host. The token is the only right that is needed, so attempts are counted.
type enrolment struct {
	Fleet    *fleet.Fleet
	OAuth    *auth.OAuth
	Audience string // what hosts call this control plane in their proofs
	Log      *slog.Logger

	attempts auth.Limiter
}

// Limits of enrolment. A token has 130 random bits: the rate guards the database, not the token.
const (
	maxEnrolBody    = 16 << 10
	enrolsPerSecond = 1
	enrolsAtOnce    = 60
)

// ServeHTTP decodes, calls once, encodes.
func (e *enrolment) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rate := auth.Rate{PerSecond: enrolsPerSecond, Burst: enrolsAtOnce}
	if delay := e.attempts.Take(auth.Network(r.RemoteAddr), rate, time.Now()); delay > 0 {
		w.Header().Set("Retry-After", "60")
		refuseEnrolment(w, http.StatusTooManyRequests, protocol.ReasonRate, "too many attempts from this address: wait a minute")
		return
	}
	request, refused := readEnrolment(w, r)
	if refused != nil {
		refuseEnrolment(w, http.StatusBadRequest, refused.Code, refused.Message)
		return
	}
	host, err := e.enrol(r.Context(), fleet.Enrolment{Token: request.Token, NKey: request.NKey}, r.RemoteAddr)
	if err != nil {
		e.refuse(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, protocol.EnrolReply{Host: host.ID, Name: host.Name, Audience: e.Audience})
}

// enrol spends the token. What is no access token, or one that has made a host, is left to be known as a join token.
func (e *enrolment) enrol(ctx context.Context, asked fleet.Enrolment, addr string) (fleet.Host, error) {
	caller, name, err := e.OAuth.Enrolling(ctx, auth.Secret(asked.Token), addr)
	if errors.Is(err, auth.ErrInvalidToken) {
		return e.Fleet.Enrol(ctx, asked, addr)
	}
	if err != nil {
		return fleet.Host{}, err
	}
	if err := e.Fleet.AdmitHost(ctx, caller, asked.Token, name); err != nil {
		return fleet.Host{}, err
	}
	asked.Admitted = true
	host, err := e.Fleet.Enrol(ctx, asked, addr)
	if err != nil {
		return fleet.Host{}, err
	}
	// The token can make no second host, and expires soon; so a grant that cannot be ended now does no harm.
	if err := e.OAuth.Enrolled(context.WithoutCancel(ctx), caller); err != nil {
		e.Log.ErrorContext(ctx, "grant of a new host not ended", "host", host.ID, "err", err)
	}
	return host, nil
}

func readEnrolment(w http.ResponseWriter, r *http.Request) (protocol.EnrolRequest, *protocol.Refusal) {
	var request protocol.EnrolRequest
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxEnrolBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil {
		return request, &protocol.Refusal{Code: protocol.ReasonRequest, Message: "the request is no enrolment: " + err.Error()}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return request, &protocol.Refusal{Code: protocol.ReasonRequest, Message: "the request goes on after its end"}
	}
	if !protocol.Compatible(request.Version) {
		return request, &protocol.Refusal{Code: protocol.ReasonVersion,
			Message: "the host agent and this control plane are too far apart in version: upgrade the older one"}
	}
	return request, nil
}

func (e *enrolment) refuse(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, fleet.ErrInvalid):
		refuseEnrolment(w, http.StatusBadRequest, protocol.ReasonRequest, err.Error())
	case errors.Is(err, auth.ErrForbidden), errors.Is(err, auth.ErrNotFound):
		refuseEnrolment(w, http.StatusForbidden, protocol.ReasonToken, err.Error())
	case errors.Is(err, fleet.ErrConflict):
		refuseEnrolment(w, http.StatusConflict, protocol.ReasonKey, err.Error())
	default:
		e.Log.ErrorContext(r.Context(), "host not enrolled", "err", err)
		w.Header().Set("Retry-After", "5")
		refuseEnrolment(w, http.StatusServiceUnavailable, protocol.ReasonUnavailable, "the control plane cannot enrol hosts now: try again")
	}
}

func refuseEnrolment(w http.ResponseWriter, status int, code protocol.Reason, message string) {
	writeJSON(w, status, protocol.Refusal{Code: code, Message: message})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever asked may be gone
}
