package upstream

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
	// statusEnhanceYourCalm is Twitter v1.1's own way to say 429.
	statusEnhanceYourCalm = 420
)

// Refused is what a response means that is not the one that was asked for: an
// *source.Error by its status, with the beginning of its body. who begins the
// error's text. It does not close the body.
func Refused(who string, resp *http.Response) error {
	excerpt, err := io.ReadAll(io.LimitReader(resp.Body, excerptBytes))
	if err != nil {
		excerpt = nil // the status alone has to do
	}
	text := Excerpt(excerpt)
	if to := resp.Header.Get("Location"); to != "" {
		text = "it has moved to " + to
	}
	return &source.Error{
		Cause:      CauseOf(resp.StatusCode),
		RetryAfter: RetryAfter(resp.Header, time.Now()),
		Err:        fmt.Errorf("%s: connect to %s: upstream answered %s: %s", who, resp.Request.URL.Host, resp.Status, text),
	}
}

// Excerpt is the beginning of an upstream's text, fit for one line of a log.
func Excerpt(text []byte) string {
	text = text[:min(len(text), excerptBytes)]
	return strings.Join(strings.Fields(strings.ToValidUTF8(string(text), "?")), " ")
}

// CauseOf sorts the statuses of HTTP: which of them never pass is said by
// Twitter's documentation, and holds elsewhere; a redirect is a URL to correct.
func CauseOf(status int) source.Cause {
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

// RetryAfter is how long the upstream asks to wait, by whichever of its two
// headers asks for more; 0 if neither does.
func RetryAfter(h http.Header, now time.Time) time.Duration {
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
