package sse

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/gateway/filter"
)

// The query parameters of /events and /live, beside those of a filter.
const (
	ParamKind        = "kind"
	ParamStream      = "stream"
	ParamSince       = "since"
	ParamLastEventID = "lastEventId"
	ParamRate        = "rate"
	ParamSpeed       = "speed"
	ParamRun         = "run"
)

// headerLastEventID is what an EventSource sends when it reconnects.
const headerLastEventID = "Last-Event-ID"

const (
	// maxKinds is how many kinds one client may choose from.
	maxKinds = 64
	// maxSince is how far back a client may ask for. Streams keep days at most.
	maxSince = 366 * 24 * time.Hour
	// maxRate is the most that rate can ask for: beyond it nothing is thinned
	// that a browser could show.
	maxRate = 10000
	// minSpeed and maxSpeed bound the pace of a replay.
	minSpeed, maxSpeed = 1, 100
)

// runForm is what a run's name may be: one token of a subject.
var runForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

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
	// Filter is what events must match, beside their kind.
	Filter filter.Filter
	// Rate is how many events a second to send at most; 0 for all.
	Rate int
	// Speed is the pace of a replay, as a multiple of the time it took; 0 for
	// as fast as the client reads.
	Speed float64
	// Run names the replay run to read instead of the live events.
	Run string
	// Gzip says that the client takes gzip.
	Gzip bool
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
		return Request{}, BadParam("", "the query cannot be read")
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
	req.Gzip = acceptsGzip(r.Header.Values("Accept-Encoding"))
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
		case ParamRate:
			problem = req.setRate(values)
		case ParamSpeed:
			problem = req.setSpeed(values)
		case ParamRun:
			problem = req.setRun(values)
		default:
			problem = req.setFilter(name, values)
		}
		if problem != nil {
			return problem
		}
	}
	slices.Sort(req.Kinds)
	req.Kinds = slices.Compact(req.Kinds)
	if req.Speed > 0 && req.Since.IsZero() && req.Run == "" {
		return BadParam(ParamSpeed, "is for what was stored: give since or run with it")
	}
	if req.Run != "" && !req.Since.IsZero() {
		return BadParam(ParamSince, "is not for a run, which is read from its beginning")
	}
	return nil
}

// setFilter reads a parameter of the filter.
func (req *Request) setFilter(name string, values []string) *Problem {
	if !filter.Known(name) {
		return BadParam(name, "is not a parameter of this resource; it knows kind, stream, source, user, type, lang, country, q, bbox, "+
			"rate, since, speed, run and lastEventId")
	}
	if err := req.Filter.Set(name, values); err != nil {
		return BadParam(name, err.Error())
	}
	return nil
}

// setRate reads rate.
func (req *Request) setRate(values []string) *Problem {
	value, problem := single(ParamRate, values)
	if problem != nil {
		return problem
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > maxRate {
		return BadParam(ParamRate, "is a whole number of events a second, 1 to 10000")
	}
	req.Rate = n
	return nil
}

// setSpeed reads speed.
func (req *Request) setSpeed(values []string) *Problem {
	value, problem := single(ParamSpeed, values)
	if problem != nil {
		return problem
	}
	x, err := strconv.ParseFloat(value, 64)
	if err != nil || !(x >= minSpeed && x <= maxSpeed) { // so written, NaN is refused
		return BadParam(ParamSpeed, "is a number from 1 to 100")
	}
	req.Speed = x
	return nil
}

// setRun reads run.
func (req *Request) setRun(values []string) *Problem {
	value, problem := single(ParamRun, values)
	if problem != nil {
		return problem
	}
	if !runForm.MatchString(value) {
		return BadParam(ParamRun, "is the name of a run: letters, digits, _ and -")
	}
	req.Run = value
	return nil
}

// acceptsGzip reads Accept-Encoding as RFC 9110, section 12.5.3, says; the
// wildcard is not taken for gzip, which nobody who sends only that expects.
func acceptsGzip(headers []string) bool {
	for _, header := range headers {
		for part := range strings.SplitSeq(header, ",") {
			name, params, _ := strings.Cut(part, ";")
			if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
				continue
			}
			q, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(params, " ", "")), "q=")
			if weight, err := strconv.ParseFloat(q, 64); ok && err == nil && weight == 0 {
				return false
			}
			return true
		}
	}
	return false
}

// addKinds reads kind and stream, which may be repeated and hold lists.
func (req *Request) addKinds(name string, values []string) *Problem {
	for _, value := range values {
		for kind := range strings.SplitSeq(value, ",") {
			if !feed.Kind(kind).Valid() {
				return BadParam(name, "names a kind of event: a lower-case letter, then letters, digits and _")
			}
			req.Kinds = append(req.Kinds, kind)
		}
	}
	if len(req.Kinds) > maxKinds {
		return BadParam(name, "names more than 64 kinds")
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
			return BadParam(ParamSince, "is a duration such as 10m, or a time as in RFC 3339")
		}
		at = now.Add(-ago)
	}
	if now.Sub(at) > maxSince {
		return BadParam(ParamSince, "is more than a year ago")
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
		return BadParam(ParamLastEventID, "is the id of an event of this stream")
	}
	req.Resume = &id
	return nil
}

// single returns the value of a parameter that may be given once.
func single(name string, values []string) (string, *Problem) {
	if len(values) != 1 {
		return "", BadParam(name, "is given more than once")
	}
	return values[0], nil
}
