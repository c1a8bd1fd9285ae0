package tail

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/r3labs/sse/v2"

	"github.com/blipstream/blipstream/internal/conf"
)

// maxProblem bounds how much of a refusal is read, in bytes.
const maxProblem = 4 << 10

// fatalError is a failure that another connection will not change.
type fatalError struct{ error }

// Unwrap returns the failure.
func (e *fatalError) Unwrap() error { return e.error }

// busyError is an answer that may be another one later.
type busyError struct {
	status string
	after  time.Duration
}

// Error implements error.
func (e *busyError) Error() string { return "tail: open stream: the gateway answered " + e.status }

// retryAfter is how long the gateway asked to wait; 0 if it did not.
func retryAfter(err error) time.Duration {
	if busy, ok := errors.AsType[*busyError](err); ok {
		return busy.after
	}
	return 0
}

// validate accepts an event stream. r3labs leaves closing a refused body to it.
func validate(_ *sse.Client, resp *http.Response) error {
	if isStream(resp) {
		return nil
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusOK:
		return &fatalError{fmt.Errorf("tail: open stream: %s answers with %q, not with an event stream: is it a gateway?", resp.Request.URL.Host, mediaType(resp))}
	case passing(resp.StatusCode):
		return &busyError{resp.Status, waitOf(resp.Header.Get("Retry-After"))}
	case resp.StatusCode == http.StatusUnauthorized && resp.Request.Header.Get("Authorization") == "":
		return &fatalError{fmt.Errorf("tail: open stream: %s: %s: put one into %s", resp.Status, problem(resp), conf.TokenVariable)}
	default:
		return &fatalError{fmt.Errorf("tail: open stream: %s: %s", resp.Status, problem(resp))}
	}
}

func isStream(resp *http.Response) bool {
	return resp.StatusCode == http.StatusOK && mediaType(resp) == "text/event-stream"
}

func mediaType(resp *http.Response) string {
	media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return "no known type"
	}
	return media
}

// passing tells answers that may be others later from those that stay.
func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	default:
		return status >= http.StatusInternalServerError
	}
}

// waitOf reads a Retry-After in seconds, a minute at most.
func waitOf(header string) time.Duration {
	n, err := strconv.ParseUint(header, 10, 16)
	if err != nil {
		return 0
	}
	return min(time.Duration(n)*time.Second, time.Minute)
}

// problem is the explanation in a refusal: the detail or title of a problem
// document (RFC 9457), else its first line.
func problem(resp *http.Response) string {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	if err != nil && len(body) == 0 {
		return "no explanation"
	}
	var doc struct{ Title, Detail string }
	if json.Unmarshal(body, &doc) == nil {
		for _, s := range []string{doc.Detail, doc.Title} {
			if s != "" {
				return Harmless(s)
			}
		}
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	if line == "" {
		return "no explanation"
	}
	return Harmless(line)
}
