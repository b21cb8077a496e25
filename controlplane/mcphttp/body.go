package mcphttp

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// maxBody is how many bytes a message may have; mcp-go itself takes any number.
const maxBody = 4 << 20

// bodyTimeout is how long a client may take to send its message.
const bodyTimeout = 30 * time.Second

// readBody reads a message, and never more than maxBody of it.
func readBody(answer *response, r *http.Request) ([]byte, *refusal) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" || r.Header.Get("Content-Encoding") != "" {
		return nil, &refusal{status: http.StatusUnsupportedMediaType, code: mcp.INVALID_REQUEST,
			message: "the body must be application/json, not compressed"}
	}
	_ = answer.control.SetReadDeadline(time.Now().Add(bodyTimeout)) // a recorder in a test has none
	// With net/http's own writer, a body that is too large ends the connection, and net/http does not wait for the rest.
	body, err := io.ReadAll(http.MaxBytesReader(answer.to, r.Body, maxBody))
	if err == nil {
		_ = answer.control.SetReadDeadline(time.Time{}) // else it holds for what net/http still reads of the body
	}
	var larger *http.MaxBytesError
	switch {
	case errors.As(err, &larger):
		return nil, tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &refusal{status: http.StatusRequestTimeout, code: mcp.INVALID_REQUEST, message: "the body came too slowly"}
	case err != nil:
		return nil, &refusal{status: http.StatusBadRequest, code: mcp.PARSE_ERROR, message: "the body broke off"}
	}
	return body, nil
}

func tooLarge() *refusal {
	return &refusal{status: http.StatusRequestEntityTooLarge, code: mcp.INVALID_REQUEST, message: "the body is over 4 MiB"}
}

// acceptsBoth reports whether the client takes both forms of an answer, as clients before 2026-07-28 must say.
func acceptsBoth(r *http.Request) bool {
	return accepts(r, "application/json") && accepts(r, "text/event-stream")
}

// accepts reads the Accept headers; without one, everything is accepted (RFC 9110 section 12.5.1).
func accepts(r *http.Request, media string) bool {
	values := r.Header.Values("Accept")
	if len(values) == 0 {
		return true
	}
	family, _, _ := strings.Cut(media, "/")
	for item := range strings.SplitSeq(strings.Join(values, ","), ",") {
		offered, _, _ := strings.Cut(item, ";")
		switch strings.ToLower(strings.TrimSpace(offered)) {
		case media, family + "/*", "*/*":
			return true
		}
	}
	return false
}
