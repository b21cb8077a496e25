package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ory/fosite"
)

// refusal is an OAuth error: a code of RFC 6749 and its relatives, and a sentence for whoever debugs the client.
type refusal struct {
	status      int
	code        string
	description string
}

func (e *refusal) Error() string { return e.code + ": " + e.description }

func refuse(code, format string, args ...any) *refusal {
	status := http.StatusBadRequest
	if code == "invalid_client" {
		status = http.StatusUnauthorized
	}
	return &refusal{status: status, code: code, description: fmt.Sprintf(format, args...)}
}

// away is the answer while the store cannot be reached.
func away() *refusal {
	return &refusal{http.StatusServiceUnavailable, "temporarily_unavailable", "The server cannot reach its database. Try again."}
}

// asRefusal turns any error into what a client may be told. Ok is false if it is our fault and worth a log line.
func asRefusal(err error) (e *refusal, ok bool) {
	var known *fosite.RFC6749Error
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, ErrUnavailable): // first, since fosite wraps it into errors of its own
		return away(), false
	case errors.Is(err, context.Canceled):
		return away(), true // the client has gone, and reads no answer
	case errors.As(err, &e):
		return e, true
	case errors.As(err, &tooLarge):
		return &refusal{http.StatusRequestEntityTooLarge, "invalid_request", "The request is too large."}, true
	case errors.As(err, &known) && known.CodeField < http.StatusInternalServerError:
		return fromFosite(known), true
	}
	return &refusal{http.StatusInternalServerError, "server_error", "Something went wrong on the server."}, false
}

// fromFosite keeps fosite's code and its hint, and leaves the boilerplate.
func fromFosite(e *fosite.RFC6749Error) *refusal {
	description := e.HintField
	if description == "" {
		description = e.DescriptionField
	}
	return refuse(e.ErrorField, "%s", description)
}

// storeTimeout is how long a request may wait for the store in all. A database that hangs without a word is as
// unavailable as one that is not there.
const storeTimeout = 5 * time.Second

// bounded gives a request that time.
func bounded(r *http.Request) (bounded *http.Request, done context.CancelFunc) {
	ctx, done := context.WithTimeout(r.Context(), storeTimeout)
	return r.WithContext(ctx), done
}

// answerError answers at an endpoint that speaks JSON (RFC 6749 section 5.2).
func (o *OAuth) answerError(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := asRefusal(err)
	if !ok {
		o.Log.ErrorContext(r.Context(), "oauth request failed", "path", r.URL.Path, "err", err)
	}
	if e.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(int(RetryAfter.Seconds())))
	}
	if e.code == "invalid_client" && r.Header.Get("Authorization") != "" {
		w.Header().Set("WWW-Authenticate", `Basic realm="Switchboard"`)
	}
	o.answer(w, r, e.status, map[string]string{"error": e.code, "error_description": e.description})
}

// answer writes a JSON answer that nobody may keep.
func (o *OAuth) answer(w http.ResponseWriter, r *http.Request, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		o.Log.DebugContext(r.Context(), "oauth answer not delivered", "err", err)
	}
}

// allow lets clients in browsers of any origin call an endpoint that looks at no cookie, and refuses other
// methods than those given. It reports false when it has answered.
func (o *OAuth) allow(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if slices.Contains(methods, r.Method) {
		return true
	}
	allowed := strings.Join(append(methods, http.MethodOptions), ", ")
	w.Header().Set("Allow", allowed)
	if r.Method == http.MethodOptions {
		w.Header().Set("Access-Control-Allow-Methods", allowed)
		w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, MCP-Protocol-Version")
		w.Header().Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
		return false
	}
	o.answer(w, r, http.StatusMethodNotAllowed, map[string]string{
		"error": "invalid_request", "error_description": "Use " + methods[0] + ".",
	})
	return false
}
