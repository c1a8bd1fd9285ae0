package sourcetest_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/blipstream/blipstream/internal/bustest"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/internal/simulate"
	"github.com/blipstream/blipstream/internal/simulate/feeds"
	"github.com/blipstream/blipstream/services/ingest/source"
	"github.com/blipstream/blipstream/services/ingest/source/bluesky"
	"github.com/blipstream/blipstream/services/ingest/source/peek"
	"github.com/blipstream/blipstream/services/ingest/source/twitter"
	"github.com/blipstream/blipstream/services/ingest/source/websocket"
	"github.com/blipstream/blipstream/services/ingest/source/xapi"
)

// everyItems is how many items each upstream has.
const everyItems = 40

// token is the credential of those sources that send one.
const token = "bearer:token"

// up is a simulated upstream that runs.
type up struct {
	// raw is item n.
	raw   func(n uint64) []byte
	stats func() simulate.Stats
	// open makes a source that bears silence for as long as stall says.
	open func(t *testing.T, stall string) source.Source
}

// subject is a source and its simulated upstream.
type subject struct {
	name  string
	serve func(t *testing.T, script []simulate.Fault, alone bool) up
	// polls says that there are no connections that last.
	polls bool
	// many says that the upstream does not mind several connections.
	many bool
	// clings says that the upstream lets nobody in beside a connection that it
	// does not know to be gone.
	clings bool
}

// every is every source that has an upstream.
func every() []subject {
	subjects := []subject{
		{name: "twitter", serve: overHTTP(func(o simulate.Options) (upstreamServer, error) { return simulate.NewServer(o) },
			twitter.Open, "twitter+", "/1.1/statuses/sample.json?stall=", (*simulate.World).Append)},
		{name: "twitter delimited", serve: overHTTP(func(o simulate.Options) (upstreamServer, error) { return simulate.NewServer(o) },
			twitter.Open, "twitter+", "/1.1/statuses/filter.json?track=x&delimited=length&stall=", (*simulate.World).Append)},
		{name: "x", clings: true, serve: overHTTP(func(o simulate.Options) (upstreamServer, error) { return simulate.NewX(o) },
			xapi.Open, "x+", "/?stream=sample&idle=", func(w *simulate.World, b []byte, n uint64) []byte { return w.AppendX(b, n, false) })},
		{name: "bluesky", many: true, serve: sky(bluesky.Open, "bluesky+ws", "/?idle=", false)},
		{name: "bluesky v2", many: true, serve: sky(bluesky.Open, "bluesky+ws", "/?wire=v2&idle=", true)},
		{name: "bluesky v2 zstd", many: true, serve: sky(bluesky.Open, "bluesky+ws", "/?wire=v2&zstd=true&idle=", true)},
		{name: "websocket", many: true, serve: sky(websocket.Open, "ws+http", "/subscribe?ping=100ms&stall=", false)},
	}
	for _, p := range profiles() {
		subjects = append(subjects, subject{name: string(p.protocol), polls: p.polls, serve: p.up})
	}
	return subjects
}

// up starts the upstream of a profile.
func (p profile) up(t *testing.T, script []simulate.Fault, alone bool) up {
	t.Helper()
	o := feeds.Options{Seed: 5, Items: everyItems, Live: !alone, KeepAlive: 50 * time.Millisecond, Script: script}
	if alone {
		o.MaxOpen = 1
	}
	server, at := serve(t, o)
	return up{
		raw: func(n uint64) []byte { return server.Raw(p.protocol, n) }, stats: server.Stats,
		open: func(t *testing.T, stall string) source.Source {
			t.Helper()
			q := p
			q.stall = stall
			return q.source(t, at, "", nil)
		},
	}
}

// upstreamServer is a server of package simulate.
type upstreamServer interface {
	http.Handler
	Close()
	Stats() simulate.Stats
	World() *simulate.World
}

// overHTTP serves one of the streams that cannot resume: each connection is sent
// everything, and what was there before has the same name.
func overHTTP(
	make func(simulate.Options) (upstreamServer, error), open source.Opener, prefix, path string,
	item func(w *simulate.World, b []byte, n uint64) []byte,
) func(*testing.T, []simulate.Fault, bool) up {
	return func(t *testing.T, script []simulate.Fault, _ bool) up {
		t.Helper()
		world, err := sharedWorld()
		if err != nil {
			t.Fatal(err)
		}
		server, err := make(simulate.Options{
			World: world, Items: everyItems, KeepAlive: 50 * time.Millisecond, Secrets: []string{token}, Script: script,
		})
		if err != nil {
			t.Fatal(err)
		}
		url := served(t, server)
		return up{
			raw: func(n uint64) []byte { return item(world, nil, n) }, stats: server.Stats,
			open: func(t *testing.T, stall string) source.Source {
				t.Helper()
				return opened(t, open, prefix+url+path+stall, token)
			},
		}
	}
}

