package poll

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/upstream"
)

// jitterPart is the most that chance adds to the interval, as a part of it, so
// that many clients do not ask in the same second.
const jitterPart = 0.1

// Profile is what one upstream differs in from others.
type Profile struct {
	// Who begins errors: the package and what it reads.
	Who string
	// URL is what is asked for.
	URL string
	// Interval is the time between two questions, at least.
	Interval time.Duration
	// Stall is how long the upstream may be silent within an answer.
	Stall time.Duration
	// MaxBody is the longest answer in bytes.
	MaxBody int64
	// Client makes the connections.
	Client *http.Client
	// Observer is the source's.
	Observer source.Observer
}

// Stream asks until ctx ends or something goes wrong, and hands each answer
// that is not as the one before to take. The Observer is told of a
// connection once the first answer was taken. An error of take is a broken answer, unless it is
// an *upstream.EmitError.
func (p *Profile) Stream(ctx context.Context, take func(body []byte) error) error {
	r := &round{Profile: p}
	for first := true; ; first = false {
		if err := r.ask(ctx, take); err != nil {
			return err
		}
		if first {
			p.Observer.Connected()
		}
		if err := p.wait(ctx); err != nil {
			return err
		}
	}
}

// wait waits for the next question.
func (p *Profile) wait(ctx context.Context) error {
	jitter := time.Duration(float64(p.Interval) * jitterPart * rand.Float64())
	timer := time.NewTimer(p.Interval + jitter)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// round is one series of questions: what is remembered from one to the next.
type round struct {
	*Profile
	etag, modified string
}

// ask asks once.
func (r *round) ask(ctx context.Context, take func(body []byte) error) error {
	dog, conn := upstream.NewWatchdog(ctx, r.Stall)
	defer dog.Stop()
	ended := upstream.Ended{Who: r.Who, Stream: ctx, Conn: conn, Silence: source.CauseNetwork, After: r.Stall}
	body, header, err := r.get(conn, dog)
	if err != nil {
		return ended.By(err)
	}
	if body == nil {
		return nil
	}
	if err := take(body); err != nil {
		if passed, ok := errors.AsType[*upstream.EmitError](err); ok {
			return passed.Err
		}
		return &source.Error{Cause: source.CauseHTTP, Err: fmt.Errorf("%s: read answer: %w", r.Who, err)}
	}
	r.etag, r.modified = header.Get("ETag"), header.Get("Last-Modified")
	return nil
}

// get asks for the document; nil if it has not changed.
func (r *round) get(ctx context.Context, dog *upstream.Watchdog) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, http.NoBody)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("User-Agent", upstream.Agent)
	req.Header.Set("Accept-Encoding", "gzip")
	if r.etag != "" {
		req.Header.Set("If-None-Match", r.etag)
	}
	if r.modified != "" {
		req.Header.Set("If-Modified-Since", r.modified)
	}
	dog.Watch()
	resp, err := r.Client.Do(req)
	dog.Rest()
	if err != nil {
		return nil, nil, fmt.Errorf("connect: %w", err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		body, err := r.read(resp, dog)
		return body, resp.Header, err
	case http.StatusNotModified:
		return nil, resp.Header, nil
	default:
		return nil, nil, upstream.Refused(r.Who, resp)
	}
}

// read reads an answer whole.
func (r *round) read(resp *http.Response, dog *upstream.Watchdog) ([]byte, error) {
	in := dog.Reader(resp.Body)
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("read gzip: %w", err)
		}
		in = z
	}
	body, err := io.ReadAll(io.LimitReader(in, r.MaxBody+1))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if int64(len(body)) > r.MaxBody {
		return nil, &source.Error{Cause: source.CauseHTTP, Err: fmt.Errorf("%s: read answer: it is longer than %d bytes", r.Who, r.MaxBody)}
	}
	if len(body) == 0 {
		return nil, &source.Error{Cause: source.CauseHTTP, Err: fmt.Errorf("%s: read answer: it is empty", r.Who)}
	}
	return body, nil
}
