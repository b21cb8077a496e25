package mcphttp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"switchboard/auth"
)

// authenticate says who sends the request. Only the Authorization header counts.
func (h *Handler) authenticate(r *http.Request) (auth.Secret, auth.Caller, error) {
	token, err := auth.ParseBearer(r.Header.Values("Authorization"))
	if err != nil {
		return "", auth.Caller{}, err
	}
	caller, err := h.Bearer(r.Context(), token, auth.RemoteAddr(r))
	return token, caller, err
}

// unauthorized answers a request that may not go on. What was wrong with a token is not told: an expired one looks
// like one that never was.
func (h *Handler) unauthorized(w http.ResponseWriter, r *http.Request, err error) {
	challenge := auth.Challenge{PublicURL: h.PublicURL, Scopes: h.Scopes}
	switch {
	case errors.Is(err, auth.ErrTwoTokens):
		challenge.Error, challenge.Description = "invalid_request", "send one Authorization header"
		h.challenge(w, http.StatusBadRequest, challenge)
	case errors.Is(err, auth.ErrNoToken):
		h.challenge(w, http.StatusUnauthorized, challenge)
	case errors.Is(err, auth.ErrInvalidToken):
		challenge.Error, challenge.Description = "invalid_token", "the access token is not valid, or no longer"
		h.challenge(w, http.StatusUnauthorized, challenge)
	case errors.Is(err, errSessionEnded):
		refuse(w, noSession())
	case errors.Is(err, context.Canceled):
		// Whoever asked has gone.
	default:
		h.Log.ErrorContext(r.Context(), "token not checked", "err", err)
		retryAfter(w, auth.RetryAfter)
		writeJSON(w, http.StatusServiceUnavailable,
			[]byte(`{"error":"temporarily_unavailable","error_description":"try again in a moment"}`+"\n"))
	}
}

// challenge says in the header what a client needs, and in the body what a person can read.
func (h *Handler) challenge(w http.ResponseWriter, status int, c auth.Challenge) {
	w.Header().Set("WWW-Authenticate", c.String())
	body := struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{c.Error, c.Description}
	if body.Error == "" {
		body.Error, body.Description = "unauthorized", "send an access token as Authorization: Bearer"
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // two strings
	}
	writeJSON(w, status, append(text, '\n'))
}