// sky serves Jetstream.
func sky(open source.Opener, prefix, path string, second bool) func(*testing.T, []simulate.Fault, bool) up {
	return func(t *testing.T, script []simulate.Fault, _ bool) up {
		t.Helper()
		world, err := sharedWorld()
		if err != nil {
			t.Fatal(err)
		}
		server, err := simulate.NewBluesky(simulate.Options{World: world, Items: everyItems, KeepAlive: 50 * time.Millisecond, Script: script})
		if err != nil {
			t.Fatal(err)
		}
		url := served(t, server)
		return up{
			raw:   func(n uint64) []byte { return world.AppendBluesky(nil, n, second) },
			stats: func() simulate.Stats { return server.Stats().Stats },
			open: func(t *testing.T, stall string) source.Source {
				t.Helper()
				return opened(t, open, prefix+strings.TrimPrefix(url, "http")+path+stall, "")
			},
		}
	}
}

// opened opens a source.
func opened(t *testing.T, open source.Opener, raw, secret string) source.Source {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	src, err := open(source.Config{Name: "x", URL: u, Secret: secret, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// index says which item a message is, in either form.
func (u up) index() map[string]uint64 {
	of := map[string]uint64{}
	for n := range uint64(everyItems) {
		raw := u.raw(n)
		of[string(raw)] = n
		if feature := peek.Field(raw, "data"); feature != nil {
			of[string(feature)] = n
		}
	}
	return of
}

// outcome is how a fault ends a connection.
type outcome struct {
	fault simulate.Fault
	// ends says that it does, by cause.
	ends  bool
	cause source.Cause
	// after is how long the upstream asks to wait, stalls that it was silent.
	after  time.Duration
	stalls bool
}

// faults are all faults that every source has to survive.
func faults() map[string]outcome {
	const after = 10
	return map[string]outcome{
		"silence":    {fault: simulate.Fault{Kind: simulate.FaultSilence, After: after}, ends: true, cause: source.CauseClosed, stalls: true},
		"half open":  {fault: simulate.Fault{Kind: simulate.FaultHalfOpen, After: after}, ends: true, cause: source.CauseClosed, stalls: true},
		"clean end":  {fault: simulate.Fault{Kind: simulate.FaultEOF, After: after}, ends: true, cause: source.CauseClosed},
		"cut":        {fault: simulate.Fault{Kind: simulate.FaultCut, After: after}, ends: true, cause: source.CauseNetwork},
		"503":        {fault: simulate.Fault{Kind: simulate.FaultStatus, Status: 503}, ends: true, cause: source.CauseHTTP},
		"420":        {fault: simulate.Fault{Kind: simulate.FaultStatus, Status: 420, Reset: 70 * time.Second}, ends: true, cause: source.CauseRateLimited, after: 70 * time.Second},
		"429":        {fault: simulate.Fault{Kind: simulate.FaultStatus, Status: 429, Reset: 70 * time.Second}, ends: true, cause: source.CauseRateLimited, after: 70 * time.Second},
		"bytes":      {fault: simulate.Fault{Kind: simulate.FaultBytes, After: everyItems - 3}}, // each of a message of 3 kB takes its time
		"5 MB frame": {fault: simulate.Fault{Kind: simulate.FaultHuge, After: after}},
		"drift":      {fault: simulate.Fault{Kind: simulate.FaultDrift, After: after}},
		"malformed":  {fault: simulate.Fault{Kind: simulate.FaultMalformed, After: after}},
	}
}

// of is what an outcome is for a source: where there are no connections that
// last, what is no answer ends the question.
func (o outcome) of(s subject) outcome {
	if !s.polls {
		return o
	}
	switch kind := o.fault.Kind; {
	case o.stalls:
		o.cause = source.CauseNetwork
	case kind == simulate.FaultEOF, kind == simulate.FaultDrift, kind == simulate.FaultMalformed:
		o.ends, o.cause = true, source.CauseHTTP
	}
	return o
}

// TestEverySourceSurvives: whatever goes wrong, every item comes, in order, byte
// for byte, under one name, and there are never two connections; how the
// connection ended is told as what it was, which decides how long it is waited.
func TestEverySourceSurvives(t *testing.T) {
	t.Parallel()
	for _, s := range every() {
		for name, o := range faults() {
			t.Run(s.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				o, stall := o.of(s), "10s"
				if o.stalls {
					stall = "1s"
				}
				server := s.serve(t, []simulate.Fault{o.fault, {}, {Kind: simulate.FaultEOF, After: 5}}, false)
				f := &follower{t: t, src: server.open(t, stall)}
				if o.fault.Kind != simulate.FaultHalfOpen { // there the upstream does not notice that nobody is there
					f.gone = func() { bustest.WaitFor(t, "the connection is gone", func() bool { return server.stats().Open == 0 }) }
				}
				want := server.index()
				f.until(func() bool {
					clings := s.clings && o.fault.Kind == simulate.FaultHalfOpen && o.met(f.ends) != nil
					return clings || len(seen(t, want, f.items)) == everyItems
				})
				if st := server.stats(); st.MaxOpen > 1 && o.fault.Kind != simulate.FaultHalfOpen {
					t.Errorf("the upstream saw %+v", st)
				}
				o.check(t, f.ends)
			})
		}
	}
}

// met is the first end of a connection that is meant to be; nil if there is none.
// A machine that is busy may take so long to connect that silence is seen there,
// too.
func (o outcome) met(ends []*source.Error) *source.Error {
	for _, e := range ends {
		if e.Cause == o.cause && errors.Is(e, source.ErrStalled) == o.stalls {
			return e
		}
	}
	return nil
}

// check holds the ends of connections against what is meant to happen.
func (o outcome) check(t *testing.T, ends []*source.Error) {
	t.Helper()
	if !o.ends {
		if len(ends) > 0 {
			t.Errorf("the connection ended: %v", ends[0])
		}
		return
	}
	told := o.met(ends)
	if told == nil {
		t.Fatalf("connections ended by %v, want the cause %v", ends, o.cause)
	}
	// The reset is told in whole seconds, and by a clock of seconds.
	if got := told.RetryAfter; o.after > 0 && (got < o.after-2*time.Second || got > o.after) {
		t.Errorf("asked to wait %v, want %v", got, o.after)
	}
	if strings.Contains(told.Error(), "\n") {
		t.Errorf("the error has several lines: %v", told)
	}
}

// TestEverySourceIsKeptAlive: an upstream that gives signs of life and nothing
// else keeps its connection.
func TestEverySourceIsKeptAlive(t *testing.T) {
	t.Parallel()
	for _, s := range every() {
		if s.polls {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			const after = 3
			server := s.serve(t, []simulate.Fault{{Kind: simulate.FaultKeepAlives, After: after}}, false)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // longer than silence is borne
			defer cancel()
			n := 0
			if err := server.open(t, "2s").Stream(ctx, "", func(feed.Item) error { n++; return nil }); !errors.Is(err, context.DeadlineExceeded) || n != after {
				t.Errorf("Stream = %v after %d items", err, n)
			}
		})
	}
}

// TestEverySourceStopsForGood: what never passes is not tried again.
func TestEverySourceStopsForGood(t *testing.T) {
	t.Parallel()
	for _, s := range every() {
		for _, status := range []int{401, 403, 404} {
			server := s.serve(t, []simulate.Fault{{Kind: simulate.FaultStatus, Status: status}}, false)
			told := (*source.Error)(nil)
			err := server.open(t, "10s").Stream(t.Context(), "", func(feed.Item) error { return nil })
			if !errors.As(err, &told) || told.Cause != source.CauseFatal || strings.Contains(told.Error(), "token") {
				t.Errorf("%s: %d: Stream = %v", s.name, status, err)
			}
		}
	}
}

// TestEverySourceHasARival: where an upstream allows one connection, a source
// that meets another of its credential stays away for a while, whichever of the
// two the upstream ends; when that has gone everything comes.
func TestEverySourceHasARival(t *testing.T) {
	t.Parallel()
	for _, s := range every() {
		if s.polls || s.many {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			server := s.serve(t, nil, true)
			ctx, leave := context.WithCancel(t.Context())
			rival, inside := make(chan error, 1), make(chan struct{})
			go func() {
				n := 0
				rival <- server.open(t, "10s").Stream(ctx, "", func(feed.Item) error {
					if n++; n == everyItems {
						close(inside)
					}
					return nil
				})
			}()
			<-inside
			if told := rivals(t, server.open(t, "10s"), rival); told == nil || told.Cause != source.CauseRateLimited {
				t.Errorf("ended by %v, want it to stay away", told)
			}
			leave()
			bustest.WaitFor(t, "both are gone", func() bool { return server.stats().Open == 0 })
			f := &follower{t: t, src: server.open(t, "10s")}
			f.until(func() bool { return len(f.items) == 1 })
		})
	}
}

// rivals opens a second connection beside that of a rival, and returns why the
// one of them ended that could not stay.
func rivals(t *testing.T, src source.Source, rival <-chan error) (told *source.Error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	mine := make(chan error, 1)
	go func() { mine <- src.Stream(ctx, "", func(feed.Item) error { return nil }) }()
	var err error
	select {
	case err = <-mine:
	case err = <-rival:
		cancel()
		if mine := <-mine; !errors.Is(mine, context.Canceled) {
			t.Errorf("the other ended by %v", mine)
		}
	}
	if !errors.As(err, &told) {
		t.Errorf("ended by %v", err)
	}
	return told
}
