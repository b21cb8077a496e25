package outbound

import (
	"net/http"
	"strconv"
	"time"
)

// maxRetryAfter keeps what a stranger says from being longer than anyone would wait.
const maxRetryAfter = 24 * time.Hour

// RetryAfter is how long the answer asks to wait, in either form of the header (RFC 9110 section 10.2.3); 0 if it
// does not say.
func (r Response) RetryAfter(now time.Time) time.Duration {
	value := r.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
