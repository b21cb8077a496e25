package web

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"switchboard/auth"
	"switchboard/controlplane/fleet"
	"switchboard/hostagent/protocol"
)

// storeError is a database's error as postgres returns it.
type storeError struct{}

func (storeError) Error() string        { return "dial unix /secret/socket: refused" }
func (storeError) Is(target error) bool { return target == auth.ErrUnavailable }

func TestErrorsBecomePages(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		status int
		text   string
		retry  string
	}{
		{"not found", fmt.Errorf("host x: %w", auth.ErrNotFound), 404, "nothing that you may see", ""},
		{"no page", errNoPage, 404, "nothing that you may see", ""},
		{"scope", &auth.ScopeError{Needed: auth.ScopeManage}, 403, "You may not do this.", ""},
		{"stale form", errStale, 403, "The form is out of date", ""},
		{"field", &auth.FieldError{Field: "name", Problem: "is taken"}, 400, "Name is taken.", ""},
		{"conflict", fmt.Errorf("settled by ada: %w", fleet.ErrConflict), 409, "Settled by ada", ""},
		{"unknown outcome", fmt.Errorf("host x did not answer: %w", fleet.ErrUnknown), 504, "did not answer", ""},
		{"NATS away", fmt.Errorf("nothing can be followed: %w", fleet.ErrDown), 503, "Nothing can be followed", "5"},
		{"store away", fmt.Errorf("sessions: %w", storeError{}), 503, "The database cannot be reached", "5"},
		{"throttled", &auth.ThrottledError{RetryAfter: time.Minute}, 429, "Too many failed attempts", "61"},
		{"too long", fmt.Errorf("form: %w", &http.MaxBytesError{Limit: 1}), 413, "more than this page takes", ""},
		{"host refuses", protocol.Errorf(protocol.CodeRefused, "/etc is outside of the roots"), 403, "/etc is outside of the roots.", ""},
		{"host settled", protocol.Errorf(protocol.CodeSettled, "answered at the terminal"), 409, "Answered at the terminal.", ""},
		{"host failed", protocol.Errorf(protocol.CodeInternal, "stack trace"), 500, "Something failed here", ""},
		{"anything else", errors.New("SELECT password_hash"), 500, "Something failed here", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			p := &Pages{Accounts: &auth.Accounts{}, Log: slog.New(slog.NewTextHandler(&log, nil))}
			w := httptest.NewRecorder()
			p.Handler(func(http.ResponseWriter, *http.Request) error { return c.err }).
				ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x", nil))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.text) || w.Header().Get("Retry-After") != c.retry {
				t.Errorf("%d, Retry-After %q:\n%s", w.Code, w.Header().Get("Retry-After"), w.Body)
			}
			for _, secret := range []string{"/secret/socket", "password_hash", "stack trace"} {
				if strings.Contains(w.Body.String(), secret) {
					t.Errorf("the page tells %q", secret)
				}
			}
			if c.status != http.StatusInternalServerError {
				return
			}
			reference := log.String()[strings.Index(log.String(), "reference=")+len("reference="):]
			if reference = strings.Fields(reference)[0]; !strings.Contains(w.Body.String(), reference) {
				t.Errorf("the page lacks the log's reference %s", reference)
			}
		})
	}
}
