package twitter

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/services/ingest/source"
)

const (
	// excerptBytes is how much of a refusal's body goes into its error.
	excerptBytes = 200
	// maxRetryAfter is the longest wait an upstream is obeyed in; a rate
	// window lasts 15 minutes, and a date in the far future is a mistake.
	maxRetryAfter = time.Hour
	// statusEnhanceYourCalm is v1.1's own way to say 429.
	statusEnhanceYourCalm = 420
)

// refusal is what a response that is no stream means, nil for a stream.
func refusal(resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	excerpt, err := io.ReadAll(io.LimitReader(resp.Body, excerptBytes))
	if err != nil {
		excerpt = nil // the status alone has to do
	}
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(excerpt), "?")), " ")
	if to := resp.Header.Get("Location"); to != "" {
		text = "it has moved to " + to
	}
	return &source.Error{
		Cause:      causeOf(resp.StatusCode),
		RetryAfter: retryAfter(resp.Header, time.Now()),
		Err:        fmt.Errorf("twitter: connect to %s: upstream answered %s: %s", resp.Request.URL.Host, resp.Status, text),
	}
}

// causeOf sorts the statuses: which of them never pass is said by the
// upstream's documentation; a redirect is a URL to correct.
func causeOf(status int) source.Cause {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusNotAcceptable,
		http.StatusRequestEntityTooLarge, http.StatusRequestedRangeNotSatisfiable:
		return source.CauseFatal
	case statusEnhanceYourCalm, http.StatusTooManyRequests:
		return source.CauseRateLimited
	}
	if status >= 300 && status < 400 {
		return source.CauseFatal
	}
	return source.CauseHTTP
}

// retryAfter is how long the upstream asks to wait, by whichever of its two
// headers asks for more; 0 if neither does.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if t, err := http.ParseTime(h.Get("Date")); err == nil {
		now = t // the reset is told by the upstream's clock
	}
	var wait time.Duration
	if n, err := strconv.ParseInt(h.Get("X-Rate-Limit-Reset"), 10, 64); err == nil {
		wait = time.Unix(n, 0).Sub(now)
	}
	after := h.Get("Retry-After")
	if n, err := strconv.ParseUint(after, 10, 31); err == nil {
		wait = max(wait, time.Duration(n)*time.Second)
	} else if t, err := http.ParseTime(after); err == nil {
		wait = max(wait, t.Sub(now))
	}
	return min(max(wait, 0), maxRetryAfter)
}
