package sse

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
)

// The query parameters of /events.
const (
	ParamKind        = "kind"
	ParamStream      = "stream"
	ParamSince       = "since"
	ParamLastEventID = "lastEventId"
)

// headerLastEventID is what an EventSource sends when it reconnects.
const headerLastEventID = "Last-Event-ID"

const (
	// maxKinds is how many kinds one client may choose from.
	maxKinds = 64
	// maxSince is how far back a client may ask for. Streams keep days at most.
	maxSince = 366 * 24 * time.Hour
)

// Request is what a client asked for.
type Request struct {
	// Kinds to send, sorted; none means all.
	Kinds []string
	// Resume is the id of the last event the client has had; nil if it has not
	// had any. It wins over Since, because a browser repeats the query it began
	// with each time it reconnects.
	Resume *ID
	// Since is the time of storing to start from; zero if not asked for.
	Since time.Time
}

// ParseRequest reads the query and the headers of a request for a stream. now
// is what a duration in since counts from.
//
// The Last-Event-ID header wins over lastEventId, since it is the newer one in
// a browser that reconnects. In the header an id that is not ours is taken for
// one of a stream we do not know (Epoch ""): a browser whose request is refused
// gives up for ever. In the query it is refused.
func ParseRequest(r *http.Request, now time.Time) (Request, *Problem) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return Request{}, badParam("", "the query cannot be read")
	}
	var req Request
	if problem := req.parse(query, now); problem != nil {
		return Request{}, problem
	}
	if h := r.Header.Get(headerLastEventID); h != "" {
		id, err := ParseID(h)
		if err != nil {
			id = ID{}
		}
		req.Resume = &id
	}
	return req, nil
}

// parse reads the query alone.
func (req *Request) parse(query url.Values, now time.Time) (problem *Problem) {
	for name, values := range query {
		switch name {
		case ParamKind, ParamStream:
			problem = req.addKinds(name, values)
		case ParamSince:
			problem = req.setSince(values, now)
		case ParamLastEventID:
			problem = req.setResume(values)
		default:
			problem = badParam(name, "is not a parameter of this resource; it knows kind, stream, since and lastEventId")
		}
		if problem != nil {
			return problem
		}
	}
	slices.Sort(req.Kinds)
	req.Kinds = slices.Compact(req.Kinds)
	return nil
}

// addKinds reads kind and stream, which may be repeated and hold lists.
func (req *Request) addKinds(name string, values []string) *Problem {
	for _, value := range values {
		for kind := range strings.SplitSeq(value, ",") {
			if !feed.Kind(kind).Valid() {
				return badParam(name, "names a kind of event: a lower-case letter, then letters, digits and _")
			}
			req.Kinds = append(req.Kinds, kind)
		}
	}
	if len(req.Kinds) > maxKinds {
		return badParam(name, "names more than 64 kinds")
	}
	return nil
}

// setSince reads a duration before now, or a time.
func (req *Request) setSince(values []string, now time.Time) *Problem {
	value, problem := single(ParamSince, values)
	if problem != nil {
		return problem
	}
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		ago, err := time.ParseDuration(value)
		if err != nil || ago <= 0 {
			return badParam(ParamSince, "is a duration such as 10m, or a time as in RFC 3339")
		}
		at = now.Add(-ago)
	}
	if now.Sub(at) > maxSince {
		return badParam(ParamSince, "is more than a year ago")
	}
	req.Since = at
	return nil
}

// setResume reads lastEventId.
func (req *Request) setResume(values []string) *Problem {
	value, problem := single(ParamLastEventID, values)
	if problem != nil {
		return problem
	}
	id, err := ParseID(value)
	if err != nil {
		return badParam(ParamLastEventID, "is the id of an event of this stream")
	}
	req.Resume = &id
	return nil
}

// single returns the value of a parameter that may be given once.
func single(name string, values []string) (string, *Problem) {
	if len(values) != 1 {
		return "", badParam(name, "is given more than once")
	}
	return values[0], nil
}
