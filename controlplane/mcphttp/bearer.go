package mcphttp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"switchboard/auth"
)

// The ways in which a request carries no usable credentials.
var (
	errNoToken    = errors.New("no bearer token")
	errTwoHeaders = errors.New("two Authorization headers")
)

// maxToken is longer than any token that we issue.
const maxToken = 4096

// authenticate says who sends the request. Only the Authorization header counts: a token in the query or in a form
// is as good as none (RFC 6750 section 2.3 and OAuth 2.1 section 5.2).
func (h *Handler) authenticate(r *http.Request) (token string, caller auth.Caller, err error) {
	token, err = bearerToken(r.Header.Values("Authorization"))
	if err != nil {
		return "", auth.Caller{}, err
	}
	caller, err = h.Bearer(r.Context(), token, addr(r))
	return token, caller, err
}

func bearerToken(headers []string) (string, error) {
	if len(headers) > 1 {
		return "", errTwoHeaders
	}
	if len(headers) == 0 {
		return "", errNoToken
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", errNoToken
	}
	if len(token) > maxToken || strings.Trim(token, tokenCharacters) != "" {
		return "", auth.ErrInvalidToken
	}
	return token, nil
}

// tokenCharacters are those of b64token (RFC 6750 section 2.1).
const tokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="

// unauthorized answers a request that may not go on. What was wrong with a token is not told: an expired one looks
// like one that never was.
func (h *Handler) unauthorized(w http.ResponseWriter, r *http.Request, err error) {
	challenge := auth.Challenge{PublicURL: h.PublicURL, Scopes: h.Scopes}
	switch {
	case errors.Is(err, errTwoHeaders):
		challenge.Error, challenge.Description = "invalid_request", "send one Authorization header"
		h.challenge(w, http.StatusBadRequest, challenge)
	case errors.Is(err, errNoToken):
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
		retryAfter(w, unavailableRetry)
		writeJSON(w, http.StatusServiceUnavailable,
			[]byte(`{"error":"temporarily_unavailable","error_description":"try again in a moment"}`))
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
	writeJSON(w, status, text)
}
