package xapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

// problem is how the API says what is wrong.
type problem struct {
	Title      string `json:"title"`
	Detail     string `json:"detail"`
	Type       string `json:"type"`
	Value      string `json:"value"`
	Issue      string `json:"connection_issue"`
	Disconnect string `json:"disconnect_type"`
}

// text is the problem in a log line.
func (p problem) text() string {
	return upstream.Excerpt([]byte(strings.Join([]string{p.Title, p.Issue, p.Disconnect, p.Detail}, " ")))
}

// is reports whether the problem's type, the last part of its URL, is name.
func (p problem) is(name string) bool { return p.Type[strings.LastIndexByte(p.Type, '/')+1:] == name }

// cause is how to go on after a problem that ended a stream.
func (p problem) cause() source.Cause {
	switch {
	case p.tooMany(), p.Disconnect == "ForceDisconnect":
		return source.CauseRateLimited // somebody else has the connection, or is to have it
	case p.Issue == "RuleConfigurationIssue", p.is("usage-capped"), p.is("client-forbidden"),
		p.is("not-authorized-for-resource"), p.is("unsupported-authentication"), p.is("client-disconnected"):
		return source.CauseFatal
	default: // operational, unclean and full-buffer disconnects, and what is new
		return source.CauseClosed
	}
}

// tooMany reports whether another connection is in the way.
func (p problem) tooMany() bool { return p.Issue == "TooManyConnections" }

// takeoverEvery keeps two who take the stream over from each other from doing
// so all the time.
const takeoverEvery = time.Minute

var errTooMany = errors.New("another connection has the stream")

// refused is what a response means that is no stream.
func (s *xSource) refused(resp *http.Response) error {
	const most = 4 << 10
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		body = nil // the status alone has to do
	}
	var p problem
	if json.Unmarshal(body, &p) != nil {
		p = problem{}
	}
	text := p.text()
	if text == "" {
		text = upstream.Excerpt(body)
	}
	told := &source.Error{
		Cause: upstream.CauseOf(resp.StatusCode), RetryAfter: upstream.RetryAfter(resp.Header, time.Now()),
		Err: fmt.Errorf("xapi: connect to %s: upstream answered %s: %s", resp.Request.URL.Host, resp.Status, text),
	}
	switch {
	case p.tooMany():
		told.Cause, told.Err = source.CauseRateLimited, fmt.Errorf("%w: %w", told.Err, errTooMany)
	case resp.StatusCode == http.StatusConflict, p.cause() == source.CauseFatal:
		told.Cause = source.CauseFatal
	}
	return told
}
