package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	r3 "github.com/r3labs/sse/v2"
	gosse "github.com/tmaxmax/go-sse"
	backoff "gopkg.in/cenkalti/backoff.v1"

	"github.com/blipstream/blipstream/services/gateway/ssetest"
)

// reader is one client that comes back whenever it is cut off, and accounts for
// every sequence.
type reader struct {
	name string

	mu   sync.Mutex
	last string
	next uint64
	// opened and gaps count; wrong is the first thing that must not be.
	opened, gaps int
	// frames counts those of /live, events those of /events.
	frames, events int
	wrong          string
	// byes are how long it was asked to stay away, each time in milliseconds.
	byes []int
	// heeded is how many of them it has done so for; refused counts answers
	// that were no stream.
	heeded, refused int
}

// state is how often it was greeted, what it wants next, and what is wrong.
func (r *reader) state() (opened int, next uint64, wrong string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.opened, r.next, r.wrong
}

// take takes an event.
func (r *reader) take(name, id, data string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var seq uint64
	_, digits, _ := strings.Cut(id, "-")
	_, _ = fmt.Sscan(digits, &seq) // 0 for what has no id
	if id != "" {
		r.last = id
	}
	switch name {
	case "hello":
		if r.opened++; r.next == 0 {
			r.next = seq + 1
		} else if seq+1 != r.next {
			r.fail("hello behind %d, want %d", seq, r.next-1)
		}
	case "frame":
		r.takeFrame(seq, data)
	case "hb", "stats":
	case "bye":
		var bye struct{ ReopenAfterMs int }
		if err := json.Unmarshal([]byte(data), &bye); err != nil {
			r.fail("bye %s: %v", data, err)
		}
		r.byes = append(r.byes, bye.ReopenAfterMs)
	case "gap":
		var g gap
		if err := json.Unmarshal([]byte(data), &g); err != nil || g.FromSeq != r.next {
			r.fail("gap %s where %d comes next", data, r.next)
		}
		r.gaps++
		r.next = g.ToSeq + 1
	default:
		if seq != r.next || !json.Valid([]byte(data)) {
			r.fail("event %d, want %d: %.50q", seq, r.next, data)
		}
		r.next = seq + 1
		r.events++
	}
}

// takeFrame takes a frame of /live, which goes on where the one before ended.
func (r *reader) takeFrame(seq uint64, data string) {
	var f struct {
		FromSeq, ToSeq uint64 `json:",string"`
	}
	if err := json.Unmarshal([]byte(data), &f); err != nil || f.FromSeq < r.next || f.ToSeq < f.FromSeq || seq < f.ToSeq {
		r.fail("frame %d, want %d: %.50q", seq, r.next, data)
	}
	r.next = seq + 1
	r.frames++
}

func (r *reader) fail(format string, args ...any) {
	if r.wrong == "" {
		r.wrong = fmt.Sprintf(format, args...)
	}
}

// lastID is what the client had last.
func (r *reader) lastID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// again is how long a client waits before it comes back.
const again = 50 * time.Millisecond

// r3labs reads with r3labs' client.
func (r *reader) r3labs(ctx context.Context, url string, plain bool) {
	client := r3.NewClient(url)
	client.ReconnectStrategy = &backoff.StopBackOff{} // its own loop outlives ctx
	client.Connection.Transport = transport(plain)
	for ctx.Err() == nil {
		_ = client.SubscribeRawWithContext(ctx, func(e *r3.Event) {
			if len(e.Data) > 0 {
				r.take(string(e.Event), string(e.ID), string(e.Data))
			}
		})
		pauseFor(ctx)
	}
}

// goSSE reads with the parser of tmaxmax/go-sse.
func (r *reader) goSSE(ctx context.Context, url string, plain bool) {
	client := &http.Client{Transport: transport(plain)}
	for ; ctx.Err() == nil; pauseFor(ctx) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return
		}
		if id := r.lastID(); id != "" {
			req.Header.Set("Last-Event-ID", id)
		}
		resp, err := client.Do(req)
		if err != nil {
			continue
		}
		for e, err := range gosse.Read(resp.Body, nil) {
			if err != nil || resp.StatusCode != http.StatusOK {
				break
			}
			r.take(e.Type, e.LastEventID, e.Data)
		}
		_ = resp.Body.Close()
	}
}

// plain reads with the reader of the conformance suite. It stays away for as
// long as a bye asks it to.
func (r *reader) plain(ctx context.Context, url string, plain bool) {
	client := &http.Client{Transport: transport(plain)}
	for ; ctx.Err() == nil; r.stayAway(ctx) {
		header := http.Header{}
		if id := r.lastID(); id != "" {
			header.Set("Last-Event-ID", id)
		}
		s, err := ssetest.Open(ctx, client, url, header)
		if err != nil {
			r.refuse()
			continue
		}
		for e, err := s.Next(); err == nil; e, err = s.Next() {
			r.take(e.Name, e.ID, e.Data)
		}
		s.Close()
	}
}

// refuse counts an answer that was no stream.
func (r *reader) refuse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused++
}

// stayAway waits for as long as the last bye asked for.
func (r *reader) stayAway(ctx context.Context) {
	r.mu.Lock()
	wait := again
	if len(r.byes) > r.heeded {
		wait = time.Duration(r.byes[len(r.byes)-1]) * time.Millisecond
		r.heeded = len(r.byes)
	}
	r.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
}

// transport takes gzip, unless plain.
func transport(plain bool) *http.Transport {
	return &http.Transport{DisableCompression: plain, DisableKeepAlives: true}
}

func pauseFor(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(again):
	}
}
